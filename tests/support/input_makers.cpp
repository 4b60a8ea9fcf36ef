// SPDX-License-Identifier: MIT
#include "support/input_makers.h"

#include <algorithm>
#include <numeric>
#include <random>

namespace teff::testing {
namespace {

template <class Draw>
InputMaker drawn(const Shape& shape, Draw draw) {
  return {[=](unsigned seed) {
    std::mt19937 generator(seed);
    Tensor values = empty(shape, {.dtype = DType::float64});
    for (double& value : values.span<double>()) value = draw(generator);
    return values;
  }};
}

double uniform(std::mt19937& generator, double low, double high) {
  return std::uniform_real_distribution<double>(low, high)(generator);
}

/// Values `step` apart from each other and 0.3 steps from its multiples, in random order.
InputMaker spaced(const Shape& shape, double step) {
  return {[=](unsigned seed) {
    std::vector<double> values(static_cast<std::size_t>(numel(shape)));
    std::iota(values.begin(), values.end(), -static_cast<double>(values.size() / 2));
    for (double& value : values) value = step * (value + 0.3);
    std::shuffle(values.begin(), values.end(), std::mt19937(seed));
    return tensor(values, shape);
  }};
}

}  // namespace

InputMaker smooth(const Shape& shape) {
  return drawn(shape, [](std::mt19937& generator) { return uniform(generator, -2, 2); });
}

InputMaker positive(const Shape& shape) {
  return drawn(shape, [](std::mt19937& generator) { return uniform(generator, 0.4, 2); });
}

InputMaker probability(const Shape& shape) {
  return drawn(shape, [](std::mt19937& generator) { return uniform(generator, 0.1, 0.9); });
}

InputMaker away_from_zero(const Shape& shape) {
  return drawn(shape, [](std::mt19937& generator) {
    const double value = uniform(generator, 0.2, 2);
    return generator() % 2 == 0 ? value : -value;
  });
}

InputMaker distinct(const Shape& shape) { return spaced(shape, 0.1); }
InputMaker wide(const Shape& shape) { return spaced(shape, 0.5); }

InputMaker indices(const Shape& shape, std::int64_t limit) {
  return {[=](unsigned seed) {
            std::mt19937 generator(seed);
            Tensor values = empty(shape, {.dtype = DType::int64});
            for (std::int64_t& value : values.span<std::int64_t>()) {
              value = static_cast<std::int64_t>(generator() % static_cast<unsigned>(limit));
            }
            return values;
          },
          false};
}

InputMaker fixed(InputMaker maker) {
  maker.differentiable = false;
  return maker;
}

}  // namespace teff::testing

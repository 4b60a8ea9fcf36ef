// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>

#include "teff/engine/error.h"
#include "teff/engine/random.h"

// As in PyTorch's CPU kernels: with replacement a search in the cumulative distribution; otherwise the largest
// weight / e with e drawn from the exponential distribution (Efraimidis and Spirakis, 2006).

namespace teff {
namespace {

std::vector<double> draw_units(std::size_t count, Generator& generator) {
  std::vector<double> units(count);
  uniform_(units.data(), static_cast<std::int64_t>(count), 0, 1, generator);
  return units;
}

std::vector<double> cumulative(std::span<const double> weights) {
  std::vector<double> sums(weights.size());
  std::partial_sum(weights.begin(), weights.end(), sums.begin());
  const double total = sums.back();
  for (double& sum : sums) sum /= total;
  sums.back() = 1;
  return sums;
}

/// weight / e for each weight.
std::vector<double> keys_of(std::span<const double> weights, Generator& generator) {
  std::vector<double> keys = draw_units(weights.size(), generator);
  constexpr double kLeast = std::numeric_limits<double>::epsilon() / 2;  // e must not be 0
  for (std::size_t i = 0; i < keys.size(); ++i) keys[i] = weights[i] / std::max(-std::log(1 - keys[i]), kLeast);
  return keys;
}

}  // namespace

void check_multinomial(std::span<const double> weights, std::int64_t n, bool replacement) {
  const auto expect = [](bool ok, const std::string& text) {
    if (!ok) throw ValueError("multinomial: expected " + text);
  };
  double sum = 0;
  for (const double weight : weights) {
    expect(std::isfinite(weight) && weight >= 0, "finite weights >= 0, got " + std::to_string(weight));
    sum += weight;
  }
  expect(sum > 0 && std::isfinite(sum), "weights with a finite sum above 0, got " + std::to_string(sum));
  expect(n >= 0, "n >= 0, got " + std::to_string(n));
  const auto positive = weights.size() - static_cast<std::size_t>(std::count(weights.begin(), weights.end(), 0.0));
  expect(replacement || static_cast<std::size_t>(n) <= positive,
         "without replacement at most " + std::to_string(positive) + " draws, the number of weights above 0, got " +
             std::to_string(n));
}

void multinomial(std::int64_t* out, std::int64_t n, std::span<const double> weights, bool replacement,
                 Generator& generator) {
  check_multinomial(weights, n, replacement);
  if (replacement) {
    const std::vector<double> sums = cumulative(weights), units = draw_units(static_cast<std::size_t>(n), generator);
    std::transform(units.begin(), units.end(), out,
                   [&](double unit) { return std::lower_bound(sums.begin(), sums.end(), unit) - sums.begin(); });
    return;
  }
  const std::vector<double> keys = keys_of(weights, generator);
  std::vector<std::int64_t> order(keys.size());
  std::iota(order.begin(), order.end(), std::int64_t{0});
  const auto greater = [&](std::int64_t first, std::int64_t second) {
    const auto a = static_cast<std::size_t>(first), b = static_cast<std::size_t>(second);
    return keys[a] != keys[b] ? keys[a] > keys[b] : weights[a] > weights[b];  // both keys may have become 0
  };
  std::partial_sort(order.begin(), order.begin() + n, order.end(), greater);
  std::copy_n(order.begin(), n, out);
}

}  // namespace teff

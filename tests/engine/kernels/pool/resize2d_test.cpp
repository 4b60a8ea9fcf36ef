// SPDX-License-Identifier: MIT
#include "engine/kernels/kernel_test.h"
#include "teff/engine/kernels/pool/pool_kernels.h"

using namespace teff;
using namespace teff::testing;
using kernels::Resize2d;
using kernels::ResizedAxis;

namespace {

/// An axis whose values come from places drawn at random.
template <class T>
struct Axis {
  int64_t size;
  std::vector<int64_t> first, second;
  std::vector<T> part;

  Axis(int64_t size_, int64_t out_size, unsigned seed) : size(size_), part(random_values<T>(out_size, 0, 1, seed)) {
    std::mt19937 generator(seed);
    const auto place = [&] { return static_cast<int64_t>(generator() % static_cast<unsigned>(size)); };
    for (int64_t i = 0; i < out_size; ++i) {
      first.push_back(i > 0 && i % 3 == 0 ? first.back() : place());  // also the same row again
      second.push_back(place());
    }
  }
  ResizedAxis<T> axis(bool mixed) const {
    return {size, static_cast<int64_t>(first.size()), first.data(), mixed ? second.data() : nullptr,
            mixed ? part.data() : nullptr};
  }
  /// What the value at `place` is in value i.
  double share(std::size_t i, int64_t place, bool mixed) const {
    if (!mixed) return first[i] == place ? 1 : 0;
    const auto p = static_cast<double>(part[i]);
    return (first[i] == place ? 1 - p : 0) + (second[i] == place ? p : 0);
  }
};

struct Sizes {
  int64_t planes, height, width, out_height, out_width;
};
const std::vector<Sizes> kShapes = {{1, 1, 1, 1, 1}, {2, 3, 5, 7, 4}, {3, 4, 33, 5, 70}, {1, 9, 8, 2, 3}};

}  // namespace

TEST_CASE_TEMPLATE("resize2d takes every value from its places, and gives its gradient back to them", T, float,
                   double) {
  for (const Sizes& s : kShapes) {
    const Axis<T> rows(s.height, s.out_height, 1), columns(s.width, s.out_width, 2);
    const int64_t in_size = s.planes * s.height * s.width, out_size = s.planes * s.out_height * s.out_width;
    const std::vector<T> x = random_values<T>(in_size), grad = random_values<T>(out_size, -1, 1, 2);
    for (const bool mixed : {false, true}) {
      CAPTURE(s.width);
      CAPTURE(mixed);
      std::vector<double> expected(grad.size()), grad_x(x.size());
      for (std::size_t out = 0; out < grad.size(); ++out) {
        const auto at = static_cast<int64_t>(out);
        for (int64_t in = 0; in < s.height * s.width; ++in) {
          const double share =
              rows.share(static_cast<std::size_t>(at / s.out_width % s.out_height), in / s.width, mixed) *
              columns.share(static_cast<std::size_t>(at % s.out_width), in % s.width, mixed);
          const auto place = static_cast<std::size_t>(at / (s.out_height * s.out_width) * s.height * s.width + in);
          expected[out] += share * static_cast<double>(x[place]);
          grad_x[place] += share * static_cast<double>(grad[out]);
        }
      }
      const Resize2d<T> sizes{s.planes, rows.axis(mixed), columns.axis(mixed)};
      std::vector<T> y = zeros<T>(out_size), dx = random_values<T>(in_size);
      kernels::resize2d_kernels<T>().resize2d(sizes, x.data(), y.data());
      kernels::resize2d_kernels<T>().resize2d_backward(sizes, grad.data(), dx.data());
      check_close(y, expected, kTolerance<T>, 2);
      check_close(dx, grad_x, kTolerance<T>, 10);
    }
  }
}

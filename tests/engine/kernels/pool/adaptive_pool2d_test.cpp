// SPDX-License-Identifier: MIT
#include "engine/kernels/kernel_test.h"
#include "teff/engine/kernels/pool/pool_kernels.h"

using namespace teff;
using namespace teff::testing;
using kernels::AdaptivePool2d;

namespace {

const std::vector<AdaptivePool2d> kShapes = {{1, 1, 1, 1, 1}, {3, 7, 7, 1, 1},    {2, 6, 6, 6, 6},    {2, 13, 11, 4, 5},
                                             {2, 3, 2, 5, 7}, {1, 50, 100, 1, 1}, {1, 5, 1000, 2, 3}, {2, 9, 40, 9, 3}};

/// Calls f(output index, input index) for every place of every window.
template <class F>
void for_each_place(const AdaptivePool2d& s, const F& f) {
  for (int64_t out = 0; out < s.planes * s.out_height * s.out_width; ++out) {
    const int64_t p = out / (s.out_height * s.out_width), i = out / s.out_width % s.out_height, j = out % s.out_width;
    for (int64_t r = i * s.height / s.out_height; r * s.out_height < (i + 1) * s.height; ++r) {
      for (int64_t c = j * s.width / s.out_width; c * s.out_width < (j + 1) * s.width; ++c) {
        f(static_cast<std::size_t>(out), static_cast<std::size_t>((p * s.height + r) * s.width + c));
      }
    }
  }
}

int64_t input_size(const AdaptivePool2d& s) { return s.planes * s.height * s.width; }
int64_t output_size(const AdaptivePool2d& s) { return s.planes * s.out_height * s.out_width; }

/// Places in each window.
std::vector<double> window_sizes(const AdaptivePool2d& s) {
  std::vector<double> sizes(static_cast<std::size_t>(output_size(s)));
  for_each_place(s, [&](std::size_t out, std::size_t) { ++sizes[out]; });
  return sizes;
}

}  // namespace

TEST_CASE_TEMPLATE("adaptive_avg_pool2d is the mean of each window, and shares the gradient evenly", T, float, double) {
  for (const AdaptivePool2d& s : kShapes) {
    CAPTURE(s.width);
    CAPTURE(s.out_width);
    const std::vector<T> x = random_values<T>(input_size(s)), grad = random_values<T>(output_size(s), -1, 1, 2);
    const std::vector<double> sizes = window_sizes(s);
    std::vector<double> mean(grad.size()), grad_x(x.size());
    for_each_place(s, [&](std::size_t out, std::size_t in) {
      mean[out] += static_cast<double>(x[in]) / sizes[out];
      grad_x[in] += static_cast<double>(grad[out]) / sizes[out];
    });
    std::vector<T> y = zeros<T>(output_size(s)), dx = random_values<T>(input_size(s));
    kernels::adaptive_pool2d_kernels<T>().adaptive_avg_pool2d(s, x.data(), y.data());
    kernels::adaptive_pool2d_kernels<T>().adaptive_avg_pool2d_backward(s, grad.data(), dx.data());
    check_close(y, mean, kTolerance<T>, 2);
    check_close(dx, grad_x, kTolerance<T>, 2);
  }
}

TEST_CASE_TEMPLATE("adaptive_max_pool2d finds the first maximum of each window, with or without its place", T, float,
                   double) {
  for (const AdaptivePool2d& s : kShapes) {
    std::vector<T> x = random_values<T>(input_size(s));
    for (T& value : x) value = std::round(4 * value);  // equal values
    std::vector<int64_t> expected(static_cast<std::size_t>(output_size(s)), -1);
    const int64_t plane = s.height * s.width, out_plane = s.out_height * s.out_width;
    for_each_place(s, [&](std::size_t out, std::size_t in) {
      const int64_t first = static_cast<int64_t>(out) / out_plane * plane;
      const int64_t best = expected[out];
      if (best < 0 || x[in] > x[static_cast<std::size_t>(first + best)]) {
        expected[out] = static_cast<int64_t>(in) - first;
      }
    });
    std::vector<T> y = zeros<T>(output_size(s)), alone = y;
    std::vector<int64_t> indices(y.size());
    kernels::adaptive_pool2d_kernels<T>().adaptive_max_pool2d(s, x.data(), y.data(), indices.data());
    kernels::adaptive_pool2d_kernels<T>().adaptive_max_pool2d(s, x.data(), alone.data(), nullptr);
    CHECK(indices == expected);
    CHECK(same_bits(y, alone));
    for (std::size_t i = 0; i < y.size(); ++i) {
      const auto place = static_cast<std::size_t>(static_cast<int64_t>(i) / out_plane * plane + expected[i]);
      CHECK(y[i] == x[place]);
    }
  }
}

TEST_CASE_TEMPLATE("NaN wins in adaptive_max_pool2d", T, float, double) {
  const std::vector<T> x = {1, kNan<T>, 3, 2};
  T y = 0;
  int64_t index = -1;
  kernels::adaptive_pool2d_kernels<T>().adaptive_max_pool2d({1, 2, 2, 1, 1}, x.data(), &y, &index);
  CHECK(std::isnan(y));
  CHECK(index == 1);
}

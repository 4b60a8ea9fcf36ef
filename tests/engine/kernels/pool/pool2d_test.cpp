// SPDX-License-Identifier: MIT
#include "engine/kernels/kernel_test.h"
#include "teff/engine/kernels/pool/pool_kernels.h"

using namespace teff;
using namespace teff::testing;
using kernels::Window2d;

namespace {

struct Axis {
  int64_t size, kernel, stride, padding, dilation;
  bool ceil_mode = false;

  /// PyTorch's output size: with ceil_mode the last window must start inside the image or its left padding.
  int64_t out() const {
    const int64_t span = size + 2 * padding - dilation * (kernel - 1) - 1 + (ceil_mode ? stride - 1 : 0);
    const int64_t count = span / stride + 1;
    return ceil_mode && (count - 1) * stride >= size + padding ? count - 1 : count;
  }
};

Window2d window(int64_t batch, int64_t channels, const Axis& h, const Axis& w) {
  return {batch,    channels, h.size,   w.size,    channels,  h.out(),    w.out(),    h.kernel,
          w.kernel, h.stride, w.stride, h.padding, w.padding, h.dilation, w.dilation, 1};
}

/// Calls visit(place in the input, place in the output) for every value of every window, row by row.
template <class Visit>
void for_each_pair(const Window2d& w, const Visit& visit) {
  for (int64_t p = 0; p < w.batch * w.channels; ++p) {
    for (int64_t i = 0; i < w.out_height; ++i) {
      for (int64_t j = 0; j < w.out_width; ++j) {
        const int64_t out = (p * w.out_height + i) * w.out_width + j;
        for (int64_t u = 0; u < w.kernel_height; ++u) {
          for (int64_t v = 0; v < w.kernel_width; ++v) {
            const int64_t y = i * w.stride_height - w.padding_height + u * w.dilation_height;
            const int64_t x = j * w.stride_width - w.padding_width + v * w.dilation_width;
            if (y < 0 || y >= w.height || x < 0 || x >= w.width) continue;
            visit(static_cast<std::size_t>((p * w.height + y) * w.width + x), static_cast<std::size_t>(out));
          }
        }
      }
    }
  }
}

int64_t input_size(const Window2d& w) { return w.batch * w.channels * w.height * w.width; }
int64_t output_size(const Window2d& w) { return w.batch * w.channels * w.out_height * w.out_width; }

template <class T>
struct MaxPooled {
  std::vector<T> output;
  std::vector<int64_t> indices;
};

template <class T>
MaxPooled<T> reference_max(const Window2d& w, const std::vector<T>& x) {
  const std::size_t count = static_cast<std::size_t>(output_size(w));
  MaxPooled<T> result{std::vector<T>(count, -kInf<T>), std::vector<int64_t>(count, -1)};
  for_each_pair(w, [&](std::size_t in, std::size_t out) {
    if (x[in] > result.output[out] || std::isnan(x[in]) || result.indices[out] < 0) {
      result.output[out] = x[in];
      result.indices[out] = static_cast<int64_t>(in) % (w.height * w.width);
    }
  });
  return result;
}

/// PyTorch's divisor.
double divisor(const Window2d& w, bool count_include_pad, int64_t divisor_override, int64_t i, int64_t j) {
  if (divisor_override != 0) return static_cast<double>(divisor_override);
  int64_t top = i * w.stride_height - w.padding_height, left = j * w.stride_width - w.padding_width;
  int64_t bottom = std::min(top + w.kernel_height, w.height + w.padding_height);
  int64_t right = std::min(left + w.kernel_width, w.width + w.padding_width);
  if (!count_include_pad) {
    top = std::max<int64_t>(top, 0);
    left = std::max<int64_t>(left, 0);
    bottom = std::min(bottom, w.height);
    right = std::min(right, w.width);
  }
  return static_cast<double>((bottom - top) * (right - left));
}

std::vector<Window2d> max_windows() {
  std::vector<Window2d> windows = {
      window(2, 3, {28, 2, 2, 0, 1}, {28, 2, 2, 0, 1}),
      window(1, 16, {10, 2, 2, 0, 1}, {10, 2, 2, 0, 1}),
      window(2, 2, {7, 2, 2, 0, 1}, {9, 2, 2, 0, 1}),
      window(1, 1, {2, 2, 2, 0, 1}, {2, 2, 2, 0, 1}),
      window(1, 2, {7, 2, 2, 0, 1, true}, {9, 2, 2, 0, 1, true}),
      window(1, 2, {56, 3, 2, 1, 1}, {57, 3, 2, 1, 1}),
      window(1, 2, {5, 3, 1, 1, 1}, {6, 3, 1, 1, 1}),
      window(2, 1, {13, 3, 3, 1, 2}, {17, 2, 3, 1, 3}),
      window(1, 1, {1, 2, 1, 1, 2}, {1, 2, 1, 1, 2}),
      window(1, 1, {4, 1, 2, 0, 1}, {5, 1, 3, 0, 1}),
      window(1, 1, {3, 3, 2, 1, 1, true}, {4, 3, 5, 1, 1, true}),
      window(1, 1, {4, 2, 2, 0, 1}, {3000, 2, 2, 0, 1}),
      window(1, 2, {40, 5, 4, 2, 1}, {1001, 4, 1, 2, 1}),
      window(0, 3, {4, 2, 2, 0, 1}, {4, 2, 2, 0, 1}),
      window(1, 2, {3, 40, 1, 20, 1}, {5, 1200, 1, 600, 1}),  // the row is cut to the image
      window(1, 2, {4, 2, 2500, 1, 1250}, {6, 3, 3000, 1, 1499}),
  };
  for (int64_t size = 3; size < 20; ++size) {
    windows.push_back(window(1, 2, {size, 3, 2, 1, 1, true}, {size + 1, 2, 2, 1, 1, true}));
    windows.push_back(window(1, 2, {size, 2, 2, 0, 1}, {size + 1, 2, 2, 0, 1}));
  }
  return windows;
}

template <class T>
void check_max_pool(const Window2d& w, const std::vector<T>& x) {
  const MaxPooled<T> expected = reference_max(w, x);
  MaxPooled<T> actual{zeros<T>(output_size(w)), std::vector<int64_t>(expected.indices.size(), -7)};
  const std::vector<double> values(expected.output.begin(), expected.output.end());
  kernels::pool2d_kernels<T>().max_pool2d(w, x.data(), actual.output.data(), nullptr);
  check_close(actual.output, values, 0);
  actual.output.assign(actual.output.size(), 0);
  kernels::pool2d_kernels<T>().max_pool2d(w, x.data(), actual.output.data(), actual.indices.data());
  check_close(actual.output, values, 0);
  CHECK(actual.indices == expected.indices);
}

}  // namespace

TEST_CASE_TEMPLATE("max_pool2d gives maxima and their places for every kind of window", T, float, double) {
  for (const Window2d& w : max_windows()) {
    CAPTURE(w.height);
    CAPTURE(w.width);
    CAPTURE(w.kernel_height);
    check_max_pool(w, random_values<T>(input_size(w)));
    std::vector<T> few = random_values<T>(input_size(w), 0, 3);  // many equal values
    for (T& v : few) v = std::floor(v);
    check_max_pool(w, few);
  }
}

TEST_CASE_TEMPLATE("max_pool2d follows PyTorch for NaN and -inf wherever they are", T, float, double) {
  for (const Window2d& w :
       {window(1, 1, {4, 2, 2, 0, 1}, {36, 2, 2, 0, 1}), window(1, 1, {5, 3, 2, 1, 1}, {5, 3, 2, 1, 1})}) {
    for (std::size_t i = 0; i < static_cast<std::size_t>(input_size(w)); ++i) {
      std::vector<T> x = random_values<T>(input_size(w));
      x[i] = kNan<T>;
      check_max_pool(w, x);
      x[(i + 1) % x.size()] = kNan<T>;
      check_max_pool(w, x);
    }
    check_max_pool(w, std::vector<T>(static_cast<std::size_t>(input_size(w)), -kInf<T>));
  }
}

TEST_CASE("a max_pool2d window entirely in the padding gives -inf and no gradient") {
  const Window2d w = window(1, 1, {1, 2, 1, 1, 2}, {1, 2, 1, 1, 2});  // looks at -1 and 1
  const float x = 5, grad = 1;
  float y = 0, grad_x = 7;
  int64_t index = 0;
  kernels::pool2d_kernels<float>().max_pool2d(w, &x, &y, &index);
  CHECK(y == -kInf<float>);
  CHECK(index == -1);
  kernels::pool2d_kernels<float>().max_pool2d_backward(w, &grad, &index, &grad_x);
  CHECK(grad_x == 0);
}

TEST_CASE_TEMPLATE("max_pool2d sends each gradient to the place of the maximum", T, float, double) {
  for (const Window2d& w : max_windows()) {
    const std::vector<T> x = random_values<T>(input_size(w)), grad = random_values<T>(output_size(w), -1, 1, 2);
    const MaxPooled<T> pooled = reference_max(w, x);
    std::vector<double> expected(x.size());
    const std::size_t plane = static_cast<std::size_t>(w.height * w.width);
    const std::size_t out_plane = static_cast<std::size_t>(w.out_height * w.out_width);
    for (std::size_t i = 0; i < grad.size(); ++i) {
      if (pooled.indices[i] < 0) continue;
      expected[i / out_plane * plane + static_cast<std::size_t>(pooled.indices[i])] += static_cast<double>(grad[i]);
    }
    std::vector<T> grad_x(x.size(), kNan<T>);
    kernels::pool2d_kernels<T>().max_pool2d_backward(w, grad.data(), pooled.indices.data(), grad_x.data());
    check_close(grad_x, expected, kTolerance<T>, 2);
  }
}

TEST_CASE_TEMPLATE("max_pool2d finds the places of 2 by 2 windows again from the input", T, float, double) {
  for (const auto& [height, width] : {std::pair{2, 2}, {4, 36}, {7, 11}, {10, 10}, {28, 28}, {3, 70}, {2, 9}}) {
    const Window2d w = window(2, 3, {height, 2, 2, 0, 1}, {width, 2, 2, 0, 1});
    std::vector<T> x = random_values<T>(input_size(w), -2, 2);
    for (std::size_t i = 0; i < x.size(); ++i) {  // equal values, NaN and infinities in many windows
      if (i % 7 == 0) x[i] = std::floor(x[i]);
      if (i % 11 == 3) x[i] = kNan<T>;
      if (i % 13 == 5) x[i] = i % 2 == 0 ? kInf<T> : -kInf<T>;
    }
    for (const bool finite : {false, true}) {
      if (finite)
        std::replace_if(
            x.begin(), x.end(), [](T v) { return !std::isfinite(v); }, T(1));
      const std::vector<T> grad = random_values<T>(output_size(w), -1, 1, 2);
      std::vector<T> expected(x.size(), kNan<T>), actual(x.size(), kNan<T>);
      kernels::pool2d_kernels<T>().max_pool2d_backward(w, grad.data(), reference_max(w, x).indices.data(),
                                                       expected.data());
      kernels::pool2d_kernels<T>().max_pool2d_tiles_backward(w, grad.data(), x.data(), actual.data());
      CHECK(actual == expected);
    }
  }
}

TEST_CASE_TEMPLATE("avg_pool2d and its gradient agree with plain loops for every kind of window", T, float, double) {
  const std::vector<Window2d> windows = {
      window(2, 3, {28, 2, 2, 0, 1}, {28, 2, 2, 0, 1}),
      window(2, 5, {7, 7, 7, 0, 1}, {7, 7, 7, 0, 1}),
      window(1, 2, {7, 2, 2, 0, 1, true}, {9, 2, 2, 0, 1, true}),
      window(1, 2, {9, 3, 2, 1, 1}, {12, 3, 2, 1, 1}),
      window(1, 2, {9, 3, 2, 1, 1, true}, {12, 3, 2, 1, 1, true}),
      window(1, 1, {5, 3, 1, 1, 1}, {6, 5, 1, 2, 1}),
      window(1, 1, {3, 3, 5, 1, 1, true}, {4, 2, 5, 1, 1, true}),
      window(1, 1, {4, 1, 2, 0, 1}, {5, 1, 3, 0, 1}),
      window(1, 1, {4, 2, 2, 0, 1}, {3000, 2, 2, 0, 1}),
      window(3, 2, {1, 1, 1, 0, 1}, {1, 1, 1, 0, 1}),
      window(0, 3, {4, 2, 2, 0, 1}, {4, 2, 2, 0, 1}),
      window(1, 2, {3, 40, 1, 20, 1}, {5, 1200, 1, 600, 1}),
      window(1, 2, {3, 40, 9, 15, 1}, {9, 1300, 1290, 649, 1}),
  };
  for (const Window2d& w : windows) {
    for (bool count_include_pad : {false, true}) {
      for (int64_t divisor_override : {0, 3, -2}) {
        CAPTURE(w.height);
        CAPTURE(w.kernel_height);
        CAPTURE(count_include_pad);
        const std::vector<T> x = random_values<T>(input_size(w)), grad = random_values<T>(output_size(w), -1, 1, 2);
        std::vector<double> expected(grad.size()), expected_grad(x.size());
        for_each_pair(w, [&](std::size_t in, std::size_t out) {
          const int64_t o = static_cast<int64_t>(out);
          const double d =
              divisor(w, count_include_pad, divisor_override, o / w.out_width % w.out_height, o % w.out_width);
          expected[out] += static_cast<double>(x[in]) / d;
          expected_grad[in] += static_cast<double>(grad[out]) / d;
        });
        std::vector<T> y = zeros<T>(output_size(w)), grad_x(x.size(), kNan<T>);
        kernels::pool2d_kernels<T>().avg_pool2d(w, count_include_pad, divisor_override, x.data(), y.data());
        check_close(y, expected, kTolerance<T>, 2);
        kernels::pool2d_kernels<T>().avg_pool2d_backward(w, count_include_pad, divisor_override, grad.data(),
                                                         grad_x.data());
        check_close(grad_x, expected_grad, kTolerance<T>, 2);
      }
    }
  }
}

TEST_CASE("pooling has the same bits for any number of threads") {
  const Window2d w = window(8, 16, {40, 3, 2, 1, 1}, {40, 3, 2, 1, 1});
  const std::vector<float> x = random_values<float>(input_size(w)), grad = random_values<float>(output_size(w));
  check_any_thread_count([&] {
    std::vector<float> y = zeros<float>(output_size(w));
    kernels::pool2d_kernels<float>().avg_pool2d(w, true, 0, x.data(), y.data());
    return y;
  });
  check_any_thread_count([&] {
    std::vector<float> grad_x = zeros<float>(input_size(w));
    kernels::pool2d_kernels<float>().avg_pool2d_backward(w, true, 0, grad.data(), grad_x.data());
    return grad_x;
  });
}

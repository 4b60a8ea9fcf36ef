// SPDX-License-Identifier: MIT
// Winograd's method against the direct one in double. Its error is measured against the largest that the sum of the
// tile could be, sum |w| * max |x|: an output is also made of neighbours that its own window does not see.

#include "engine/kernels/kernel_test.h"
#include "teff/engine/kernels/conv/conv_kernels.h"

using namespace teff::testing;
using teff::kernels::Window2d;

namespace {

struct Options {
  int64_t batch = 1, in = 32, out = 32, height = 14, width = 14, padding = 1;
};

Window2d window(const Options& o, bool winograd) {
  return {.batch = o.batch,
          .channels = o.in,
          .height = o.height,
          .width = o.width,
          .out_channels = o.out,
          .out_height = o.height + 2 * o.padding - 2,
          .out_width = o.width + 2 * o.padding - 2,
          .kernel_height = 3,
          .kernel_width = 3,
          .stride_height = 1,
          .stride_width = 1,
          .padding_height = o.padding,
          .padding_width = o.padding,
          .dilation_height = 1,
          .dilation_width = 1,
          .groups = 1,
          .winograd = winograd};
}

template <class T>
struct Arrays {
  std::vector<T> input, weight, bias;

  explicit Arrays(const Options& o)
      : input(random_values<T>(o.batch * o.in * o.height * o.width, -1, 1)),
        weight(random_values<T>(o.out * o.in * 9, -1, 1, 2)),
        bias(random_values<T>(o.out, -1, 1, 3)) {}
};

template <class T>
std::vector<T> packed(const Window2d& w, const Arrays<T>& a, bool with_bias, bool clamped) {
  std::vector<T> weight = zeros<T>(teff::kernels::conv2d_kernels<T>().conv2d_packed_size(w));
  std::vector<T> output = zeros<T>(w.batch * w.out_channels * w.out_height * w.out_width);
  teff::kernels::conv2d_kernels<T>().conv2d_pack(w, a.weight.data(), weight.data());
  const teff::kernels::Clamp<T> clamp =
      clamped ? teff::kernels::Clamp<T>{.low = 0, .high = 1} : teff::kernels::Clamp<T>{};
  teff::kernels::conv2d_kernels<T>().conv2d_packed(w, a.input.data(), weight.data(),
                                                   with_bias ? a.bias.data() : nullptr, clamp, output.data());
  return output;
}

/// Largest error in units of 9 * in, where sum |w| * max |x| is about half of that.
double error_of(const Options& o, bool flag) {
  const Arrays<float> arrays(o);
  Arrays<double> exact(o);
  exact.input.assign(arrays.input.begin(), arrays.input.end());
  exact.weight.assign(arrays.weight.begin(), arrays.weight.end());
  exact.bias.assign(arrays.bias.begin(), arrays.bias.end());
  const std::vector<float> output = packed(window(o, true), arrays, flag, flag);
  const std::vector<double> expected = packed(window(o, false), exact, flag, flag);
  double worst = 0;
  for (std::size_t i = 0; i < output.size(); ++i) {
    const double error = std::fabs(static_cast<double>(output[i]) - expected[i]);
    worst = error <= worst ? worst : error;  // NaN counts
  }
  return worst / (4.5 * static_cast<double>(o.in));
}

template <class T>
std::vector<T> gradient(const Window2d& w, const std::vector<T>& grad, const std::vector<T>& weight) {
  std::vector<T> result(static_cast<std::size_t>(w.batch * w.channels * w.height * w.width), T(7));
  teff::kernels::conv2d_input_kernels<T>().conv2d_backward_input(w, grad.data(), weight.data(), result.data());
  return result;
}

/// The same of the gradient of the input.
double error_of_gradient(const Options& o) {
  const Window2d w = window(o, true);
  const std::vector<float> grad = random_values<float>(w.batch * w.out_channels * w.out_height * w.out_width, -1, 1);
  const std::vector<float> weight = Arrays<float>(o).weight;
  const std::vector<float> output = gradient(w, grad, weight);
  const std::vector<double> expected = gradient(window(o, false), std::vector<double>(grad.begin(), grad.end()),
                                                std::vector<double>(weight.begin(), weight.end()));
  double worst = 0;
  for (std::size_t i = 0; i < output.size(); ++i) {
    const double error = std::fabs(static_cast<double>(output[i]) - expected[i]);
    worst = error <= worst ? worst : error;
  }
  return worst / (4.5 * static_cast<double>(o.out));
}

constexpr double kBound = 1e-6;

void check(const Options& o) {
  INFO("batch ", o.batch, " channels ", o.in, " -> ", o.out, " image ", o.height, "x", o.width, " padding ", o.padding);
  CHECK(error_of(o, false) < kBound);
  CHECK(error_of(o, true) < kBound);
}

}  // namespace

TEST_CASE("Winograd's method equals the direct one to 1e-6 of sum |w| * max |x|") {
  check({.in = 64, .out = 64, .height = 56, .width = 56});
  check({.batch = 2, .in = 128, .out = 128, .height = 28, .width = 28});
  check({.in = 256, .out = 256});
  check({.in = 512, .out = 512, .height = 7, .width = 7});
}

TEST_CASE("Winograd's method takes images and channels of any size") {
  for (const int64_t padding : {0, 1, 2, 5}) {
    for (const int64_t size : {3, 4, 5, 6, 9, 17}) check({.height = size, .width = size + 3, .padding = padding});
  }
  for (const int64_t channels : {17, 31, 33, 40, 47}) {
    check({.in = channels, .out = 50, .height = 9, .width = 11});
    check({.in = 50, .out = channels, .height = 9, .width = 11});
  }
  check({.height = 3, .width = 130});
  check({.height = 130, .width = 3});
  check({.batch = 33, .height = 7, .width = 7});
  check({.batch = 5, .in = 33, .out = 65, .height = 6, .width = 5, .padding = 0});
}

TEST_CASE("The gradient of the input is a convolution that Winograd's method takes, too") {
  const auto check = [](const Options& o) {
    INFO("channels ", o.in, " -> ", o.out, " image ", o.height, "x", o.width, " padding ", o.padding);
    CHECK(error_of_gradient(o) < kBound);
  };
  check({.batch = 2, .in = 64, .out = 128, .height = 28, .width = 28});
  check({.in = 256, .out = 512, .height = 7, .width = 7});
  for (const int64_t padding : {0, 1, 2, 3}) {  // of 3 it is not
    for (const int64_t size : {3, 4, 7, 12}) {
      check({.batch = 3, .in = 33, .out = 47, .height = size, .width = size + 5, .padding = padding});
    }
  }
  const Options o{.batch = 2, .in = 64, .out = 70, .height = 30, .width = 30};
  const std::vector<float> grad = random_values<float>(2 * 70 * 30 * 30, -1, 1), weight = Arrays<float>(o).weight;
  CHECK_FALSE(same_bits(gradient(window(o, true), grad, weight), gradient(window(o, false), grad, weight)));
  check_any_thread_count([&] { return gradient(window(o, true), grad, weight); });
}

TEST_CASE("Winograd's method gives the same bits for any number of threads") {
  for (const Options& o : {Options{.batch = 3, .in = 64, .out = 70, .height = 30, .width = 30},
                           Options{.in = 128, .out = 128, .height = 7, .width = 7}}) {
    const Arrays<float> arrays(o);
    check_any_thread_count([&] { return packed(window(o, true), arrays, true, true); });
  }
}

TEST_CASE("Winograd's method is used where it was allowed, for float, and never otherwise") {
  const Options o{.batch = 8, .in = 64, .out = 64, .height = 28, .width = 28};
  const Arrays<float> arrays(o);
  const Arrays<double> exact(o);
  CHECK_FALSE(same_bits(packed(window(o, true), arrays, false, false), packed(window(o, false), arrays, false, false)));
  CHECK(same_bits(packed(window(o, true), exact, false, false), packed(window(o, false), exact, false, false)));
}

TEST_CASE("Winograd's method keeps what is not a number") {
  const Options o{.in = 64, .out = 64, .height = 8, .width = 8};
  Arrays<float> arrays(o);
  arrays.input[9] = kNan<float>;
  const std::vector<float> output = packed(window(o, true), arrays, true, true);
  CHECK(std::isnan(output[9]));
}

// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

#include "support/threads_guard.h"
#include "teff/engine/kernels/conv/conv_kernels.h"
#include "teff/engine/parallel.h"

using teff::kernels::Window2d;
using teff::testing::ThreadsGuard;

namespace {

struct Size {
  int64_t height, width;
};

struct Options {
  int64_t batch = 1, in = 1, out = 1;  // channels
  Size image{1, 1}, kernel{1, 1};
  Size stride{1, 1}, padding{0, 0}, dilation{1, 1};
  int64_t groups = 1;
};

int64_t out_size(int64_t size, int64_t kernel, int64_t stride, int64_t padding, int64_t dilation) {
  return (size + 2 * padding - dilation * (kernel - 1) - 1) / stride + 1;
}

Window2d window(const Options& o) {
  return {.batch = o.batch,
          .channels = o.in,
          .height = o.image.height,
          .width = o.image.width,
          .out_channels = o.out,
          .out_height = out_size(o.image.height, o.kernel.height, o.stride.height, o.padding.height, o.dilation.height),
          .out_width = out_size(o.image.width, o.kernel.width, o.stride.width, o.padding.width, o.dilation.width),
          .kernel_height = o.kernel.height,
          .kernel_width = o.kernel.width,
          .stride_height = o.stride.height,
          .stride_width = o.stride.width,
          .padding_height = o.padding.height,
          .padding_width = o.padding.width,
          .dilation_height = o.dilation.height,
          .dilation_width = o.dilation.width,
          .groups = o.groups};
}

/// A convolution is a sum of products; visit(output, input, weight) sees the indices of each once.
template <class Visit>
void for_each_product(const Window2d& w, Visit visit) {
  const int64_t in = w.channels / w.groups, out = w.out_channels / w.groups;
  for (int64_t n = 0; n < w.batch; ++n)
    for (int64_t k = 0; k < w.out_channels; ++k)
      for (int64_t oy = 0; oy < w.out_height; ++oy)
        for (int64_t ox = 0; ox < w.out_width; ++ox)
          for (int64_t c = 0; c < in; ++c)
            for (int64_t i = 0; i < w.kernel_height; ++i)
              for (int64_t j = 0; j < w.kernel_width; ++j) {
                const int64_t y = oy * w.stride_height - w.padding_height + i * w.dilation_height;
                const int64_t x = ox * w.stride_width - w.padding_width + j * w.dilation_width;
                if (y < 0 || y >= w.height || x < 0 || x >= w.width) continue;
                visit(static_cast<std::size_t>(((n * w.out_channels + k) * w.out_height + oy) * w.out_width + ox),
                      static_cast<std::size_t>(((n * w.channels + k / out * in + c) * w.height + y) * w.width + x),
                      static_cast<std::size_t>(((k * in + c) * w.kernel_height + i) * w.kernel_width + j));
              }
}

/// The arrays of a convolution; they end with their last element, so that a sanitizer sees a read beyond it.
template <class T>
struct Convolution {
  Window2d w;
  std::vector<T> input, weight, bias, output, grad_output, grad_input, grad_weight;

  explicit Convolution(const Options& o) : w(window(o)) {
    std::mt19937 generator(7);
    std::uniform_real_distribution<T> uniform(-1, 1);
    const auto fill = [&](std::vector<T>& values, int64_t count) {
      values.resize(static_cast<std::size_t>(count));
      for (T& value : values) value = uniform(generator);
    };
    const int64_t outputs = w.batch * w.out_channels * w.out_height * w.out_width;
    fill(input, w.batch * w.channels * w.height * w.width);
    fill(weight, w.out_channels * w.channels / w.groups * w.kernel_height * w.kernel_width);
    fill(bias, w.out_channels);
    fill(grad_output, outputs);
    output.resize(static_cast<std::size_t>(outputs));
    grad_input.resize(input.size());
    grad_weight.resize(weight.size());
  }

  static teff::kernels::Clamp<T> clamp(bool clamped) {
    return clamped ? teff::kernels::Clamp<T>{.low = 0, .high = 1} : teff::kernels::Clamp<T>{};
  }
  void forward(bool with_bias, bool clamped) {
    teff::kernels::conv2d_kernels<T>().conv2d(w, input.data(), weight.data(), with_bias ? bias.data() : nullptr,
                                              clamp(clamped), output.data());
  }
  void forward_packed(bool with_bias, bool clamped) {
    std::vector<T> packed(static_cast<std::size_t>(teff::kernels::conv2d_kernels<T>().conv2d_packed_size(w)));
    if (packed.empty()) return forward(with_bias, clamped);
    teff::kernels::conv2d_kernels<T>().conv2d_pack(w, weight.data(), packed.data());
    teff::kernels::conv2d_kernels<T>().conv2d_packed(w, input.data(), packed.data(), with_bias ? bias.data() : nullptr,
                                                     clamp(clamped), output.data());
  }
  void backward() {
    teff::kernels::conv2d_input_kernels<T>().conv2d_backward_input(w, grad_output.data(), weight.data(),
                                                                   grad_input.data());
    teff::kernels::conv2d_weight_kernels<T>().conv2d_backward_weight(w, grad_output.data(), input.data(),
                                                                     grad_weight.data());
  }

  std::vector<double> expected_output(bool with_bias, bool clamped) const {
    std::vector<double> y(output.size());
    for_each_product(
        w, [&](std::size_t o, std::size_t i, std::size_t k) { y[o] += double(input[i]) * double(weight[k]); });
    const std::size_t plane = static_cast<std::size_t>(w.out_height * w.out_width);
    for (std::size_t i = 0; i < y.size(); ++i) {
      if (with_bias) y[i] += double(bias[i / plane % bias.size()]);
      if (clamped) y[i] = std::clamp(y[i], 0.0, 1.0);
    }
    return y;
  }
};

/// The sums have `terms` products of values in [-1, 1].
template <class T>
void check_close(const std::vector<T>& actual, const std::vector<double>& expected, int64_t terms) {
  REQUIRE(actual.size() == expected.size());
  double worst = 0;
  for (std::size_t i = 0; i < actual.size(); ++i) {
    const double error = std::abs(static_cast<double>(actual[i]) - expected[i]);
    worst = error <= worst ? worst : error;  // NaN counts
  }
  CHECK(worst <= std::numeric_limits<T>::epsilon() * (8 + static_cast<double>(terms)));
}

template <class T>
void check(const Options& o) {
  Convolution<T> c(o);
  const Window2d& w = c.w;
  INFO("batch ", o.batch, " channels ", o.in, " -> ", o.out, " groups ", o.groups, " image ", o.image.height, "x",
       o.image.width, " kernel ", o.kernel.height, "x", o.kernel.width, " stride ", o.stride.height, "x",
       o.stride.width, " padding ", o.padding.height, "x", o.padding.width, " dilation ", o.dilation.height, "x",
       o.dilation.width);
  const int64_t taps = w.kernel_height * w.kernel_width;
  for (const bool flag : {false, true}) {
    c.forward(flag, flag);
    check_close(c.output, c.expected_output(flag, flag), taps * w.channels / w.groups);
    const std::vector<T> output = c.output;
    c.forward_packed(flag, flag);
    CHECK(std::memcmp(c.output.data(), output.data(), output.size() * sizeof(T)) == 0);
  }
  std::vector<double> grad_input(c.input.size()), grad_weight(c.weight.size());
  for_each_product(w, [&](std::size_t y, std::size_t i, std::size_t k) {
    grad_input[i] += double(c.grad_output[y]) * double(c.weight[k]);
    grad_weight[k] += double(c.grad_output[y]) * double(c.input[i]);
  });
  c.backward();
  check_close(c.grad_input, grad_input, taps * w.out_channels / w.groups);
  check_close(c.grad_weight, grad_weight, w.batch * w.out_height * w.out_width);
}

}  // namespace

TEST_CASE_TEMPLATE("conv2d and its gradients equal the definition for LeNet's layers", T, float, double) {
  for (const int64_t batch : {1, 3}) {
    check<T>({.batch = batch, .in = 3, .out = 6, .image = {32, 32}, .kernel = {5, 5}});
    check<T>({.batch = batch, .in = 6, .out = 16, .image = {14, 14}, .kernel = {5, 5}});
  }
}

TEST_CASE_TEMPLATE("conv2d and its gradients equal the definition for many small images", T, float, double) {
  for (const int64_t batch : {8, 16, 21, 32}) {  // whole blocks of lanes, and a rest
    check<T>({.batch = batch, .in = 6, .out = 16, .image = {14, 14}, .kernel = {5, 5}});
    check<T>({.batch = batch, .in = 4, .out = 6, .image = {7, 9}, .kernel = {3, 3}, .padding = {1, 1}, .groups = 2});
    check<T>({.batch = batch,
              .in = 3,
              .out = 5,
              .image = {9, 5},
              .kernel = {3, 2},
              .stride = {2, 1},
              .padding = {0, 1},
              .dilation = {1, 2}});
    check<T>({.batch = batch, .in = 70, .out = 20, .image = {3, 3}, .kernel = {3, 3}, .padding = {1, 1}});
    check<T>({.batch = batch, .in = 2, .out = 1, .image = {2, 2}, .kernel = {2, 2}});
    check<T>({.batch = batch, .in = 9, .out = 4, .image = {10, 11}, .kernel = {3, 4}});
    check<T>({.batch = batch, .in = 5, .out = 70, .image = {6, 5}, .kernel = {3, 3}, .padding = {1, 1}});
    check<T>({.batch = batch, .in = 3, .out = 4, .image = {4, 7}, .kernel = {2, 2}, .dilation = {3, 5}});  // holes
  }
}

TEST_CASE_TEMPLATE("conv2d and its gradients equal the definition where blocks of small images are cut into rows", T,
                   float, double) {
  const ThreadsGuard guard(4);
  for (const int64_t batch : {8, 16, 40}) {
    check<T>({.batch = batch, .in = 6, .out = 16, .image = {14, 14}, .kernel = {5, 5}});
    check<T>({.batch = batch, .in = 4, .out = 6, .image = {7, 9}, .kernel = {3, 3}, .padding = {1, 1}, .groups = 2});
    check<T>({.batch = batch,
              .in = 3,
              .out = 5,
              .image = {9, 5},
              .kernel = {3, 2},
              .stride = {2, 1},
              .padding = {2, 1},
              .dilation = {2, 1}});
    check<T>(
        {.batch = batch, .in = 2, .out = 3, .image = {3, 4}, .kernel = {2, 2}, .padding = {4, 1}});  // rows of padding
    check<T>({.batch = batch, .in = 2, .out = 4, .image = {1, 6}, .kernel = {1, 3}});  // one row is not cut
  }
}

TEST_CASE_TEMPLATE("conv2d and its gradients equal the definition for few channels and short rows", T, float, double) {
  for (const int64_t out : {1, 3, 6, 7}) {
    for (const int64_t width : {5, 18, 30, 34, 35}) {
      check<T>({.batch = 2, .in = 2, .out = out, .image = {7, width}, .kernel = {3, 3}});
      check<T>({.batch = 1, .in = 2, .out = out, .image = {6, width}, .kernel = {3, 3}, .padding = {1, 1}});
    }
  }
  check<T>({.batch = 1, .in = 60, .out = 5, .image = {8, 30}, .kernel = {3, 3}});  // across cache blocks
}

TEST_CASE("conv2d keeps images apart: NaN in one of many does not reach the others") {
  Convolution<float> c({.batch = 19, .in = 6, .out = 16, .image = {14, 14}, .kernel = {5, 5}});
  const std::size_t image = c.input.size() / 19, result = c.output.size() / 19;
  std::fill_n(c.input.begin() + static_cast<std::ptrdiff_t>(4 * image), image, std::numeric_limits<float>::quiet_NaN());
  c.forward(true, false);
  for (std::size_t i = 0; i < c.output.size(); ++i) CHECK(std::isnan(c.output[i]) == (i / result == 4));
}

TEST_CASE_TEMPLATE("conv2d and its gradients equal the definition for stride, padding and dilation", T, float, double) {
  for (const int64_t kernel : {1, 2, 3, 5}) {
    for (const int64_t stride : {1, 2, 3}) {
      for (const int64_t padding : {0, 1, 2, 4}) {
        for (const int64_t dilation : {1, 2, 3}) {
          const int64_t reach = dilation * (kernel - 1) + 1;
          const Size image{reach + 4, reach + 7};
          check<T>({.batch = 2,
                    .in = 2,
                    .out = 3,
                    .image = image,
                    .kernel = {kernel, kernel},
                    .stride = {stride, stride},
                    .padding = {padding, padding},
                    .dilation = {dilation, dilation}});
        }
      }
    }
  }
}

// Scratch memory holds what the taps see, not what lies between them.
TEST_CASE_TEMPLATE("conv2d and its gradients equal the definition for strides, dilation and padding near 2^31", T,
                   float, double) {
  std::mt19937 generator(3);
  const auto one_of = [&](std::initializer_list<int64_t> values) {
    return values.begin()[generator() % values.size()];
  };
  struct Channels {
    int64_t in, out, groups;
  };
  constexpr Channels kChannels[] = {{1, 1, 1}, {3, 7, 1}, {4, 4, 4}, {2, 4, 2}, {2, 70, 1}, {20, 40, 1}, {6, 4, 2}};
  for (int i = 0; i < 400; ++i) {
    const Channels channels = kChannels[generator() % std::size(kChannels)];
    Options o{.batch = one_of({1, 2, 9, 17}), .in = channels.in, .out = channels.out, .groups = channels.groups};
    const auto draw = [&](auto axis) {
      int64_t &size = o.image.*axis, &kernel = o.kernel.*axis, &stride = o.stride.*axis, &dilation = o.dilation.*axis;
      size = one_of({1, 2, 3, 4, 6, 9});
      kernel = one_of({1, 2, 3, 4, 7});
      stride = one_of({1, 1, 2, 3, 4, 6, 1000, int64_t{1} << 28, (int64_t{1} << 28) - 1});
      dilation = one_of({1, 1, 2, 3, 4, 6, 1000, int64_t{1} << 28, (int64_t{1} << 27) + 1});
      const int64_t excess = (one_of({1, 2, 3, 5}) - 1) * stride + dilation * (kernel - 1) + 1 - size;
      o.padding.*axis = std::max<int64_t>(0, (excess + 1) / 2);
    };
    draw(&Size::height);
    draw(&Size::width);
    check<T>(o);
  }
}

TEST_CASE_TEMPLATE("conv2d and its gradients equal the definition where height and width differ", T, float, double) {
  check<T>({.batch = 2,
            .in = 4,
            .out = 5,
            .image = {9, 20},
            .kernel = {3, 1},
            .stride = {1, 2},
            .padding = {2, 0},
            .dilation = {1, 3}});
  check<T>({.batch = 1, .in = 3, .out = 7, .image = {40, 6}, .kernel = {1, 6}, .stride = {3, 1}, .dilation = {2, 1}});
  check<T>({.batch = 3, .in = 2, .out = 2, .image = {1, 50}, .kernel = {1, 7}, .padding = {0, 3}});
  check<T>({.batch = 3, .in = 2, .out = 2, .image = {50, 1}, .kernel = {7, 1}, .padding = {3, 0}});
}

TEST_CASE_TEMPLATE("conv2d and its gradients equal the definition for 1x1 kernels", T, float, double) {
  check<T>({.batch = 2, .in = 70, .out = 33, .image = {7, 9}});
  check<T>({.batch = 2, .in = 8, .out = 96, .image = {24, 28}});   // shallow: more than one chunk of positions
  check<T>({.batch = 1, .in = 16, .out = 300, .image = {8, 10}});  // and of channels
  check<T>({.batch = 1, .in = 3, .out = 70, .image = {1, 7}});
  check<T>({.batch = 2, .in = 12, .out = 160, .image = {5, 16}, .groups = 2});
  check<T>({.batch = 2, .in = 5, .out = 9, .image = {8, 7}, .stride = {2, 2}});
  check<T>({.batch = 2, .in = 5, .out = 9, .image = {8, 7}, .padding = {1, 1}});
  check<T>({.batch = 1, .in = 1, .out = 1});
}

TEST_CASE_TEMPLATE("conv2d and its gradients equal the definition with channels in the lanes", T, float, double) {
  for (const int64_t batch : {1, 5}) {
    check<T>({.batch = batch, .in = 32, .out = 96, .image = {6, 10}, .kernel = {3, 3}, .padding = {1, 1}});
    check<T>({.batch = batch, .in = 33, .out = 71, .image = {5, 11}, .kernel = {3, 2}, .stride = {2, 2}});
  }
  check<T>({.batch = 1, .in = 64, .out = 32, .image = {7, 1}, .kernel = {1, 1}, .groups = 2});
  check<T>({.batch = 1, .in = 40, .out = 32, .image = {60, 60}, .kernel = {1, 2}});  // several strips of rows
}

TEST_CASE_TEMPLATE("conv2d and its gradients equal the definition across cache blocks", T, float, double) {
  check<T>({.batch = 1, .in = 60, .out = 40, .image = {27, 30}, .kernel = {3, 3}, .padding = {1, 1}});
  check<T>({.batch = 5, .in = 130, .out = 270, .image = {7, 7}, .kernel = {3, 3}, .padding = {1, 1}});
  check<T>({.batch = 9, .in = 20, .out = 10, .image = {3, 3}, .kernel = {3, 3}});
  check<T>({.batch = 3, .in = 2, .out = 7, .image = {50, 45}, .kernel = {3, 3}, .padding = {1, 1}});
  check<T>({.batch = 2, .in = 3, .out = 20, .image = {60, 64}, .kernel = {7, 7}, .stride = {2, 2}, .padding = {3, 3}});
}

TEST_CASE_TEMPLATE("conv2d and its gradients equal the definition for groups", T, float, double) {
  for (const int64_t stride : {1, 2}) {
    check<T>({.batch = 2,
              .in = 6,
              .out = 9,
              .image = {8, 11},
              .kernel = {3, 3},
              .stride = {stride, stride},
              .padding = {1, 1},
              .groups = 3});
    for (const int64_t multiplier : {1, 2}) {
      for (const int64_t width : {5, 7, 14, 37}) {
        check<T>({.batch = 2,
                  .in = 5,
                  .out = 5 * multiplier,
                  .image = {9, width},
                  .kernel = {3, 3},
                  .stride = {stride, stride},
                  .padding = {1, 1},
                  .groups = 5});
      }
    }
  }
  check<T>({.batch = 1,
            .in = 3,
            .out = 3,
            .image = {20, 20},
            .kernel = {5, 3},
            .stride = {2, 1},
            .padding = {2, 0},
            .dilation = {1, 2},
            .groups = 3});
}

TEST_CASE_TEMPLATE("depthwise conv2d and its gradients equal the definition at every edge", T, float, double) {
  for (const int64_t kernel : {3, 5}) {
    for (const int64_t stride : {1, 2}) {
      for (const int64_t padding : {0, 1, 2}) {
        for (int64_t size = 1; size <= 20; ++size) {
          const int64_t other = 1 + size * 13 % 20;
          if (std::min(size, other) + 2 * padding < kernel) continue;
          for (const Size image : {Size{size, other}, Size{other, size}}) {
            check<T>({.in = 2,
                      .out = 2,
                      .image = image,
                      .kernel = {kernel, kernel},
                      .stride = {stride, stride},
                      .padding = {padding, padding},
                      .groups = 2});
          }
        }
      }
    }
  }
  check<T>({.in = 2, .out = 4, .image = {31, 67}, .kernel = {3, 3}, .padding = {1, 1}, .groups = 2});
  check<T>({.in = 2, .out = 4, .image = {19, 67}, .kernel = {5, 5}, .stride = {2, 2}, .padding = {4, 4}, .groups = 2});
}

TEST_CASE_TEMPLATE("conv2d's gradients of an empty batch are empty and zero", T, float, double) {
  Convolution<T> c({.batch = 0, .in = 2, .out = 3, .image = {6, 6}, .kernel = {3, 3}});
  c.grad_weight.assign(c.grad_weight.size(), T(1));
  c.forward(true, false);
  c.backward();
  for (const T value : c.grad_weight) CHECK(value == 0);
}

TEST_CASE_TEMPLATE("conv2d's clamp keeps NaN", T, float, double) {
  for (const int64_t groups : {1, 2}) {
    Convolution<T> c({.in = 2, .out = 2, .image = {5, 5}, .kernel = {3, 3}, .groups = groups});
    c.input.assign(c.input.size(), std::numeric_limits<T>::quiet_NaN());
    c.forward(true, true);
    for (const T value : c.output) CHECK(std::isnan(value));
  }
}

TEST_CASE_TEMPLATE("conv2d and its gradients give the same bits for any number of threads", T, float, double) {
  const ThreadsGuard guard(1);
  for (const Options& o :
       {Options{.batch = 16, .in = 6, .out = 16, .image = {14, 14}, .kernel = {5, 5}},
        Options{.batch = 48, .in = 3, .out = 6, .image = {12, 10}, .kernel = {3, 3}, .padding = {1, 1}},
        Options{.batch = 9, .in = 3, .out = 6, .image = {32, 32}, .kernel = {5, 5}},
        Options{.batch = 70, .in = 6, .out = 16, .image = {14, 14}, .kernel = {5, 5}},
        Options{.batch = 1, .in = 40, .out = 50, .image = {28, 28}, .kernel = {3, 3}, .padding = {1, 1}},
        Options{.batch = 1, .in = 56, .out = 40, .image = {56, 56}, .kernel = {3, 3}, .padding = {1, 1}},
        Options{
            .batch = 1, .in = 64, .out = 64, .image = {28, 28}, .kernel = {3, 3}, .stride = {2, 2}, .padding = {1, 1}},
        Options{.batch = 1, .in = 96, .out = 64, .image = {14, 14}, .kernel = {1, 1}},
        Options{.batch = 4,
        .in = 32,
        .out = 32,
        .image = {28, 28},
        .kernel = {3, 3},
        .stride = {2, 2},
        .padding = {1, 1},
        .groups = 32}}) {
    std::vector<Convolution<T>> runs;
    for (const int threads : {1, 2, 3, 4, 5}) {
      teff::set_num_threads(threads);
      Convolution<T>& c = runs.emplace_back(o);
      c.forward(true, true);
      c.backward();
      const auto same = [](const std::vector<T>& a, const std::vector<T>& b) {
        return std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0;
      };
      CHECK(same(c.output, runs[0].output));
      CHECK(same(c.grad_input, runs[0].grad_input));
      CHECK(same(c.grad_weight, runs[0].grad_weight));
    }
  }
}

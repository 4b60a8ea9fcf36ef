// SPDX-License-Identifier: MIT
#include "teff/nn/layers/pooling.h"

#include "teff/engine/ops.h"
#include "teff/nn/text.h"

namespace teff::nn {
namespace {

void check_window(const char* layer, const Pair& kernel_size, const Pair& stride, const Pair& padding) {
  detail::expect_at_least(1, layer, "kernel_size", kernel_size);
  detail::expect_at_least(1, layer, "stride", stride);
  detail::expect_at_least(0, layer, "padding", padding);
  detail::expect(2 * padding.height <= kernel_size.height && 2 * padding.width <= kernel_size.width, layer,
                 "padding of at most half of the kernel",
                 "padding " + detail::int_or_pair(padding) + " and kernel_size " + detail::int_or_pair(kernel_size));
}

std::string window_repr(const Pair& kernel_size, const Pair& stride, const Pair& padding) {
  return "kernel_size=" + detail::int_or_pair(kernel_size) + ", stride=" + detail::int_or_pair(stride) +
         ", padding=" + detail::int_or_pair(padding);
}

}  // namespace

MaxPool2d::MaxPool2d(const Pair& kernel_size, const Pair& stride, const MaxPool2dOptions& options)
    : kernel_size_(kernel_size), stride_(stride), options_(options) {
  check_window("MaxPool2d", kernel_size, stride, options.padding);
  detail::expect_at_least(1, "MaxPool2d", "dilation", options.dilation);
}

Tensor MaxPool2d::forward(const Tensor& input) {
  return max_pool2d(
      input, kernel_size_,
      {.stride = stride_, .padding = options_.padding, .dilation = options_.dilation, .ceil_mode = options_.ceil_mode});
}

std::string MaxPool2d::extra_repr() const {
  return window_repr(kernel_size_, stride_, options_.padding) + ", dilation=" + detail::int_or_pair(options_.dilation) +
         ", ceil_mode=" + detail::python_bool(options_.ceil_mode);
}

AvgPool2d::AvgPool2d(const Pair& kernel_size, const Pair& stride, const AvgPool2dOptions& options)
    : kernel_size_(kernel_size), stride_(stride), options_(options) {
  check_window("AvgPool2d", kernel_size, stride, options.padding);
  detail::expect(options.divisor_override != 0, "AvgPool2d", "divisor_override other than 0", "0");
}

Tensor AvgPool2d::forward(const Tensor& input) {
  return avg_pool2d(input, kernel_size_,
                    {.stride = stride_,
                     .padding = options_.padding,
                     .ceil_mode = options_.ceil_mode,
                     .count_include_pad = options_.count_include_pad,
                     .divisor_override = options_.divisor_override});
}

std::string AvgPool2d::extra_repr() const { return window_repr(kernel_size_, stride_, options_.padding); }

AdaptivePool2d::AdaptivePool2d(const char* layer, std::int64_t output_size)
    : AdaptivePool2d(layer, Pair(output_size, output_size)) {
  square_ = true;
}

AdaptivePool2d::AdaptivePool2d(const char* layer, const Pair& output_size) : output_size_(output_size) {
  detail::expect_at_least(1, layer, "output_size", output_size);
}

std::string AdaptivePool2d::extra_repr() const {
  return "output_size=" + (square_ ? std::to_string(output_size_.height) : to_string(output_size_));
}

Tensor AdaptiveAvgPool2d::forward(const Tensor& input) { return adaptive_avg_pool2d(input, output_size()); }

Tensor AdaptiveMaxPool2d::forward(const Tensor& input) { return adaptive_max_pool2d(input, output_size()); }

}  // namespace teff::nn

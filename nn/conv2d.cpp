// SPDX-License-Identifier: MIT
#include "teff/nn/conv2d.h"

#include "teff/engine/ops.h"
#include "teff/nn/init.h"
#include "teff/nn/text.h"

namespace teff::nn {
namespace {

void check_divisible(const char* name, std::int64_t channels, std::int64_t groups) {
  detail::expect(channels % groups == 0, "Conv2d", std::string(name) + " divisible by groups",
                 std::to_string(channels) + " and " + std::to_string(groups));
}

}  // namespace

Conv2d::Conv2d(std::int64_t in_channels, std::int64_t out_channels, const Pair& kernel_size,
               const Conv2dOptions& options)
    : options_(options) {
  detail::expect_at_least(1, "Conv2d", "in_channels", in_channels);
  detail::expect_at_least(1, "Conv2d", "out_channels", out_channels);
  detail::expect_at_least(1, "Conv2d", "kernel_size", kernel_size);
  detail::expect_at_least(1, "Conv2d", "stride", options.stride);
  detail::expect_at_least(0, "Conv2d", "padding", options.padding);
  detail::expect_at_least(1, "Conv2d", "dilation", options.dilation);
  detail::expect_at_least(1, "Conv2d", "groups", options.groups);
  check_divisible("in_channels", in_channels, options.groups);
  check_divisible("out_channels", out_channels, options.groups);
  weight = empty({out_channels, in_channels / options.groups, kernel_size.height, kernel_size.width});
  if (options.bias) bias = empty({out_channels});
  init::reset_affine_(weight, bias);
}

Tensor Conv2d::forward(const Tensor& input) {
  return conv2d(input, weight, bias,
                {.stride = options_.stride,
                 .padding = options_.padding,
                 .dilation = options_.dilation,
                 .groups = options_.groups});
}

std::string Conv2d::extra_repr() const {
  std::string text = std::to_string(weight.size(1) * options_.groups) + ", " + std::to_string(weight.size(0)) +
                     ", kernel_size=" + to_string(Pair(weight.size(2), weight.size(3))) +
                     ", stride=" + to_string(options_.stride);
  if (options_.padding != Pair(0)) text += ", padding=" + to_string(options_.padding);
  if (options_.dilation != Pair(1)) text += ", dilation=" + to_string(options_.dilation);
  if (options_.groups != 1) text += ", groups=" + std::to_string(options_.groups);
  if (!bias.defined()) text += ", bias=False";
  return text;
}

}  // namespace teff::nn

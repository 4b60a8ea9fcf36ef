// SPDX-License-Identifier: MIT
#include "teff/nn/layers/conv1d.h"

#include "teff/engine/ops.h"
#include "teff/nn/init.h"
#include "teff/nn/text.h"

namespace teff::nn {
namespace {

/// `(3,)`
std::string tuple(std::int64_t value) { return '(' + std::to_string(value) + ",)"; }

}  // namespace

Conv1d::Conv1d(Integer in_channels, Integer out_channels, Integer kernel_size, const Conv1dOptions& options)
    : options_(options) {
  detail::expect_at_least(1, "Conv1d", "in_channels", in_channels);
  detail::expect_at_least(1, "Conv1d", "out_channels", out_channels);
  detail::expect_at_least(1, "Conv1d", "kernel_size", kernel_size);
  detail::expect_at_least(1, "Conv1d", "stride", options.stride);
  detail::expect_at_least(0, "Conv1d", "padding", options.padding);
  detail::expect_at_least(1, "Conv1d", "dilation", options.dilation);
  detail::expect_divisible("Conv1d", "in_channels", in_channels, options.groups);
  detail::expect_divisible("Conv1d", "out_channels", out_channels, options.groups);
  weight = empty({out_channels, in_channels / options.groups, kernel_size});
  if (options.bias) bias = empty({out_channels});
  init::reset_affine_(weight, bias);
}

Tensor Conv1d::forward(const Tensor& input) {
  return conv1d(input, weight, bias,
                {.stride = options_.stride,
                 .padding = options_.padding,
                 .dilation = options_.dilation,
                 .groups = options_.groups});
}

std::string Conv1d::extra_repr() const {
  std::string text = std::to_string(weight.size(1) * options_.groups) + ", " + std::to_string(weight.size(0)) +
                     ", kernel_size=" + tuple(weight.size(2)) + ", stride=" + tuple(options_.stride);
  if (options_.padding != 0) text += ", padding=" + tuple(options_.padding);
  if (options_.dilation != 1) text += ", dilation=" + tuple(options_.dilation);
  if (options_.groups != 1) text += ", groups=" + std::to_string(options_.groups);
  if (!bias.defined()) text += ", bias=False";
  return text;
}

}  // namespace teff::nn

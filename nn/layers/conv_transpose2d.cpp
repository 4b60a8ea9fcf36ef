// SPDX-License-Identifier: MIT
#include "teff/nn/layers/conv_transpose2d.h"

#include "teff/engine/ops.h"
#include "teff/nn/init.h"
#include "teff/nn/text.h"

namespace teff::nn {

ConvTranspose2d::ConvTranspose2d(Integer in_channels, Integer out_channels, const Pair& kernel_size,
                                 const ConvTranspose2dOptions& options)
    : options_(options) {
  constexpr const char* kName = "ConvTranspose2d";
  detail::expect_at_least(1, kName, "in_channels", in_channels);
  detail::expect_at_least(1, kName, "out_channels", out_channels);
  detail::expect_at_least(1, kName, "kernel_size", kernel_size);
  detail::expect_at_least(1, kName, "stride", options.stride);
  detail::expect_at_least(0, kName, "padding", options.padding);
  detail::expect_at_least(0, kName, "output_padding", options.output_padding);
  detail::expect_at_least(1, kName, "dilation", options.dilation);
  detail::expect_divisible(kName, "in_channels", in_channels, options.groups);
  detail::expect_divisible(kName, "out_channels", out_channels, options.groups);
  const auto fits = [](std::int64_t extra, std::int64_t stride, std::int64_t dilation) {
    return extra < stride || extra < dilation;
  };
  detail::expect(fits(options.output_padding.height, options.stride.height, options.dilation.height) &&
                     fits(options.output_padding.width, options.stride.width, options.dilation.width),
                 kName, "output_padding below stride or dilation", detail::int_or_pair(options.output_padding));
  weight = empty({in_channels, out_channels / options.groups, kernel_size.height, kernel_size.width});
  if (options.bias) bias = empty({out_channels});
  init::reset_affine_(weight, bias);
}

Tensor ConvTranspose2d::forward(const Tensor& input) {
  return conv_transpose2d(input, weight, bias,
                          {.stride = options_.stride,
                           .padding = options_.padding,
                           .output_padding = options_.output_padding,
                           .groups = options_.groups,
                           .dilation = options_.dilation});
}

std::string ConvTranspose2d::extra_repr() const {
  std::string text = std::to_string(weight.size(0)) + ", " + std::to_string(weight.size(1) * options_.groups) +
                     ", kernel_size=" + to_string(Pair(weight.size(2), weight.size(3))) +
                     ", stride=" + to_string(options_.stride);
  if (options_.padding != Pair(0)) text += ", padding=" + to_string(options_.padding);
  if (options_.dilation != Pair(1)) text += ", dilation=" + to_string(options_.dilation);
  if (options_.output_padding != Pair(0)) text += ", output_padding=" + to_string(options_.output_padding);
  if (options_.groups != 1) text += ", groups=" + std::to_string(options_.groups);
  if (!bias.defined()) text += ", bias=False";
  return text;
}

}  // namespace teff::nn

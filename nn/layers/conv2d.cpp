// SPDX-License-Identifier: MIT
#include "teff/nn/layers/conv2d.h"

#include "teff/engine/error.h"
#include "teff/engine/ops.h"
#include "teff/nn/init.h"
#include "teff/nn/text.h"

namespace teff::nn {

ConvPadding::ConvPadding(std::string_view word) : kind_(word == "same" ? Kind::same : Kind::valid), pixels_(0) {
  detail::expect(word == "same" || word == "valid", "padding", "\"same\", \"valid\" or pixels", detail::quoted(word));
}

Conv2d::Conv2d(Integer in_channels, Integer out_channels, const Pair& kernel_size, const Conv2dOptions& options)
    : options_(options) {
  detail::expect_at_least(1, "Conv2d", "in_channels", in_channels);
  detail::expect_at_least(1, "Conv2d", "out_channels", out_channels);
  detail::expect_at_least(1, "Conv2d", "kernel_size", kernel_size);
  detail::expect_at_least(1, "Conv2d", "stride", options.stride);
  detail::expect_at_least(0, "Conv2d", "padding", options.padding.pixels());
  detail::expect_at_least(1, "Conv2d", "dilation", options.dilation);
  detail::expect_divisible("Conv2d", "in_channels", in_channels, options.groups);
  detail::expect_divisible("Conv2d", "out_channels", out_channels, options.groups);
  detail::expect(options.padding.kind() != ConvPadding::Kind::same || options.stride == Pair(1), "Conv2d",
                 "stride 1 with padding \"same\"", detail::int_or_pair(options.stride));
  weight = empty({out_channels, in_channels / options.groups, kernel_size.height, kernel_size.width});
  if (options.bias) bias = empty({out_channels});
  init::reset_affine_(weight, bias);
}

/// {left, right, top, bottom}
IntList Conv2d::sides() const {
  if (options_.padding.kind() != ConvPadding::Kind::same) {
    const Pair& pixels = options_.padding.pixels();
    return {pixels.width, pixels.width, pixels.height, pixels.height};
  }
  const std::int64_t width = options_.dilation.width * (weight.size(3) - 1);
  const std::int64_t height = options_.dilation.height * (weight.size(2) - 1);
  return {width / 2, width - width / 2, height / 2, height - height / 2};
}

Tensor Conv2d::forward(const Tensor& input) {
  const IntList around = sides();
  const bool direct = options_.padding_mode == PadMode::constant && around[0] == around[1] && around[2] == around[3];
  return conv2d(direct ? input : pad(input, around, options_.padding_mode), weight, bias,
                {.stride = options_.stride,
                 .padding = direct ? Pair(around[2], around[0]) : Pair(0),
                 .dilation = options_.dilation,
                 .groups = options_.groups});
}

std::string Conv2d::extra_repr() const {
  std::string text = std::to_string(weight.size(1) * options_.groups) + ", " + std::to_string(weight.size(0)) +
                     ", kernel_size=" + to_string(Pair(weight.size(2), weight.size(3))) +
                     ", stride=" + to_string(options_.stride);
  const ConvPadding& padding = options_.padding;
  if (padding.kind() != ConvPadding::Kind::pixels) {
    text += padding.kind() == ConvPadding::Kind::same ? ", padding=same" : ", padding=valid";
  } else if (padding.pixels() != Pair(0)) {
    text += ", padding=" + to_string(padding.pixels());
  }
  if (options_.dilation != Pair(1)) text += ", dilation=" + to_string(options_.dilation);
  if (options_.groups != 1) text += ", groups=" + std::to_string(options_.groups);
  if (!bias.defined()) text += ", bias=False";
  if (options_.padding_mode != PadMode::constant) {
    text += ", padding_mode=" + std::string(to_string(options_.padding_mode));
  }
  return text;
}

}  // namespace teff::nn

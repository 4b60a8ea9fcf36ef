// SPDX-License-Identifier: MIT
#include "teff/nn/layers/conv2d.h"

#include "teff/engine/ops.h"
#include "teff/nn/init.h"
#include "teff/nn/layers/conv_parts.h"

namespace teff::nn {
namespace {

IntList both(const Pair& pair) { return {pair.height, pair.width}; }

detail::ConvSizes sizes_of(const IntList& kernel_size, const Conv2dOptions& options) {
  return {.kernel_size = kernel_size,
          .stride = both(options.stride),
          .padding = both(options.padding.pixels()),
          .output_padding = {},
          .dilation = both(options.dilation),
          .groups = options.groups,
          .padding_kind = options.padding.kind(),
          .padding_mode = options.padding_mode};
}

}  // namespace

Conv2d::Conv2d(Integer in_channels, Integer out_channels, const Pair& kernel_size, const Conv2dOptions& options)
    : options_(options) {
  detail::check_conv("Conv2d", in_channels, out_channels, sizes_of(both(kernel_size), options));
  weight = empty({out_channels, in_channels / options.groups, kernel_size.height, kernel_size.width});
  if (options.bias) bias = empty({out_channels});
  init::reset_affine_(weight, bias);
}

detail::ConvSizes Conv2d::sizes() const { return sizes_of(detail::kernel_of(weight), options_); }

Tensor Conv2d::forward(const Tensor& input) {
  const auto [before, itself] = detail::padding_parts(sizes());
  return conv2d(before.empty() ? input : pad(input, before, options_.padding_mode), weight, bias,
                {.stride = options_.stride,
                 .padding = {itself[0], itself[1]},
                 .dilation = options_.dilation,
                 .groups = options_.groups});
}

std::string Conv2d::extra_repr() const { return detail::conv_repr(weight, bias.defined(), false, sizes()); }

}  // namespace teff::nn

// SPDX-License-Identifier: MIT
#include "teff/nn/layers/conv3d.h"

#include "teff/engine/ops.h"
#include "teff/nn/init.h"
#include "teff/nn/layers/conv_parts.h"

namespace teff::nn {
namespace {

IntList all(const Triple& triple) { return {triple.depth, triple.height, triple.width}; }

detail::ConvSizes sizes_of(const IntList& kernel_size, const Conv3dOptions& options) {
  return {.kernel_size = kernel_size,
          .stride = all(options.stride),
          .padding = all(options.padding.pixels()),
          .output_padding = {},
          .dilation = all(options.dilation),
          .groups = options.groups,
          .padding_kind = options.padding.kind(),
          .padding_mode = options.padding_mode};
}

}  // namespace

Conv3d::Conv3d(Integer in_channels, Integer out_channels, const Triple& kernel_size, const Conv3dOptions& options)
    : options_(options) {
  detail::check_conv("Conv3d", in_channels, out_channels, sizes_of(all(kernel_size), options));
  weight =
      empty({out_channels, in_channels / options.groups, kernel_size.depth, kernel_size.height, kernel_size.width});
  if (options.bias) bias = empty({out_channels});
  init::reset_affine_(weight, bias);
}

detail::ConvSizes Conv3d::sizes() const { return sizes_of(detail::kernel_of(weight), options_); }

Tensor Conv3d::forward(const Tensor& input) {
  const auto [before, itself] = detail::padding_parts(sizes());
  return conv3d(before.empty() ? input : pad(input, before, options_.padding_mode), weight, bias,
                {.stride = options_.stride,
                 .padding = {itself[0], itself[1], itself[2]},
                 .dilation = options_.dilation,
                 .groups = options_.groups});
}

std::string Conv3d::extra_repr() const { return detail::conv_repr(weight, bias.defined(), false, sizes()); }

}  // namespace teff::nn

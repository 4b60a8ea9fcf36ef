// SPDX-License-Identifier: MIT
#include "teff/nn/layers/conv_transpose2d.h"

#include "teff/engine/ops.h"
#include "teff/nn/init.h"
#include "teff/nn/layers/conv_parts.h"

namespace teff::nn {
namespace {

IntList height_and_width(const Pair& pair) { return {pair.height, pair.width}; }

detail::ConvSizes sizes_of(const IntList& kernel_size, const ConvTranspose2dOptions& options) {
  return {.kernel_size = kernel_size,
          .stride = height_and_width(options.stride),
          .padding = height_and_width(options.padding),
          .output_padding = height_and_width(options.output_padding),
          .dilation = height_and_width(options.dilation),
          .groups = options.groups};
}

}  // namespace

ConvTranspose2d::ConvTranspose2d(Integer in_channels, Integer out_channels, const Pair& kernel_size,
                                 const ConvTranspose2dOptions& options)
    : options_(options) {
  detail::check_conv("ConvTranspose2d", in_channels, out_channels, sizes_of(height_and_width(kernel_size), options));
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
  return detail::conv_repr(weight, bias.defined(), true, sizes_of(detail::kernel_of(weight), options_));
}

}  // namespace teff::nn

// SPDX-License-Identifier: MIT
#include "teff/nn/layers/conv_transpose3d.h"

#include "teff/engine/ops.h"
#include "teff/nn/init.h"
#include "teff/nn/layers/conv_parts.h"

namespace teff::nn {
namespace {

IntList all(const Triple& triple) { return {triple.depth, triple.height, triple.width}; }

detail::ConvSizes sizes_of(const IntList& kernel_size, const ConvTranspose3dOptions& options) {
  return {.kernel_size = kernel_size,
          .stride = all(options.stride),
          .padding = all(options.padding),
          .output_padding = all(options.output_padding),
          .dilation = all(options.dilation),
          .groups = options.groups};
}

}  // namespace

ConvTranspose3d::ConvTranspose3d(Integer in_channels, Integer out_channels, const Triple& kernel_size,
                                 const ConvTranspose3dOptions& options)
    : options_(options) {
  detail::check_conv("ConvTranspose3d", in_channels, out_channels, sizes_of(all(kernel_size), options));
  weight =
      empty({in_channels, out_channels / options.groups, kernel_size.depth, kernel_size.height, kernel_size.width});
  if (options.bias) bias = empty({out_channels});
  init::reset_affine_(weight, bias);
}

Tensor ConvTranspose3d::forward(const Tensor& input) {
  return conv_transpose3d(input, weight, bias,
                          {.stride = options_.stride,
                           .padding = options_.padding,
                           .output_padding = options_.output_padding,
                           .groups = options_.groups,
                           .dilation = options_.dilation});
}

std::string ConvTranspose3d::extra_repr() const {
  return detail::conv_repr(weight, bias.defined(), true, sizes_of(detail::kernel_of(weight), options_));
}

}  // namespace teff::nn

// SPDX-License-Identifier: MIT
#include "teff/nn/layers/conv_transpose1d.h"

#include "teff/engine/ops.h"
#include "teff/nn/init.h"
#include "teff/nn/layers/conv_parts.h"

namespace teff::nn {
namespace {

detail::ConvSizes sizes_of(const IntList& kernel_size, const ConvTranspose1dOptions& options) {
  return {.kernel_size = kernel_size,
          .stride = options.stride,
          .padding = options.padding,
          .output_padding = options.output_padding,
          .dilation = options.dilation,
          .groups = options.groups};
}

}  // namespace

ConvTranspose1d::ConvTranspose1d(Integer in_channels, Integer out_channels, Integer kernel_size,
                                 const ConvTranspose1dOptions& options)
    : options_(options) {
  detail::check_conv("ConvTranspose1d", in_channels, out_channels, sizes_of({kernel_size}, options));
  weight = empty({in_channels, out_channels / options.groups, kernel_size});
  if (options.bias) bias = empty({out_channels});
  init::reset_affine_(weight, bias);
}

Tensor ConvTranspose1d::forward(const Tensor& input) {
  return conv_transpose1d(input, weight, bias,
                          {.stride = options_.stride,
                           .padding = options_.padding,
                           .output_padding = options_.output_padding,
                           .groups = options_.groups,
                           .dilation = options_.dilation});
}

std::string ConvTranspose1d::extra_repr() const {
  return detail::conv_repr(weight, bias.defined(), true, sizes_of(detail::kernel_of(weight), options_));
}

}  // namespace teff::nn

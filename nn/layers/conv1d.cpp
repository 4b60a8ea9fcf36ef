// SPDX-License-Identifier: MIT
#include "teff/nn/layers/conv1d.h"

#include "teff/engine/ops.h"
#include "teff/nn/init.h"
#include "teff/nn/layers/conv_parts.h"

namespace teff::nn {
namespace {

detail::ConvSizes sizes_of(const IntList& kernel_size, const Conv1dOptions& options) {
  return {.kernel_size = kernel_size,
          .stride = options.stride,
          .padding = options.padding.pixels(),
          .output_padding = {},
          .dilation = options.dilation,
          .groups = options.groups,
          .padding_kind = options.padding.kind(),
          .padding_mode = options.padding_mode};
}

}  // namespace

Conv1d::Conv1d(Integer in_channels, Integer out_channels, Integer kernel_size, const Conv1dOptions& options)
    : options_(options) {
  detail::check_conv("Conv1d", in_channels, out_channels, sizes_of({kernel_size}, options));
  weight = empty({out_channels, in_channels / options.groups, kernel_size});
  if (options.bias) bias = empty({out_channels});
  init::reset_affine_(weight, bias);
}

detail::ConvSizes Conv1d::sizes() const { return sizes_of(detail::kernel_of(weight), options_); }

Tensor Conv1d::forward(const Tensor& input) {
  const auto [before, itself] = detail::padding_parts(sizes());
  return conv1d(
      before.empty() ? input : pad(input, before, options_.padding_mode), weight, bias,
      {.stride = options_.stride, .padding = itself[0], .dilation = options_.dilation, .groups = options_.groups});
}

std::string Conv1d::extra_repr() const { return detail::conv_repr(weight, bias.defined(), false, sizes()); }

}  // namespace teff::nn

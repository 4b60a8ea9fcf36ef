// SPDX-License-Identifier: MIT
#pragma once

// Private: what the layers of convolution share. Lists have one value for each dimension of the images, as the kernel.

#include "teff/nn/layers/conv2d.h"

namespace teff::nn::detail {

struct ConvSizes {
  IntList kernel_size, stride, padding, output_padding, dilation;
  std::int64_t groups = 1;
  PaddingKind padding_kind = PaddingKind::pixels;
  PadMode padding_mode = PadMode::constant;
};

/// The sides of a kernel among the dimensions of a weight [.., .., k...].
IntList kernel_of(const Tensor& weight);

void check_conv(const char* layer, std::int64_t in_channels, std::int64_t out_channels, const ConvSizes& sizes);

/// Padding of a convolution: what is put around its images before, as pad takes it, empty for nothing; and what it adds
/// itself, by dimension.
struct PaddingParts {
  IntList before, itself;
};
PaddingParts padding_parts(const ConvSizes& sizes);

/// What a layer prints; transposed ones call the sides of the weight the other way round.
std::string conv_repr(const Tensor& weight, bool has_bias, bool transposed, const ConvSizes& sizes);

}  // namespace teff::nn::detail

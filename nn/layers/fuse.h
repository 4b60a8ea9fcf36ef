// SPDX-License-Identifier: MIT
#pragma once

#include "teff/nn/layers/batch_norm.h"
#include "teff/nn/module.h"

namespace TEFF_EXPORT teff {
namespace nn {
namespace detail {
struct FusedParameters {
  Tensor weight, bias;
};
FusedParameters fuse(const Module& layer, const Tensor& weight, const Tensor& bias, const BatchNorm& norm);
}  // namespace detail

/// A convolution (Conv1d, Conv2d, Conv3d), or a Linear, that does what it and then the batch norm do in evaluation
/// mode: torch.nn.utils.fusion.fuse_conv_bn_eval. (An InferenceSession does so by itself.)
/// @throws ValueError unless both are in evaluation mode and the norm has running statistics.
template <class Layer>
Layer fuse_conv_bn_eval(const Layer& layer, const BatchNorm& norm) {
  const detail::FusedParameters fused = detail::fuse(layer, layer.weight, layer.bias, norm);
  Layer result = layer;
  result.weight = Parameter(fused.weight);
  result.bias = Parameter(fused.bias);
  return result;
}

}  // namespace nn
}  // namespace teff

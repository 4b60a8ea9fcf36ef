// SPDX-License-Identifier: MIT
#include "teff/nn/layers/fuse.h"

#include "teff/engine/modes.h"
#include "teff/engine/ops.h"
#include "teff/nn/text.h"

namespace teff::nn::detail {

/// w * s and (b - mean) * s + shift, with s = scale / sqrt(var + eps)
FusedParameters fuse(const Module& layer, const Tensor& weight, const Tensor& bias, const BatchNorm& norm) {
  expect(!layer.is_training() && !norm.is_training(), "fuse_conv_bn_eval", "layers in evaluation mode",
         "one in training mode");
  expect(norm.running_mean.defined(), "fuse_conv_bn_eval", "a batch norm with running statistics", "one without");
  const NoGradGuard no_grad;
  Tensor scale = 1.0 / sqrt(norm.running_var + norm.options().eps);
  if (norm.weight.defined()) scale = scale * norm.weight;
  Shape rows = weight.shape();
  for (std::size_t i = 1; i < rows.size(); ++i) rows[i] = 1;
  Tensor shift = (bias.defined() ? bias - norm.running_mean : neg(norm.running_mean)) * scale;
  if (norm.bias.defined()) shift = shift + norm.bias;
  return {weight * scale.view(rows), shift};
}

}  // namespace teff::nn::detail

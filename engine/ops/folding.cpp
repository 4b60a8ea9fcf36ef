// SPDX-License-Identifier: MIT
#include "teff/engine/ops/folding.h"

#include "teff/engine/ops.h"

namespace teff::ops {

TensorList fold(const ChannelAffine& next, std::span<const Tensor> constants, const WeightLayout& layout) {
  for (const Tensor& constant : constants.subspan(1)) {
    if (!constant.defined()) return {};
  }
  const Tensor& weight = constants[1];
  const Tensor scaled = weight.to(DType::float64).view(layout.weight) * next.scale.view(layout.scale);
  Tensor bias = next.shift;
  if (constants.size() == 3) bias = bias + next.scale * constants[2].to(DType::float64);
  return {scaled.view(weight.shape()).to(weight.dtype()), bias.to(weight.dtype())};
}

}  // namespace teff::ops

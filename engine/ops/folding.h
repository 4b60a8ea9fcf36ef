// SPDX-License-Identifier: MIT
#pragma once

// Private: what operations with a weight and a bias do with the operation after them.

#include <span>

#include "teff/engine/op.h"

namespace teff::ops {

/// The weight seen under `weight`, in which `scale` is the shape of what belongs to the channels of the result.
struct WeightLayout {
  Shape weight, scale;
};

/// With y(weight, bias) = weight * x + bias the inputs after x for next(y): scale * weight and scale * bias + shift,
/// rounded once. `constants`: x, weight and, if there is one, bias. Empty unless weight and bias are known.
TensorList fold(const ChannelAffine& next, std::span<const Tensor> constants, const WeightLayout& layout);

}  // namespace teff::ops

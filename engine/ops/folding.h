// SPDX-License-Identifier: MIT
#pragma once

// Private: what operations with a weight and a bias do with the operation after them.

#include <cstdint>
#include <span>

#include "teff/engine/op.h"

namespace teff::ops {

/// The weight seen as [groups, rows, channels, inner]: its elements at [g, :, c, :] make channel g * channels + c of
/// the result.
struct WeightLayout {
  std::int64_t groups, rows, channels, inner;
};

/// With y(weight, bias) = weight * x + bias the inputs after x for next(y): scale * weight and scale * bias + shift,
/// rounded once. `constants`: x, weight and, if there is one, bias. Empty unless weight and bias are known.
TensorList fold(const ChannelAffine& next, std::span<const Tensor> constants, const WeightLayout& layout);

}  // namespace teff::ops

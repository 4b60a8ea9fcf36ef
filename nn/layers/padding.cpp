// SPDX-License-Identifier: MIT
#include "teff/nn/layers/padding.h"

#include "teff/engine/error.h"

namespace teff::nn {

Tensor Pad2d::forward(const Tensor& input) {
  if (input.dim() != 4) {
    throw ShapeError(type_name() + ": expected input [N, C, H, W], got " + to_string(input.shape()));
  }
  return pad(input, {sizes_.left, sizes_.right, sizes_.top, sizes_.bottom}, mode_);
}

std::string Pad2d::extra_repr() const {
  return '(' + std::to_string(sizes_.left) + ", " + std::to_string(sizes_.right) + ", " + std::to_string(sizes_.top) +
         ", " + std::to_string(sizes_.bottom) + ')';
}

}  // namespace teff::nn

// SPDX-License-Identifier: MIT
#pragma once

// Private: what begins a step.

#include "teff/engine/ops.h"

namespace teff::optim::detail {

/// (maximize ? -grad : grad) + weight_decay * parameter
inline Tensor gradient_of(const Tensor& parameter, const Tensor& grad, double weight_decay, bool maximize = false) {
  const Tensor g = maximize ? neg(grad) : grad;
  return weight_decay == 0 ? g : g + parameter * weight_decay;
}

/// mean = beta * mean + (1 - beta) * value
inline void average_(const Tensor& mean, const Tensor& value, double beta) { mean.mul_(beta).add_(value, 1 - beta); }

}  // namespace teff::optim::detail

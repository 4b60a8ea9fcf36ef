// SPDX-License-Identifier: MIT
#pragma once

#include "teff/engine/tensor.h"

// The arithmetic of optimisers: parameters change in place, in one pass over memory, and nothing is recorded.

namespace teff {

/// See sgd_step_.
struct SgdStep {
  double lr = 0;
  double momentum = 0;
  double dampening = 0;
  double weight_decay = 0;
  bool nesterov = false;
  bool maximize = false;
  bool first_step = false;  // the momentum buffer is written, not read
};

/// One step of stochastic gradient descent, in the parameter's dtype:
///
///   g = (maximize ? -grad : grad) + weight_decay * p
///   if momentum != 0:
///     b = first_step ? g : momentum * b + (1 - dampening) * g
///     g = nesterov ? g + momentum * b : b
///   p = p - lr * g
///
/// @throws TypeError unless all are float32 or all float64; ShapeError unless all have the parameter's shape, the
/// buffer only where momentum is not 0 (it may be undefined otherwise); Error while a graph is captured.
void sgd_step_(const Tensor& parameter, const Tensor& grad, const Tensor& momentum_buffer, const SgdStep& step);

}  // namespace teff

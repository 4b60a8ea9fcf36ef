// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "teff/engine/tensor.h"

// The arithmetic of optimisers: parameters change in place, in one pass over memory, and nothing is recorded.
//
// All throw TypeError unless all tensors are float32 or all float64, ShapeError unless all have the parameter's shape,
// ValueError for a step count below 1, and Error while a graph is captured.

namespace TEFF_EXPORT teff {

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
/// The buffer may be undefined where momentum is 0.
void sgd_step_(const Tensor& parameter, const Tensor& grad, const Tensor& momentum_buffer, const SgdStep& step);

/// See adam_step_.
struct AdamStep {
  std::int64_t t = 1;  // this step's number, from 1 on
  double lr = 0;
  double beta1 = 0;
  double beta2 = 0;
  double eps = 0;
  double weight_decay = 0;
  bool decoupled = false;  // the weight decay of AdamW
  bool maximize = false;
};

struct AdamState {
  Tensor exp_avg = {};         // m
  Tensor exp_avg_sq = {};      // v
  Tensor max_exp_avg_sq = {};  // w: undefined without AMSGrad
};

/// One step of Adam (Kingma and Ba, 2015), AMSGrad (Reddi et al., 2018) or AdamW (Loshchilov and Hutter, 2019):
///
///   g = (maximize ? -grad : grad) + (decoupled ? 0 : weight_decay * p)
///   p = decoupled ? (1 - lr * weight_decay) * p : p
///   m = beta1 * m + (1 - beta1) * g
///   v = beta2 * v + (1 - beta2) * g^2
///   w = max(w, v), or v
///   p = p - lr / (1 - beta1^t) * m / (sqrt(w) / sqrt(1 - beta2^t) + eps)
void adam_step_(const Tensor& parameter, const Tensor& grad, const AdamState& state, const AdamStep& step);

/// See rmsprop_step_.
struct RmspropStep {
  double lr = 0;
  double alpha = 0;
  double eps = 0;
  double weight_decay = 0;
  double momentum = 0;
  bool maximize = false;
};

struct RmspropState {
  Tensor square_avg = {};       // v
  Tensor grad_avg = {};         // a: undefined unless centered
  Tensor momentum_buffer = {};  // b: undefined where momentum is 0
};

/// One step of RMSprop (Hinton's lecture 6; centered: Graves, 2013):
///
///   g = (maximize ? -grad : grad) + weight_decay * p
///   v = alpha * v + (1 - alpha) * g^2
///   a = alpha * a + (1 - alpha) * g
///   r = sqrt(v - a^2) + eps, or sqrt(v) + eps
///   if momentum != 0:  b = momentum * b + g / r;  p = p - lr * b
///   else:              p = p - lr * g / r
void rmsprop_step_(const Tensor& parameter, const Tensor& grad, const RmspropState& state, const RmspropStep& step);

/// See adagrad_step_.
struct AdagradStep {
  std::int64_t t = 1;  // this step's number, from 1 on
  double lr = 0;
  double lr_decay = 0;
  double eps = 0;
  double weight_decay = 0;
  bool maximize = false;
};

/// One step of Adagrad (Duchi et al., 2011):
///
///   g = (maximize ? -grad : grad) + weight_decay * p
///   s = s + g^2
///   p = p - lr / (1 + (t - 1) * lr_decay) * g / (sqrt(s) + eps)
void adagrad_step_(const Tensor& parameter, const Tensor& grad, const Tensor& sum, const AdagradStep& step);

}  // namespace teff

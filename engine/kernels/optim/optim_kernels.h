// SPDX-License-Identifier: MIT
#pragma once

// One step of an optimiser on one parameter of n values: see optim_steps.h for the formulas. The factors are what is
// left of a step's options when all that does not depend on a value has been computed.

#include <cstdint>

namespace teff::kernels {

using std::int64_t;

struct SgdFactors {
  double lr, momentum, dampening, weight_decay;
  bool nesterov, maximize, first_step;  // first_step: momentum_buffer is written, not read
};

/// sgd.cpp
template <class T>
struct SgdKernels {
  /// p -= lr * update, in one pass; momentum_buffer may be null if momentum is 0.
  void (*sgd_step)(const SgdFactors&, int64_t n, const T* grad, T* momentum_buffer, T* parameter);
};
template <class T>
const SgdKernels<T>& sgd_kernels();

struct AdamFactors {
  double step_size;        // lr / (1 - beta1^t)
  double root_correction;  // sqrt(1 - beta2^t)
  double beta1, beta2, eps;
  double weight_decay;  // added to the gradient
  double shrink;        // the factor of decoupled weight decay: 1 - lr * weight_decay
  bool maximize;
};
struct RmspropFactors {
  double lr, alpha, eps, weight_decay, momentum;
  bool maximize;
};
struct AdagradFactors {
  double lr, eps, weight_decay;  // lr after its decay
  bool maximize;
};

/// adam.cpp: the optimisers with a step size of its own for each value.
template <class T>
struct AdamKernels {
  /// max_exp_avg_sq is null unless its square root is to be divided by (AMSGrad).
  void (*adam_step)(const AdamFactors&, int64_t n, const T* grad, T* exp_avg, T* exp_avg_sq, T* max_exp_avg_sq,
                    T* parameter);
  /// grad_avg is null unless centered, momentum_buffer if momentum is 0.
  void (*rmsprop_step)(const RmspropFactors&, int64_t n, const T* grad, T* square_avg, T* grad_avg, T* momentum_buffer,
                       T* parameter);
  void (*adagrad_step)(const AdagradFactors&, int64_t n, const T* grad, T* sum, T* parameter);
};
template <class T>
const AdamKernels<T>& adam_kernels();

}  // namespace teff::kernels

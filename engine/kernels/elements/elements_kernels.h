// SPDX-License-Identifier: MIT
#pragma once

// What operations see of the kernels that work value by value. How such a header is used and grows:
// engine/kernels/README.md.

#include <cstdint>

namespace teff::kernels {

using std::int64_t;

enum class Unary { relu, leaky_relu, sigmoid, tanh, exp, log, sqrt, abs, neg, clamp, pow };
// prelu: a > 0 ? a : a * b; prelu_slope, its derivative with respect to a: a > 0 ? 1 : b
enum class Binary { add, sub, mul, div, maximum, minimum, pow, prelu, prelu_slope };

/// elementwise.cpp
template <class T>
struct ElementwiseKernels {
  /// y = op(x), n values. a, b: leaky_relu slope, clamp bounds, pow exponent. x and y may be the same array.
  void (*unary)(Unary, int64_t n, T a, T b, const T* x, T* y);
  /// dx = dy * op'(x). y = op(x). Only what the operation's derivative needs is read: x for log, abs, pow, clamp,
  /// leaky_relu; y for relu, sigmoid, tanh, exp, sqrt; neither for neg. The other may be null. grad_x may be grad.
  void (*unary_backward)(Unary, int64_t n, T a, T b, const T* grad, const T* x, const T* y, T* grad_x);
  /// out[i] = a[i * a_step] op b[i * b_step], steps 0 or 1. out may be a or b if their step is 1.
  void (*binary)(Binary, int64_t n, const T* a, int a_step, const T* b, int b_step, T* out);
  /// y += alpha * x
  void (*axpy)(int64_t n, T alpha, const T* x, T* y);
};
template <class T>
const ElementwiseKernels<T>& elementwise_kernels();

enum class Activation { hardtanh, elu, gelu, gelu_tanh, silu, hardswish, hardsigmoid, softplus };

/// activation.cpp
template <class T>
struct ActivationKernels {
  /// y = op(x) and dx = dy * op'(x). a, b: hardtanh bounds, elu alpha, softplus beta and threshold. x and y may be the
  /// same array, and so may grad and grad_x.
  void (*activation)(Activation, int64_t n, T a, T b, const T* x, T* y);
  void (*activation_backward)(Activation, int64_t n, T a, T b, const T* grad, const T* x, T* grad_x);
};
template <class T>
const ActivationKernels<T>& activation_kernels();

enum class PairLoss { mse, l1, smooth_l1, huber, bce, bce_with_logits, kl_div, kl_div_log_target };

/// pair_loss.cpp
template <class T>
struct PairLossKernels {
  /// loss[i] of x[i] and target[i]. parameter: beta of smooth_l1, delta of huber.
  void (*pair_loss)(PairLoss, int64_t n, T parameter, const T* x, const T* target, T* loss);
  /// grad_x[i] = grad[i * grad_step] * scale * d loss / d x, likewise grad_target; each may be null.
  void (*pair_loss_backward)(PairLoss, int64_t n, T parameter, const T* grad, int grad_step, T scale, const T* x,
                             const T* target, T* grad_x, T* grad_target);
};
template <class T>
const PairLossKernels<T>& pair_loss_kernels();

}  // namespace teff::kernels

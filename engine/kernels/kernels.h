// SPDX-License-Identifier: MIT
#pragma once

// The private interface between operations and the loops that do the work. Kernels see plain pointers and sizes:
// every array is contiguous and row-major, every size was checked by the operation. All sources of this folder but
// dispatch.cpp are compiled once per instruction set, each time in a namespace of its own, and table<T>() gives the
// functions of the best set that the machine has (or of the one that the environment variable TEFF_ISA names).
//
// Kernels use parallel_for from teff/engine/parallel.h where the work is worth it, split by the problem alone: every
// result has the same bits for any number of threads. They allocate through Workspace (workspace.h), never by new.

#include <cstdint>

namespace teff::kernels {

using std::int64_t;

/// What results are clamped to at last: min(max(x, low), high), NaN stays NaN. By default they stay what they are;
/// {.low = 0} is relu.
template <class T>
struct Clamp {
  T low = -T(__builtin_huge_val());
  T high = T(__builtin_huge_val());
};

/// C[m, n] = op(A)[m, k] * op(B)[k, n], plus what the flags say. Leading dimensions count elements between rows of
/// the arrays as stored: A is [m, k] or, transposed, [k, m].
template <class T>
struct Gemm {
  int64_t m, n, k;
  const T* a;
  int64_t lda;
  bool transpose_a;
  const T* b;
  int64_t ldb;
  bool transpose_b;
  T* c;
  int64_t ldc;
  bool accumulate = false;         // C += instead of C =
  const T* row_bias = nullptr;     // [m], added to every column
  const T* column_bias = nullptr;  // [n], added to every row
  Clamp<T> clamp = {};
};

/// A two-dimensional window over images: convolution and pooling. Output sizes were computed by the operation.
struct Window2d {
  int64_t batch, channels, height, width;  // input [N, C, H, W]
  int64_t out_channels;                    // output [N, K, Ho, Wo]; pooling: K = C
  int64_t out_height, out_width;
  int64_t kernel_height, kernel_width;
  int64_t stride_height, stride_width;
  int64_t padding_height, padding_width;  // zeros on both sides; pooling: values that do not count
  int64_t dilation_height, dilation_width;
  int64_t groups;         // weight [K, C / groups, kh, kw]
  bool winograd = false;  // convolution: Winograd's method is allowed where it is faster
};

enum class Unary { relu, leaky_relu, sigmoid, tanh, exp, log, sqrt, abs, neg, clamp, pow };
enum class Activation { hardtanh, elu, gelu, gelu_tanh, silu, hardswish, hardsigmoid, softplus };
// prelu: a > 0 ? a : a * b; prelu_slope, its derivative with respect to a: a > 0 ? 1 : b
enum class Binary { add, sub, mul, div, maximum, minimum, pow, prelu, prelu_slope };
enum class PairLoss { mse, l1, smooth_l1, huber, bce, bce_with_logits, kl_div, kl_div_log_target };

/// Batch normalisation over all but the channels of x [N, C, S]; every per-channel array is [C].
template <class T>
struct BatchNorm {
  int64_t batch, channels, spatial;
  const T* weight;  // gamma, or null for ones
  const T* bias;    // beta, or null for zeros
};

/// Rows of [channels, spatial] values, each normalised by itself. Row r has the channels from r % groups * channels on
/// of weight and bias [groups * channels]; null for ones and zeros. Layer norm: groups = spatial = 1.
template <class T>
struct GroupNorm {
  int64_t rows, groups, channels, spatial;
  const T* weight;
  const T* bias;
};

/// Adaptive pooling: the window of output i of n is [i * size / n rounded down, (i + 1) * size / n rounded up).
struct AdaptivePool2d {
  int64_t planes, height, width;  // input
  int64_t out_height, out_width;
};

/// Where the values of a resized axis come from:
/// out[i] = (1 - part[i]) * in[first[i]] + part[i] * in[second[i]], or in[first[i]] alone if second and part are null.
template <class T>
struct ResizedAxis {
  int64_t size, out_size;
  const int64_t* first;
  const int64_t* second;
  const T* part;
};
/// Both axes of [planes, height, width] resized: both have a part, or neither.
template <class T>
struct Resize2d {
  int64_t planes;
  ResizedAxis<T> rows, columns;
};

/// One step of an optimiser on one parameter of n values: see optim_steps.h for the formulas.
struct SgdStep {
  double lr, momentum, dampening, weight_decay;
  bool nesterov, maximize, first_step;  // first_step: momentum_buffer is written, not read
};
struct AdamStep {
  double step_size;        // lr / (1 - beta1^t)
  double root_correction;  // sqrt(1 - beta2^t)
  double beta1, beta2, eps;
  double weight_decay;  // added to the gradient
  double shrink;        // the factor of decoupled weight decay: 1 - lr * weight_decay
  bool maximize;
};
struct RmspropStep {
  double lr, alpha, eps, weight_decay, momentum;
  bool maximize;
};
struct AdagradStep {
  double lr, eps, weight_decay;  // lr after its decay
  bool maximize;
};

template <class T>
struct Table {
  void (*gemm)(const Gemm<T>&);

  /// y = conv(x, w) + bias, clamped; bias [K] may be null.
  void (*conv2d)(const Window2d&, const T* input, const T* weight, const T* bias, const Clamp<T>&, T* output);
  /// The same in two steps, for weights that serve many times: how many values the packed weight has (0: there is
  /// nothing to gain, use conv2d), packing it, and the convolution with it. The windows of the three must be equal.
  int64_t (*conv2d_packed_size)(const Window2d&);
  void (*conv2d_pack)(const Window2d&, const T* weight, T* packed);
  void (*conv2d_packed)(const Window2d&, const T* input, const T* packed, const T* bias, const Clamp<T>&, T* output);
  /// dX = conv_transpose(dY, w)
  void (*conv2d_backward_input)(const Window2d&, const T* grad_output, const T* weight, T* grad_input);
  /// dW = sum over the batch of dY * cols(X)^T
  void (*conv2d_backward_weight)(const Window2d&, const T* grad_output, const T* input, T* grad_weight);
  /// y[c] = sum over n and s of x[n, c, s]: the gradient of a bias. The order of the sum is fixed.
  void (*sum_per_channel)(int64_t batch, int64_t channels, int64_t spatial, const T* x, T* y);

  /// Maximum over each window; NaN wins, as in PyTorch. indices, if not null, gets the place of the first maximum in
  /// its [H, W] plane.
  void (*max_pool2d)(const Window2d&, const T* input, T* output, int64_t* indices);
  void (*max_pool2d_backward)(const Window2d&, const T* grad_output, const int64_t* indices, T* grad_input);
  /// The same from the input instead of the indices, for windows of 2 by 2 that lie side by side without padding.
  void (*max_pool2d_tiles_backward)(const Window2d&, const T* grad_output, const T* input, T* grad_input);
  /// Mean over each window. The divisor is divisor_override if that is not 0, else the window's size, which counts
  /// padding only if count_include_pad (never what ceil_mode adds beyond it), as in PyTorch.
  void (*avg_pool2d)(const Window2d&, bool count_include_pad, int64_t divisor_override, const T* input, T* output);
  void (*avg_pool2d_backward)(const Window2d&, bool count_include_pad, int64_t divisor_override, const T* grad_output,
                              T* grad_input);

  /// Mean and maximum (NaN wins; indices as in max_pool2d) of adaptive windows.
  void (*adaptive_avg_pool2d)(const AdaptivePool2d&, const T* input, T* output);
  void (*adaptive_avg_pool2d_backward)(const AdaptivePool2d&, const T* grad_output, T* grad_input);
  void (*adaptive_max_pool2d)(const AdaptivePool2d&, const T* input, T* output, int64_t* indices);

  void (*resize2d)(const Resize2d<T>&, const T* input, T* output);
  void (*resize2d_backward)(const Resize2d<T>&, const T* grad_output, T* grad_input);

  /// y = op(x), n values. a, b: leaky_relu slope, clamp bounds, pow exponent. x and y may be the same array.
  void (*unary)(Unary, int64_t n, T a, T b, const T* x, T* y);
  /// dx = dy * op'(x). y = op(x). Only what the operation's derivative needs is read: x for log, abs, pow, clamp,
  /// leaky_relu; y for relu, sigmoid, tanh, exp, sqrt; neither for neg. The other may be null. grad_x may be grad.
  void (*unary_backward)(Unary, int64_t n, T a, T b, const T* grad, const T* x, const T* y, T* grad_x);
  /// y = op(x) and dx = dy * op'(x). a, b: hardtanh bounds, elu alpha, softplus beta and threshold. x and y may be the
  /// same array, and so may grad and grad_x.
  void (*activation)(Activation, int64_t n, T a, T b, const T* x, T* y);
  void (*activation_backward)(Activation, int64_t n, T a, T b, const T* grad, const T* x, T* grad_x);
  /// out[i] = a[i * a_step] op b[i * b_step], steps 0 or 1. out may be a or b if their step is 1.
  void (*binary)(Binary, int64_t n, const T* a, int a_step, const T* b, int b_step, T* out);
  /// y += alpha * x
  void (*axpy)(int64_t n, T alpha, const T* x, T* y);

  /// y[o, i] = sum, or maximum / minimum (NaN wins), over r of x[o, r, i]. Sums are pairwise or blocked: the error
  /// does not grow in proportion to r.
  void (*sum)(int64_t outer, int64_t reduced, int64_t inner, const T* x, T* y);
  void (*max)(int64_t outer, int64_t reduced, int64_t inner, const T* x, T* y);
  void (*min)(int64_t outer, int64_t reduced, int64_t inner, const T* x, T* y);
  /// Index of the first maximum; NaN counts as the maximum.
  void (*argmax)(int64_t outer, int64_t reduced, int64_t inner, const T* x, int64_t* y);

  /// Over the middle dimension of [outer, n, inner]; the maximum is subtracted first.
  void (*softmax)(int64_t outer, int64_t n, int64_t inner, const T* x, T* y);
  void (*log_softmax)(int64_t outer, int64_t n, int64_t inner, const T* x, T* y);
  /// softmax: dx = y * (dy - sum(dy * y));  log_softmax: dx = dy - exp(y) * sum(dy)
  void (*softmax_backward)(int64_t outer, int64_t n, int64_t inner, const T* grad, const T* y, T* grad_x);
  void (*log_softmax_backward)(int64_t outer, int64_t n, int64_t inner, const T* grad, const T* y, T* grad_x);

  /// mean and biased variance per channel, in two passes or Welford's way (no cancellation).
  void (*batch_norm_statistics)(const BatchNorm<T>&, const T* x, T* mean, T* variance);
  /// y = (x - mean) * inverse_std * weight + bias
  void (*batch_norm)(const BatchNorm<T>&, const T* x, const T* mean, const T* inverse_std, T* y);
  /// training: mean and inverse_std came from x and get gradients too; otherwise they are constants. Each of the three
  /// results may be null: nobody asked for it.
  void (*batch_norm_backward)(const BatchNorm<T>&, bool training, const T* grad, const T* x, const T* mean,
                              const T* inverse_std, T* grad_x, T* grad_weight, T* grad_bias);

  /// Writes y, and the mean and 1 / sqrt(biased variance + eps) of each row, which backward reads. Each of the three
  /// gradients may be null: nobody asked for it.
  void (*group_norm)(const GroupNorm<T>&, double eps, const T* x, T* y, T* mean, T* inverse_std);
  void (*group_norm_backward)(const GroupNorm<T>&, const T* grad, const T* x, const T* mean, const T* inverse_std,
                              T* grad_x, T* grad_weight, T* grad_bias);

  /// loss[i] of x[i] and target[i]. parameter: beta of smooth_l1, delta of huber.
  void (*pair_loss)(PairLoss, int64_t n, T parameter, const T* x, const T* target, T* loss);
  /// grad_x[i] = grad[i * grad_step] * scale * d loss / d x, likewise grad_target; each may be null.
  void (*pair_loss_backward)(PairLoss, int64_t n, T parameter, const T* grad, int grad_step, T scale, const T* x,
                             const T* target, T* grad_x, T* grad_target);

  /// p -= lr * update, in one pass; momentum_buffer may be null if momentum is 0.
  void (*sgd_step)(const SgdStep&, int64_t n, const T* grad, T* momentum_buffer, T* parameter);
  /// max_exp_avg_sq is null unless its square root is to be divided by (AMSGrad).
  void (*adam_step)(const AdamStep&, int64_t n, const T* grad, T* exp_avg, T* exp_avg_sq, T* max_exp_avg_sq,
                    T* parameter);
  /// grad_avg is null unless centered, momentum_buffer if momentum is 0.
  void (*rmsprop_step)(const RmspropStep&, int64_t n, const T* grad, T* square_avg, T* grad_avg, T* momentum_buffer,
                       T* parameter);
  void (*adagrad_step)(const AdagradStep&, int64_t n, const T* grad, T* sum, T* parameter);
};

/// The functions of the chosen instruction set, for T = float or double.
/// @throws ValueError if TEFF_ISA names a set that is unknown or that the machine lacks.
template <class T>
const Table<T>& table();

/// The name of the chosen instruction set: "baseline", "avx2", "avx512" or "neon".
const char* isa_name();

}  // namespace teff::kernels

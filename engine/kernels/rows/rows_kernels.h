// SPDX-License-Identifier: MIT
#pragma once

// What operations see of the kernels that work row by row: reductions and what is normalised by them. How such a header
// is used and grows: engine/kernels/README.md.

#include <cstdint>

namespace teff::kernels {

using std::int64_t;

/// reduce.cpp
template <class T>
struct ReduceKernels {
  /// y[o, i] = sum, or maximum / minimum (NaN wins), over r of x[o, r, i]. Sums are pairwise or blocked: the error
  /// does not grow in proportion to r.
  void (*sum)(int64_t outer, int64_t reduced, int64_t inner, const T* x, T* y);
  void (*max)(int64_t outer, int64_t reduced, int64_t inner, const T* x, T* y);
  void (*min)(int64_t outer, int64_t reduced, int64_t inner, const T* x, T* y);
  /// Index of the first maximum; NaN counts as the maximum.
  void (*argmax)(int64_t outer, int64_t reduced, int64_t inner, const T* x, int64_t* y);
  /// y[c] = sum over n and s of x[n, c, s]: the gradient of a bias. The order of the sum is fixed.
  void (*sum_per_channel)(int64_t batch, int64_t channels, int64_t spatial, const T* x, T* y);
};
template <class T>
const ReduceKernels<T>& reduce_kernels();

/// softmax.cpp: over the middle dimension of [outer, n, inner].
template <class T>
struct SoftmaxKernels {
  /// The maximum is subtracted first.
  void (*softmax)(int64_t outer, int64_t n, int64_t inner, const T* x, T* y);
  void (*log_softmax)(int64_t outer, int64_t n, int64_t inner, const T* x, T* y);
  /// softmax: dx = y * (dy - sum(dy * y));  log_softmax: dx = dy - exp(y) * sum(dy)
  void (*softmax_backward)(int64_t outer, int64_t n, int64_t inner, const T* grad, const T* y, T* grad_x);
  void (*log_softmax_backward)(int64_t outer, int64_t n, int64_t inner, const T* grad, const T* y, T* grad_x);
};
template <class T>
const SoftmaxKernels<T>& softmax_kernels();

/// Batch normalisation over all but the channels of x [N, C, S]; every per-channel array is [C].
template <class T>
struct BatchNorm {
  int64_t batch, channels, spatial;
  const T* weight;  // gamma, or null for ones
  const T* bias;    // beta, or null for zeros
};

/// batch_norm.cpp
template <class T>
struct BatchNormKernels {
  /// mean and biased variance per channel, in two passes or Welford's way (no cancellation).
  void (*batch_norm_statistics)(const BatchNorm<T>&, const T* x, T* mean, T* variance);
  /// y = (x - mean) * inverse_std * weight + bias
  void (*batch_norm)(const BatchNorm<T>&, const T* x, const T* mean, const T* inverse_std, T* y);
  /// training: mean and inverse_std came from x and get gradients too; otherwise they are constants. Each of the three
  /// results may be null: nobody asked for it.
  void (*batch_norm_backward)(const BatchNorm<T>&, bool training, const T* grad, const T* x, const T* mean,
                              const T* inverse_std, T* grad_x, T* grad_weight, T* grad_bias);
};
template <class T>
const BatchNormKernels<T>& batch_norm_kernels();

/// Rows of [channels, spatial] values, each normalised by itself. Row r has the channels from r % groups * channels on
/// of weight and bias [groups * channels]; null for ones and zeros. Layer norm: groups = spatial = 1.
template <class T>
struct GroupNorm {
  int64_t rows, groups, channels, spatial;
  const T* weight;
  const T* bias;
};

/// group_norm.cpp
template <class T>
struct GroupNormKernels {
  /// Writes y, and the mean and 1 / sqrt(biased variance + eps) of each row, which backward reads. Each of the three
  /// gradients may be null: nobody asked for it.
  void (*group_norm)(const GroupNorm<T>&, double eps, const T* x, T* y, T* mean, T* inverse_std);
  void (*group_norm_backward)(const GroupNorm<T>&, const T* grad, const T* x, const T* mean, const T* inverse_std,
                              T* grad_x, T* grad_weight, T* grad_bias);
};
template <class T>
const GroupNormKernels<T>& group_norm_kernels();

}  // namespace teff::kernels

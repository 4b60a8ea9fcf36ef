// SPDX-License-Identifier: MIT
#pragma once

// Every function on tensors. All of them check their arguments and throw ShapeError, TypeError, ValueError or
// IndexError with the function's name in front; the operation, not the caller, keeps what backward needs.
// Unless said otherwise inputs are float32 or float64, all of one dtype, and results have that dtype.
// Dimensions count from 0, or from the end with -1 for the last.

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "teff/engine/tensor.h"

namespace teff {

// --- element-wise, with broadcasting as in PyTorch; also for int64, but for div and pow

Tensor add(const Tensor& a, const Tensor& b);
Tensor sub(const Tensor& a, const Tensor& b);
Tensor mul(const Tensor& a, const Tensor& b);
Tensor div(const Tensor& a, const Tensor& b);
Tensor maximum(const Tensor& a, const Tensor& b);  // at equal values each gets half of the gradient
Tensor minimum(const Tensor& a, const Tensor& b);
Tensor pow(const Tensor& base, const Tensor& exponent);

Tensor add(const Tensor& a, double b);
Tensor sub(const Tensor& a, double b);
Tensor sub(double a, const Tensor& b);
Tensor mul(const Tensor& a, double b);
Tensor div(const Tensor& a, double b);
Tensor div(double a, const Tensor& b);
Tensor pow(const Tensor& base, double exponent);

inline Tensor operator+(const Tensor& a, const Tensor& b) { return add(a, b); }
inline Tensor operator-(const Tensor& a, const Tensor& b) { return sub(a, b); }
inline Tensor operator*(const Tensor& a, const Tensor& b) { return mul(a, b); }
inline Tensor operator/(const Tensor& a, const Tensor& b) { return div(a, b); }
inline Tensor operator+(const Tensor& a, double b) { return add(a, b); }
inline Tensor operator-(const Tensor& a, double b) { return sub(a, b); }
inline Tensor operator*(const Tensor& a, double b) { return mul(a, b); }
inline Tensor operator/(const Tensor& a, double b) { return div(a, b); }
inline Tensor operator+(double a, const Tensor& b) { return add(b, a); }
inline Tensor operator-(double a, const Tensor& b) { return sub(a, b); }
inline Tensor operator*(double a, const Tensor& b) { return mul(b, a); }
inline Tensor operator/(double a, const Tensor& b) { return div(a, b); }

// --- comparison: bool results, no gradient. For all dtypes but float16 and bfloat16.

Tensor eq(const Tensor& a, const Tensor& b);
Tensor ne(const Tensor& a, const Tensor& b);
Tensor lt(const Tensor& a, const Tensor& b);
Tensor le(const Tensor& a, const Tensor& b);
Tensor gt(const Tensor& a, const Tensor& b);
Tensor ge(const Tensor& a, const Tensor& b);
Tensor eq(const Tensor& a, double b);
Tensor ne(const Tensor& a, double b);
Tensor lt(const Tensor& a, double b);
Tensor le(const Tensor& a, double b);
Tensor gt(const Tensor& a, double b);
Tensor ge(const Tensor& a, double b);

inline Tensor operator==(const Tensor& a, const Tensor& b) { return eq(a, b); }
inline Tensor operator!=(const Tensor& a, const Tensor& b) { return ne(a, b); }
inline Tensor operator<(const Tensor& a, const Tensor& b) { return lt(a, b); }
inline Tensor operator<=(const Tensor& a, const Tensor& b) { return le(a, b); }
inline Tensor operator>(const Tensor& a, const Tensor& b) { return gt(a, b); }
inline Tensor operator>=(const Tensor& a, const Tensor& b) { return ge(a, b); }
inline Tensor operator==(const Tensor& a, double b) { return eq(a, b); }
inline Tensor operator!=(const Tensor& a, double b) { return ne(a, b); }
inline Tensor operator<(const Tensor& a, double b) { return lt(a, b); }
inline Tensor operator<=(const Tensor& a, double b) { return le(a, b); }
inline Tensor operator>(const Tensor& a, double b) { return gt(a, b); }
inline Tensor operator>=(const Tensor& a, double b) { return ge(a, b); }

// --- element by element. neg and abs also for int64.

Tensor neg(const Tensor& x);
Tensor exp(const Tensor& x);
Tensor log(const Tensor& x);
Tensor sqrt(const Tensor& x);
Tensor abs(const Tensor& x);                        // derivative at 0: 0
/// max(min, min(max, x)); at least one bound. The gradient passes where min <= x <= max.
Tensor clamp(const Tensor& x, std::optional<double> min, std::optional<double> max = {});
Tensor relu(const Tensor& x);                       // max(x, 0); derivative at 0: 0
Tensor leaky_relu(const Tensor& x, double negative_slope = 0.01);
Tensor sigmoid(const Tensor& x);                    // 1 / (1 + exp(-x))
Tensor tanh(const Tensor& x);
/// Another dtype, element by element (Tensor::to). The gradient passes between float32 and float64.
Tensor to(const Tensor& x, DType dtype);

// --- over dimensions

Tensor softmax(const Tensor& x, std::int64_t dim);      // exp(x) / sum over dim of exp(x)
Tensor log_softmax(const Tensor& x, std::int64_t dim);
/// Over the given dimensions, all of them if none is given. keepdim leaves them with size 1. Integers and bools sum to
/// int64; mean, max and min of nothing are refused for max and min and NaN for mean.
Tensor sum(const Tensor& x, const IntList& dims = {}, bool keepdim = false);
Tensor mean(const Tensor& x, const IntList& dims = {}, bool keepdim = false);
Tensor max(const Tensor& x, const IntList& dims = {}, bool keepdim = false);  // equal maxima share the gradient
Tensor min(const Tensor& x, const IntList& dims = {}, bool keepdim = false);
/// Index of the first maximum, int64; of the flattened tensor if no dimension is given.
Tensor argmax(const Tensor& x, std::optional<std::int64_t> dim = {}, bool keepdim = false);

// --- products

/// [n, k] x [k, m] -> [n, m]; vectors and batches [..., n, k] x [..., k, m] (broadcast) as in PyTorch.
Tensor matmul(const Tensor& a, const Tensor& b);
/// x W^T + b: x [..., in], weight [out, in], bias [out] or undefined -> [..., out]
Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias = {});

// --- convolution and pooling: images [N, C, H, W]

struct Conv2dOptions {
  Pair stride = 1;
  Pair padding = 0;
  Pair dilation = 1;
  std::int64_t groups = 1;
  static void fields(auto& self, auto&& field) {
    field("stride", self.stride);
    field("padding", self.padding);
    field("dilation", self.dilation);
    field("groups", self.groups);
  }
};

/// x [N, C, H, W], weight [K, C / groups, kh, kw], bias [K] or undefined -> [N, K, Ho, Wo]
/// with Ho = (H + 2 padding - dilation (kh - 1) - 1) / stride + 1, rounded down; Wo likewise.
Tensor conv2d(const Tensor& x, const Tensor& weight, const Tensor& bias = {}, const Conv2dOptions& options = {});

/// Whether conv2d may use Winograd's method, for 3 x 3 kernels of stride 1 in float32 with 16 channels or more, where
/// that is two to three times as fast. The error of a result, measured: below 1e-6 * sum |w| * max |x| over the 6 x 6
/// pixels around (2.6e-7 is the most that was seen; the direct method: 1.4e-7), so a sum that cancels has fewer correct
/// digits; a NaN or an infinity among these pixels reaches all results of its tile of 4 x 4. Default: on. Holds for all
/// threads, for later calls; an InferenceSession keeps what held when it was made.
void set_winograd(bool enabled);
bool winograd_enabled();

struct MaxPool2dOptions {
  std::optional<Pair> stride = {};  // default: the kernel's size
  Pair padding = 0;                 // at most half of the kernel; padding never wins
  Pair dilation = 1;
  bool ceil_mode = false;           // round the output's size up: the last window may hang over the edge
};
Tensor max_pool2d(const Tensor& x, const Pair& kernel_size, const MaxPool2dOptions& options = {});

struct AvgPool2dOptions {
  std::optional<Pair> stride = {};
  Pair padding = 0;
  bool ceil_mode = false;
  bool count_include_pad = true;
  std::optional<std::int64_t> divisor_override = {};
};
Tensor avg_pool2d(const Tensor& x, const Pair& kernel_size, const AvgPool2dOptions& options = {});

// --- normalisation and regularisation

struct BatchNormOptions {
  bool training = false;
  double momentum = 0.1;
  double eps = 1e-5;
  static void fields(auto& self, auto&& field) {
    field("training", self.training);
    field("momentum", self.momentum);
    field("eps", self.eps);
  }
};

/// Per channel of x [N, C, ...]: (x - mean) / sqrt(variance + eps) * weight + bias, in training with the batch's own
/// mean and (biased) variance, otherwise with the running ones. In training the running statistics, if given, become
/// (1 - momentum) * running + momentum * batch (with the unbiased variance), in place. weight and bias, or the running
/// statistics in training, may be undefined.
Tensor batch_norm(const Tensor& x, const Tensor& running_mean, const Tensor& running_var, const Tensor& weight = {},
                  const Tensor& bias = {}, const BatchNormOptions& options = {});

/// In training each element becomes 0 with probability p, the others x / (1 - p); otherwise x. The mask comes from the
/// default generator, as in PyTorch.
Tensor dropout(const Tensor& x, double p = 0.5, bool training = true);

// --- losses

enum class Reduction { none, mean, sum };
std::string_view to_string(Reduction reduction);
void from_string(std::string_view name, Reduction& reduction);

/// -log_probabilities[n, target[n]]: input [N, C] or [N, C, d1, ...], target int64 [N] or [N, d1, ...].
/// @throws IndexError for a target outside [0, C).
Tensor nll_loss(const Tensor& log_probabilities, const Tensor& target, Reduction reduction = Reduction::mean);
/// nll_loss(log_softmax(logits, 1), target)
Tensor cross_entropy(const Tensor& logits, const Tensor& target, Reduction reduction = Reduction::mean);
/// (input - target)^2, of equal shapes.
Tensor mse_loss(const Tensor& input, const Tensor& target, Reduction reduction = Reduction::mean);

// --- shapes; for every dtype

/// One size may be -1: what is left. Shares elements.
Tensor view(const Tensor& x, const Shape& shape);
inline Tensor reshape(const Tensor& x, const Shape& shape) { return view(x, shape); }
Tensor flatten(const Tensor& x, std::int64_t start_dim = 0, std::int64_t end_dim = -1);
/// Without all dimensions of size 1, or without the given one if its size is 1.
Tensor squeeze(const Tensor& x, std::optional<std::int64_t> dim = {});
Tensor unsqueeze(const Tensor& x, std::int64_t dim);
Tensor transpose(const Tensor& x, std::int64_t dim0, std::int64_t dim1);
Tensor permute(const Tensor& x, const IntList& dims);
/// x with each size-1 dimension repeated to the size in `shape`, and new dimensions in front; -1 keeps a size.
Tensor expand(const Tensor& x, const Shape& shape);
/// Tensors of equal shape but for `dim`.
Tensor cat(std::span<const Tensor> tensors, std::int64_t dim = 0);
Tensor cat(std::initializer_list<Tensor> tensors, std::int64_t dim = 0);
/// Tensors of equal shape along a new dimension.
Tensor stack(std::span<const Tensor> tensors, std::int64_t dim = 0);
Tensor stack(std::initializer_list<Tensor> tensors, std::int64_t dim = 0);
/// x[..., start:end:step, ...] as in Python: bounds are clamped to the size. Dimension 0 with step 1 shares elements.
Tensor slice(const Tensor& x, std::int64_t dim, std::int64_t start, std::optional<std::int64_t> end = {},
             std::int64_t step = 1);
/// Without dimension `dim`, at `index` of it. Dimension 0 shares elements.
Tensor select(const Tensor& x, std::int64_t dim, std::int64_t index);
/// Rows (entries of dimension `dim`) by an int64 vector of indices. @throws IndexError for one out of range.
Tensor index_select(const Tensor& x, std::int64_t dim, const Tensor& index);
/// Constant values around: `padding` = {before, after} of the last dimension, then of the one before it, ..., as in
/// PyTorch. Negative padding crops.
Tensor pad(const Tensor& x, const IntList& padding, double value = 0);

}  // namespace teff

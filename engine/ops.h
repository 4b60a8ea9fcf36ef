// SPDX-License-Identifier: MIT
#pragma once

// Every function on tensors. All of them check their arguments and throw ShapeError, TypeError, ValueError or
// IndexError with the function's name in front; the operation, not the caller, keeps what backward needs.
// Unless said otherwise inputs are float32 or float64, all of one dtype, and results have that dtype.
// Dimensions count from 0, or from the end with -1 for the last.

#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "teff/engine/image_ops.h"  // convolution, pooling, resizing, padding
#include "teff/engine/losses.h"
#include "teff/engine/tensor.h"

namespace TEFF_EXPORT teff {

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

// --- element by element. neg and abs also for int64. Where x is taken by value and nobody else holds its elements, as
// in relu(conv(x)), the result takes their memory, unless the gradient needs them.

Tensor neg(Tensor x);
Tensor exp(Tensor x);
Tensor log(Tensor x);
Tensor sqrt(Tensor x);
Tensor abs(Tensor x);  // derivative at 0: 0
/// max(min, min(max, x)); at least one bound. The gradient passes where min <= x <= max.
Tensor clamp(Tensor x, std::optional<double> min, std::optional<double> max = {});
Tensor relu(Tensor x);  // max(x, 0); derivative at 0: 0
Tensor leaky_relu(Tensor x, double negative_slope = 0.01);
Tensor sigmoid(Tensor x);  // 1 / (1 + exp(-x))
Tensor tanh(Tensor x);
/// x > 0 ? x : weight * x. The weight is [C], for x [N, C, ...], or of one element.
Tensor prelu(const Tensor& x, const Tensor& weight);
/// clamp, but the gradient passes only where min < x < max. @throws ValueError unless min < max.
Tensor hardtanh(Tensor x, double min = -1, double max = 1);
inline Tensor relu6(Tensor x) { return hardtanh(std::move(x), 0, 6); }
Tensor elu(Tensor x, double alpha = 1);  // x > 0 ? x : alpha * (exp(x) - 1)
Tensor silu(Tensor x);                   // x * sigmoid(x)
Tensor hardswish(Tensor x);              // x * relu6(x + 3) / 6
Tensor hardsigmoid(Tensor x);            // relu6(x + 3) / 6
/// log(1 + exp(beta * x)) / beta, and x itself where beta * x > threshold.
Tensor softplus(Tensor x, double beta = 1, double threshold = 20);
enum class GeluApproximation { none, tanh };
/// x times the normal distribution function of x, or x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x^3))) / 2.
Tensor gelu(Tensor x, GeluApproximation approximate = GeluApproximation::none);
/// Another dtype, element by element (Tensor::to). The gradient passes between float32 and float64.
Tensor to(const Tensor& x, DType dtype);

// --- over dimensions

Tensor softmax(const Tensor& x, Integer dim);  // exp(x) / sum over dim of exp(x)
Tensor log_softmax(const Tensor& x, Integer dim);
/// Over the given dimensions, all of them if none is given. keepdim leaves them with size 1. Integers and bools sum to
/// int64. The mean of nothing is NaN, an amax or amin of nothing an error.
Tensor sum(const Tensor& x, const IntList& dims = {}, bool keepdim = false);
Tensor mean(const Tensor& x, const IntList& dims = {}, bool keepdim = false);
/// Equal extrema share the gradient. The ops' names, in files and errors, are max and min.
Tensor amax(const Tensor& x, const IntList& dims = {}, bool keepdim = false);
Tensor amin(const Tensor& x, const IntList& dims = {}, bool keepdim = false);
/// Of the whole tensor: amax(x) and amin(x).
inline Tensor max(const Tensor& x) { return amax(x); }
inline Tensor min(const Tensor& x) { return amin(x); }
/// Along one dimension, and where: `auto [values, indices] = max(x, 1)`. Of equals the first; NaN is both maximum and
/// minimum. The gradient of a value goes to the element it is. The ops' names are max_with_indices and
/// min_with_indices. @throws ShapeError for a dimension of size 0.
ValuesAndIndices max(const Tensor& x, Integer dim, bool keepdim = false);
ValuesAndIndices min(const Tensor& x, Integer dim, bool keepdim = false);
/// Index of the first maximum, int64; of the flattened tensor if no dimension is given.
Tensor argmax(const Tensor& x, std::optional<Integer> dim = {}, bool keepdim = false);

// --- products

/// [n, k] x [k, m] -> [n, m]; vectors and batches [..., n, k] x [..., k, m] (broadcast) as in PyTorch.
Tensor matmul(const Tensor& a, const Tensor& b);
/// x W^T + b: x [..., in], weight [out, in], bias [out] or undefined -> [..., out]
Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias = {});

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

/// Per image of x [N, C, ...] and group of C / num_groups channels: (x - mean) / sqrt(variance + eps), with mean and
/// (biased) variance of the group, times weight [C] plus bias [C]; both may be undefined (Wu and He, 2018).
Tensor group_norm(const Tensor& x, std::int64_t num_groups, const Tensor& weight = {}, const Tensor& bias = {},
                  double eps = 1e-5);
/// The same over the last dimensions, which are normalized_shape; so are weight and bias (Ba et al., 2016).
Tensor layer_norm(const Tensor& x, const Shape& normalized_shape, const Tensor& weight = {}, const Tensor& bias = {},
                  double eps = 1e-5);

/// In training each element becomes 0 with probability p, the others x / (1 - p); otherwise x. The mask comes from the
/// default generator, as in PyTorch.
Tensor dropout(const Tensor& x, double p = 0.5, bool training = true);
/// The same for whole channels of x [N, C, ...].
Tensor dropout2d(const Tensor& x, double p = 0.5, bool training = true);

// --- shapes; for every dtype

/// One size may be -1: what is left. Shares elements.
Tensor view(const Tensor& x, const Shape& shape);
inline Tensor reshape(const Tensor& x, const Shape& shape) { return view(x, shape); }
Tensor flatten(const Tensor& x, Integer start_dim = 0, Integer end_dim = -1);
/// Without all dimensions of size 1, or without the given one if its size is 1.
Tensor squeeze(const Tensor& x, std::optional<Integer> dim = {});
Tensor unsqueeze(const Tensor& x, Integer dim);
Tensor transpose(const Tensor& x, Integer dim0, Integer dim1);
Tensor permute(const Tensor& x, const IntList& dims);
/// x with each size-1 dimension repeated to the size in `shape`, and new dimensions in front; -1 keeps a size.
Tensor expand(const Tensor& x, const Shape& shape);
/// Tensors of equal shape but for `dim`. Those of shape [0] go with any other.
Tensor cat(std::span<const Tensor> tensors, Integer dim = 0);
Tensor cat(std::initializer_list<Tensor> tensors, Integer dim = 0);
/// Tensors of equal shape along a new dimension.
Tensor stack(std::span<const Tensor> tensors, Integer dim = 0);
Tensor stack(std::initializer_list<Tensor> tensors, Integer dim = 0);
/// x[..., start:end:step, ...] as in Python: bounds are clamped to the size. Dimension 0 with step 1 shares elements.
Tensor slice(const Tensor& x, Integer dim, Integer start, std::optional<Integer> end = {}, Integer step = 1);
/// Pieces of size split_size along `dim`, the last one as small as what is left; one piece if there is nothing to
/// split. Pieces of dimension 0 share elements. @throws ValueError for a split_size below 1 (0 will do for nothing).
std::vector<Tensor> split(const Tensor& x, Integer split_size, Integer dim = 0);
/// Pieces of these sizes (op split_with_sizes). @throws ShapeError unless they add up to the dimension's size.
std::vector<Tensor> split(const Tensor& x, std::span<const std::int64_t> sizes, Integer dim = 0);
inline std::vector<Tensor> split(const Tensor& x, std::initializer_list<std::int64_t> sizes, Integer dim = 0) {
  return split(x, std::span<const std::int64_t>(sizes.begin(), sizes.size()), dim);
}
/// At most `chunks` pieces of one size along `dim`, but for the last: split(x, ceil(size / chunks), dim). Of a
/// dimension of size 0, `chunks` empty ones.
std::vector<Tensor> chunk(const Tensor& x, Integer chunks, Integer dim = 0);
/// Without dimension `dim`, at `index` of it. Dimension 0 shares elements.
Tensor select(const Tensor& x, Integer dim, Integer index);
/// Rows (entries of dimension `dim`) by an int64 vector of indices. @throws IndexError for one out of range.
Tensor index_select(const Tensor& x, Integer dim, const Tensor& index);
/// Rows of weight [V, D] by int64 indices of any shape: [...] -> [..., D]. The row padding_idx gets no gradient.
/// @throws IndexError for an index outside [0, V).
Tensor embedding(const Tensor& indices, const Tensor& weight, std::optional<std::int64_t> padding_idx = {});

}  // namespace teff

// SPDX-License-Identifier: MIT
#pragma once

// Every function on tensors, those of the headers included here too. All of them check their arguments and throw
// ShapeError, TypeError, ValueError or IndexError with the function's name in front; the operation, not the caller,
// keeps what backward needs. Unless said otherwise inputs are float32 or float64, all of one dtype, and results have
// that dtype. Dimensions count from 0, or from the end with -1 for the last.

#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "teff/engine/activation_ops.h"
#include "teff/engine/comparison_ops.h"
#include "teff/engine/creation_ops.h"
#include "teff/engine/image_ops.h"  // convolution, pooling, resizing, padding
#include "teff/engine/indexed_pool_ops.h"
#include "teff/engine/indexing_ops.h"
#include "teff/engine/linalg_ops.h"
#include "teff/engine/losses.h"
#include "teff/engine/margin_losses.h"
#include "teff/engine/pointwise_ops.h"
#include "teff/engine/reduction_ops.h"
#include "teff/engine/sequence_ops.h"
#include "teff/engine/tensor.h"

namespace TEFF_EXPORT teff {

// --- products

/// [n, k] x [k, m] -> [n, m]; vectors and batches [..., n, k] x [..., k, m] (broadcast) as in PyTorch.
Tensor matmul(const Tensor& a, const Tensor& b);
/// x1 A x2 + b for each of the matrices of weight [out, in1, in2]: x1 [..., in1], x2 [..., in2], bias [out] or
/// undefined -> [..., out]
Tensor bilinear(const Tensor& x1, const Tensor& x2, const Tensor& weight, const Tensor& bias = {});
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

struct InstanceNormFuncOptions {
  bool training = true;  // otherwise with the running statistics
  double momentum = 0.1;
  double eps = 1e-5;
};
/// Per image and channel of x [N, C, ...]: (x - mean) / sqrt(variance + eps) * weight + bias, in training with the
/// image's own mean and (biased) variance, otherwise with the running ones. In training the running statistics [C], if
/// given, become (1 - momentum) * running + momentum * the images' mean (with the unbiased variance), in place
/// (Ulyanov et al., 2016).
Tensor instance_norm(const Tensor& x, const Tensor& running_mean = {}, const Tensor& running_var = {},
                     const Tensor& weight = {}, const Tensor& bias = {}, const InstanceNormFuncOptions& options = {});
/// x / sqrt(mean of x^2 + eps) * weight over the last dimensions, which are normalized_shape; so is the weight, which
/// may be undefined. Without eps it is the dtype's epsilon (Zhang and Sennrich, 2019).
Tensor rms_norm(const Tensor& x, const Shape& normalized_shape, const Tensor& weight = {},
                std::optional<double> eps = {});

/// In training each element becomes 0 with probability p, the others x / (1 - p); otherwise x. The mask comes from the
/// default generator, as in PyTorch.
Tensor dropout(const Tensor& x, double p = 0.5, bool training = true);
/// The same for whole channels of x [N, C, ...].
Tensor dropout2d(const Tensor& x, double p = 0.5, bool training = true);
/// In training each element becomes selu's lower limit with probability p, and all are scaled and shifted so that mean
/// 0 and variance 1 stay (Klambauer et al., 2017); otherwise x.
Tensor alpha_dropout(const Tensor& x, double p = 0.5, bool training = false);
/// The same for whole channels of x [N, C, ...].
Tensor feature_alpha_dropout(const Tensor& x, double p = 0.5, bool training = false);
/// x > 0 ? x : slope * x. In training the slope of each element is drawn from [lower, upper), otherwise it is their
/// mean (Xu et al., 2015).
Tensor rrelu(const Tensor& x, double lower = 1.0 / 8, double upper = 1.0 / 3, bool training = false);

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
enum class EmbeddingBagMode { sum, mean, max };
std::string_view to_string(EmbeddingBagMode mode);
void from_string(std::string_view name, EmbeddingBagMode& mode);
struct EmbeddingBagFuncOptions {
  Tensor offsets = {};             // int64: where the bags of one-dimensional indices begin, from 0 on
  Tensor per_sample_weights = {};  // of each index; for sum only
  EmbeddingBagMode mode = EmbeddingBagMode::mean;
  bool include_last_offset = false;              // the last offset is the end of the last bag
  std::optional<std::int64_t> padding_idx = {};  // this row does not count
};
/// What the rows of each bag of indices sum up to, their mean or their maximum: indices [B, n], a bag a row, or [n]
/// with offsets [B], weight [V, D] -> [B, D]. An empty bag gives 0.
Tensor embedding_bag(const Tensor& indices, const Tensor& weight, const EmbeddingBagFuncOptions& options = {});

}  // namespace teff

// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "teff/engine/ops.h"
#include "teff/nn/module.h"

namespace TEFF_EXPORT teff {
namespace nn {

/// A module of two inputs: `layer(x1, x2)`. Base of those below.
class TwoInputs : public Module {
 public:
  using Module::operator();
  Tensor operator()(const Tensor& x1, const Tensor& x2);
  /// @throws ShapeError unless there are two inputs.
  std::vector<Tensor> forward_many(std::span<const Tensor> inputs) override;

 protected:
  virtual Tensor compute(const Tensor& x1, const Tensor& x2) const = 0;
};

/// teff::bilinear: [..., in1_features], [..., in2_features] -> [..., out_features]. weight [out_features, in1_features,
/// in2_features], bias [out_features]; both uniform on [-b, b] with b = 1 / sqrt(in1_features).
class Bilinear : public TwoInputs {
 public:
  /// @throws ValueError for sizes below 1.
  Bilinear(Integer in1_features, Integer in2_features, Integer out_features, bool has_bias = true);

  Parameter weight;
  Parameter bias;  // undefined without
  TEFF_MODULE(Bilinear, weight, bias)
  std::string extra_repr() const override;

 protected:
  Tensor compute(const Tensor& x1, const Tensor& x2) const override;
};

struct EmbeddingBagOptions {
  EmbeddingBagMode mode = EmbeddingBagMode::mean;
  bool include_last_offset = false;
  std::optional<std::int64_t> padding_idx = {};  // its row begins as zeros and does not count; from the end if negative
};

/// teff::embedding_bag: int64 indices [B, n], or [n] and offsets [B], and perhaps weights of the indices ->
/// [B, embedding_dim]. weight [num_embeddings, embedding_dim], normal with mean 0 and standard deviation 1.
class EmbeddingBag : public Module {
 public:
  /// @throws ValueError for sizes below 1, or a padding_idx that is no row.
  EmbeddingBag(Integer num_embeddings, Integer embedding_dim, const EmbeddingBagOptions& options = {});

  Parameter weight;
  TEFF_MODULE(EmbeddingBag, weight)

  using Module::operator();
  Tensor operator()(const Tensor& indices, const Tensor& offsets, const Tensor& per_sample_weights = {});
  Tensor forward(const Tensor& indices) override;
  std::vector<Tensor> forward_many(std::span<const Tensor> inputs) override;
  std::string extra_repr() const override;

 private:
  EmbeddingBagOptions options_;
};

/// teff::cosine_similarity over dim: 1 where both point the same way, -1 where they are opposite.
class CosineSimilarity : public TwoInputs {
 public:
  explicit CosineSimilarity(Integer dim = 1, double eps = 1e-8) : dim_(dim), eps_(eps) {}
  TEFF_MODULE(CosineSimilarity)

 protected:
  Tensor compute(const Tensor& x1, const Tensor& x2) const override;

 private:
  std::int64_t dim_;
  double eps_;
};

/// teff::pairwise_distance: the p-norm of x1 - x2 + eps over the last dimension.
class PairwiseDistance : public TwoInputs {
 public:
  explicit PairwiseDistance(double p = 2, double eps = 1e-6, bool keepdim = false)
      : p_(p), eps_(eps), keepdim_(keepdim) {}
  TEFF_MODULE(PairwiseDistance)

 protected:
  Tensor compute(const Tensor& x1, const Tensor& x2) const override;

 private:
  double p_, eps_;
  bool keepdim_;
};

}  // namespace nn
}  // namespace teff

// SPDX-License-Identifier: MIT
#include "teff/nn/layers/two_inputs.h"

#include <cmath>

#include "teff/engine/error.h"
#include "teff/nn/init.h"
#include "teff/nn/text.h"

namespace teff::nn {

Tensor TwoInputs::operator()(const Tensor& x1, const Tensor& x2) { return (*this)({x1, x2})[0]; }

std::vector<Tensor> TwoInputs::forward_many(std::span<const Tensor> inputs) {
  if (inputs.size() != 2) {
    throw ShapeError(type_name() + ": expected 2 inputs, got " + std::to_string(inputs.size()));
  }
  return {compute(inputs[0], inputs[1])};
}

Bilinear::Bilinear(Integer in1_features, Integer in2_features, Integer out_features, bool has_bias) {
  detail::expect_at_least(1, "Bilinear", "in1_features", in1_features);
  detail::expect_at_least(1, "Bilinear", "in2_features", in2_features);
  detail::expect_at_least(1, "Bilinear", "out_features", out_features);
  const double bound = 1 / std::sqrt(static_cast<double>(std::int64_t{in1_features}));
  weight = init::uniform_(empty({out_features, in1_features, in2_features}), -bound, bound);
  if (has_bias) bias = init::uniform_(empty({out_features}), -bound, bound);
}

Tensor Bilinear::compute(const Tensor& x1, const Tensor& x2) const { return bilinear(x1, x2, weight, bias); }

std::string Bilinear::extra_repr() const {
  return "in1_features=" + std::to_string(weight.size(1)) + ", in2_features=" + std::to_string(weight.size(2)) +
         ", out_features=" + std::to_string(weight.size(0)) + ", bias=" + detail::python_bool(bias.defined());
}

EmbeddingBag::EmbeddingBag(Integer num_embeddings, Integer embedding_dim, const EmbeddingBagOptions& options)
    : options_(options) {
  detail::expect_at_least(1, "EmbeddingBag", "num_embeddings", num_embeddings);
  detail::expect_at_least(1, "EmbeddingBag", "embedding_dim", embedding_dim);
  std::optional<std::int64_t>& padding = options_.padding_idx;
  if (padding) {
    detail::expect(*padding >= -num_embeddings && *padding < num_embeddings, "EmbeddingBag",
                   "padding_idx within num_embeddings = " + std::to_string(num_embeddings), std::to_string(*padding));
    if (*padding < 0) *padding += num_embeddings;
  }
  weight = empty({num_embeddings, embedding_dim});
  init::normal_(weight);
  if (padding) init::zeros_(weight.detach().select(0, *padding));
}

Tensor EmbeddingBag::operator()(const Tensor& indices, const Tensor& offsets, const Tensor& per_sample_weights) {
  if (!per_sample_weights.defined()) return (*this)({indices, offsets})[0];
  return (*this)({indices, offsets, per_sample_weights})[0];
}

Tensor EmbeddingBag::forward(const Tensor& indices) { return forward_many(std::span(&indices, 1))[0]; }

std::vector<Tensor> EmbeddingBag::forward_many(std::span<const Tensor> inputs) {
  if (inputs.empty() || inputs.size() > 3) {
    throw ShapeError("EmbeddingBag: expected 1 to 3 inputs (indices, offsets, per_sample_weights), got " +
                     std::to_string(inputs.size()));
  }
  return {embedding_bag(inputs[0], weight,
                        {.offsets = inputs.size() > 1 ? inputs[1] : Tensor(),
                         .per_sample_weights = inputs.size() > 2 ? inputs[2] : Tensor(),
                         .mode = options_.mode,
                         .include_last_offset = options_.include_last_offset,
                         .padding_idx = options_.padding_idx})};
}

std::string EmbeddingBag::extra_repr() const {
  std::string text = std::to_string(weight.size(0)) + ", " + std::to_string(weight.size(1)) +
                     ", mode=" + std::string(to_string(options_.mode));
  if (options_.padding_idx) text += ", padding_idx=" + std::to_string(*options_.padding_idx);
  return text;
}

Tensor CosineSimilarity::compute(const Tensor& x1, const Tensor& x2) const {
  return cosine_similarity(x1, x2, dim_, eps_);
}

Tensor PairwiseDistance::compute(const Tensor& x1, const Tensor& x2) const {
  return pairwise_distance(x1, x2, {.p = p_, .eps = eps_, .keepdim = keepdim_});
}

}  // namespace teff::nn

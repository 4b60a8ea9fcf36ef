// SPDX-License-Identifier: MIT
#include "teff/nn/layers/embedding.h"

#include "teff/engine/ops.h"
#include "teff/nn/init.h"
#include "teff/nn/text.h"

namespace teff::nn {

Embedding::Embedding(Integer num_embeddings, Integer embedding_dim, const EmbeddingOptions& options)
    : padding_idx_(options.padding_idx) {
  detail::expect_at_least(1, "Embedding", "num_embeddings", num_embeddings);
  detail::expect_at_least(1, "Embedding", "embedding_dim", embedding_dim);
  if (padding_idx_) {
    detail::expect(*padding_idx_ >= -num_embeddings && *padding_idx_ < num_embeddings, "Embedding",
                   "padding_idx within num_embeddings = " + std::to_string(num_embeddings),
                   std::to_string(*padding_idx_));
    if (*padding_idx_ < 0) *padding_idx_ += num_embeddings;
  }
  weight = empty({num_embeddings, embedding_dim});
  init::normal_(weight);
  if (padding_idx_) init::zeros_(weight.detach().select(0, *padding_idx_));
}

Tensor Embedding::forward(const Tensor& indices) { return embedding(indices, weight, padding_idx_); }

std::string Embedding::extra_repr() const {
  std::string text = std::to_string(weight.size(0)) + ", " + std::to_string(weight.size(1));
  if (padding_idx_) text += ", padding_idx=" + std::to_string(*padding_idx_);
  return text;
}

}  // namespace teff::nn

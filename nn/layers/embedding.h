// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>

#include "teff/nn/module.h"

namespace TEFF_EXPORT teff {
namespace nn {

struct EmbeddingOptions {
  std::optional<std::int64_t> padding_idx =
      {};  // its row begins as zeros and gets no gradient; from the end if negative
};

/// teff::embedding: int64 indices [...] -> [..., embedding_dim]. weight [num_embeddings, embedding_dim], normal with
/// mean 0 and standard deviation 1.
class Embedding : public Module {
 public:
  /// @throws ValueError for sizes below 1, or a padding_idx that is no row.
  Embedding(Integer num_embeddings, Integer embedding_dim, const EmbeddingOptions& options = {});

  Parameter weight;
  TEFF_MODULE(Embedding, weight)

  Tensor forward(const Tensor& indices) override;
  std::string extra_repr() const override;

 private:
  std::optional<std::int64_t> padding_idx_;
};

}  // namespace nn
}  // namespace teff

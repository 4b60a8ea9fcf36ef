// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "teff/nn/layers/linear.h"
#include "teff/nn/module.h"

namespace TEFF_EXPORT teff {
namespace nn {

/// Linear under the name that PyTorch gives it inside of MultiheadAttention.
class NonDynamicallyQuantizableLinear : public Linear {
 public:
  using Linear::Linear;
  TEFF_MODULE(NonDynamicallyQuantizableLinear)
};

struct MultiheadAttentionOptions {
  double dropout = 0;  // of the weights, in training
  bool bias = true;
  bool add_bias_kv = false;               // a learned key and value at the end of the sequence
  bool add_zero_attn = false;             // a key and a value of zeros at the end
  std::optional<std::int64_t> kdim = {};  // features of key and value; default: embed_dim
  std::optional<std::int64_t> vdim = {};
  bool batch_first = false;
};

/// How a call differs from the simplest. Masks are bool, true where it may not look, or floats that are added; both
/// masks hold.
struct MultiheadAttentionCall {
  Tensor key_padding_mask = {};  // [N, S]
  bool need_weights = true;      // the weights as the second result, which takes memory for all of them
  Tensor attn_mask = {};         // [L, S] or [N * num_heads, L, S]
  bool average_attn_weights = true;
  bool is_causal = false;  // query i looks at keys up to i; without need_weights
};

struct AttentionResult {
  Tensor output;   // like the query
  Tensor weights;  // [N, L, S], or [N, num_heads, L, S] unless averaged, after dropout; undefined if not needed
};

/// Attention with several heads (Vaswani et al., 2017): query [L, N, embed_dim], key [S, N, kdim], value [S, N, vdim],
/// or all with N in front if batch_first, or without N.
class MultiheadAttention : public Module {
 public:
  /// @throws ValueError for sizes below 1, num_heads that do not divide embed_dim, dropout outside [0, 1].
  MultiheadAttention(Integer embed_dim, Integer num_heads, const MultiheadAttentionOptions& options = {});

  Parameter q_proj_weight, k_proj_weight, v_proj_weight;  // [embed_dim, ...], if kdim or vdim is another, or else
  Parameter in_proj_weight;                               // [3 * embed_dim, embed_dim]: all three
  Parameter in_proj_bias;                                 // [3 * embed_dim], from 0
  Parameter bias_k, bias_v;                               // [1, 1, embed_dim] if add_bias_kv
  NonDynamicallyQuantizableLinear out_proj;
  TEFF_MODULE(MultiheadAttention, q_proj_weight, k_proj_weight, v_proj_weight, in_proj_weight, in_proj_bias, bias_k,
              bias_v, out_proj)

  /// @throws ShapeError, TypeError; ValueError for is_causal with need_weights.
  AttentionResult operator()(const Tensor& query, const Tensor& key, const Tensor& value,
                             const MultiheadAttentionCall& call = {});
  /// Of the input to itself, the output alone.
  Tensor forward(const Tensor& input) override;
  /// {query, key, value} -> {output, weights}; {input} -> {output}
  std::vector<Tensor> forward_many(std::span<const Tensor> inputs) override;

 private:
  struct Heads {
    Tensor q, k, v;  // [N, num_heads, L or S, embed_dim / num_heads]
  };
  AttentionResult run(const Tensor& query, const Tensor& key, const Tensor& value, const MultiheadAttentionCall& call);
  void check(const Tensor& query, const Tensor& key, const Tensor& value) const;
  Tensor projected(const Tensor& x, std::int64_t which) const;
  Heads heads(const Tensor& query, const Tensor& key, const Tensor& value) const;
  void add_keys(Heads& heads) const;
  Tensor mask(const MultiheadAttentionCall& call, const Heads& heads) const;

  std::int64_t embed_dim_, num_heads_;
  MultiheadAttentionOptions options_;
};

}  // namespace nn
}  // namespace teff

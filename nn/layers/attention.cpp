// SPDX-License-Identifier: MIT
#include "teff/nn/layers/attention.h"

#include <algorithm>
#include <cmath>

#include "teff/engine/attention.h"
#include "teff/engine/error.h"
#include "teff/engine/error_text.h"
#include "teff/engine/modes.h"
#include "teff/engine/ops.h"
#include "teff/nn/init.h"
#include "teff/nn/text.h"

namespace teff::nn {
namespace {

/// To be added to the weights: a bool is -inf where it is true, else 0.
Tensor added_mask_of(const Tensor& mask, DType dtype) {
  return mask.dtype() == DType::bool_ ? log(1.0 - to(mask, dtype)) : mask;
}

}  // namespace

MultiheadAttention::MultiheadAttention(Integer embed_dim, Integer num_heads, const MultiheadAttentionOptions& options)
    : out_proj(std::max<std::int64_t>(1, embed_dim), std::max<std::int64_t>(1, embed_dim), {.bias = options.bias}),
      embed_dim_(embed_dim),
      num_heads_(num_heads),
      options_(options) {
  const char* const type = "MultiheadAttention";
  const std::int64_t size = embed_dim, kdim = options.kdim.value_or(size), vdim = options.vdim.value_or(size);
  detail::expect_at_least(1, type, "embed_dim", size);
  detail::expect_divisible(type, "embed_dim", size, num_heads);
  detail::expect_at_least(1, type, "kdim", kdim);
  detail::expect_at_least(1, type, "vdim", vdim);
  detail::expect(options.dropout >= 0 && options.dropout <= 1, type, "dropout in [0, 1]",
                 detail::python_float(options.dropout));
  if (kdim == size && vdim == size) {
    in_proj_weight = init::xavier_uniform_(empty({3 * size, size}));
  } else {
    q_proj_weight = init::xavier_uniform_(empty({size, size}));
    k_proj_weight = init::xavier_uniform_(empty({size, kdim}));
    v_proj_weight = init::xavier_uniform_(empty({size, vdim}));
  }
  if (options.bias) in_proj_bias = zeros({3 * size});
  if (options.bias) init::zeros_(out_proj.bias);
  if (options.add_bias_kv) bias_k = init::xavier_normal_(empty({1, 1, size}));
  if (options.add_bias_kv) bias_v = init::xavier_normal_(empty({1, 1, size}));
}

AttentionResult MultiheadAttention::operator()(const Tensor& query, const Tensor& key, const Tensor& value,
                                               const MultiheadAttentionCall& call) {
  const ScopeGuard scope(this);
  return run(query, key, value, call);
}

Tensor MultiheadAttention::forward(const Tensor& input) {
  return run(input, input, input, {.need_weights = false}).output;
}

std::vector<Tensor> MultiheadAttention::forward_many(std::span<const Tensor> inputs) {
  if (inputs.size() != 3) return Module::forward_many(inputs);
  const AttentionResult result = run(inputs[0], inputs[1], inputs[2], {});
  return {result.output, result.weights};
}

void MultiheadAttention::check(const Tensor& query, const Tensor& key, const Tensor& value) const {
  const auto fits = [&](const Tensor& x, std::int64_t size) { return x.dim() == query.dim() && x.size(-1) == size; };
  const std::int64_t kdim = options_.kdim.value_or(embed_dim_), vdim = options_.vdim.value_or(embed_dim_);
  if ((query.dim() == 2 || query.dim() == 3) && fits(query, embed_dim_) && fits(key, kdim) && fits(value, vdim)) return;
  throw ShapeError("MultiheadAttention: expected query [..., " + std::to_string(embed_dim_) + "], key [..., " +
                   std::to_string(kdim) + "], value [..., " + std::to_string(vdim) +
                   "], all of 3 dimensions, or of 2 without a batch, got query " +
                   teff::detail::describe(query.type()) + ", key " + teff::detail::describe(key.type()) + ", value " +
                   teff::detail::describe(value.type()));
}

/// x times the weight of query (0), key (1) or value (2).
Tensor MultiheadAttention::projected(const Tensor& x, std::int64_t which) const {
  const std::int64_t begin = which * embed_dim_, end = begin + embed_dim_;
  const Parameter* const own[] = {&q_proj_weight, &k_proj_weight, &v_proj_weight};
  const Tensor weight = in_proj_weight.defined() ? slice(in_proj_weight, 0, begin, end) : Tensor(*own[which]);
  return linear(x, weight, in_proj_bias.defined() ? slice(in_proj_bias, 0, begin, end) : Tensor());
}

MultiheadAttention::Heads MultiheadAttention::heads(const Tensor& query, const Tensor& key, const Tensor& value) const {
  const std::int64_t size = embed_dim_ / num_heads_;
  const bool batch_first = options_.batch_first;
  if (query.is(key) && key.is(value) && in_proj_weight.defined()) {  // one product, and one copy into the heads' order
    Tensor x = linear(query, in_proj_weight, in_proj_bias);
    x = view(x, {x.size(0), x.size(1), 3, num_heads_, size});
    x = permute(x, batch_first ? IntList{2, 0, 3, 1, 4} : IntList{2, 1, 3, 0, 4});
    return {select(x, 0, 0), select(x, 0, 1), select(x, 0, 2)};
  }
  const auto split = [&](const Tensor& x, std::int64_t which) {
    const Tensor y = view(projected(x, which), {x.size(0), x.size(1), num_heads_, size});
    return permute(y, batch_first ? IntList{0, 2, 1, 3} : IntList{1, 2, 0, 3});
  };
  return {split(query, 0), split(key, 1), split(value, 2)};
}

/// Keys and values that are not in the input, at the end.
void MultiheadAttention::add_keys(Heads& heads) const {
  const std::int64_t size = embed_dim_ / num_heads_;
  const auto append = [&](Tensor& x, const Tensor& last) {
    x = cat({x, expand(view(last, {1, num_heads_, 1, size}), {x.size(0), -1, -1, -1})}, 2);
  };
  if (bias_k.defined()) append(heads.k, bias_k);
  if (bias_v.defined()) append(heads.v, bias_v);
  if (!options_.add_zero_attn) return;
  const Tensor zero = zeros({embed_dim_}, {.dtype = heads.k.dtype()});
  append(heads.k, zero);
  append(heads.v, zero);
}

/// What is added to the weights [N, num_heads, L, S]; undefined if that is nothing.
Tensor MultiheadAttention::mask(const MultiheadAttentionCall& call, const Heads& heads) const {
  const DType dtype = heads.q.dtype();
  Tensor result;
  if (call.attn_mask.defined()) {
    result = added_mask_of(call.attn_mask, dtype);
    if (result.dim() == 3) result = view(result, {heads.q.size(0), num_heads_, result.size(1), result.size(2)});
  }
  if (call.key_padding_mask.defined()) {
    const Tensor padding = unsqueeze(unsqueeze(added_mask_of(call.key_padding_mask, dtype), -2), -2);  // [N, 1, 1, S]
    result = result.defined() ? result + padding : padding;
  }
  const std::int64_t more = (bias_k.defined() ? 1 : 0) + (options_.add_zero_attn ? 1 : 0);
  return result.defined() && more > 0 ? pad(result, {0, more}) : result;
}

AttentionResult MultiheadAttention::run(const Tensor& query, const Tensor& key, const Tensor& value,
                                        const MultiheadAttentionCall& call) {
  check(query, key, value);
  if (call.is_causal && call.need_weights) {
    throw ValueError(
        "MultiheadAttention: expected is_causal with need_weights = false, got true; or say what is causal "
        "by attn_mask");
  }
  if (query.dim() == 2) {
    const std::int64_t batch = options_.batch_first ? 0 : 1;
    const Tensor q = unsqueeze(query, batch), k = key.is(query) ? q : unsqueeze(key, batch);
    const AttentionResult result = run(q, k, value.is(key) ? k : unsqueeze(value, batch), call);
    return {squeeze(result.output, batch), result.weights.defined() ? squeeze(result.weights, 0) : Tensor()};
  }
  Heads h = heads(query, key, value);
  add_keys(h);
  const Tensor added_mask = mask(call, h);
  AttentionResult result;
  if (call.need_weights) {
    Tensor weights = matmul(h.q * (1 / std::sqrt(static_cast<double>(h.q.size(-1)))), transpose(h.k, -2, -1));
    if (added_mask.defined()) weights = weights + added_mask;
    weights = softmax(weights, -1);
    if (options_.dropout > 0) weights = dropout(weights, options_.dropout, is_training());
    result = {matmul(weights, h.v), call.average_attn_weights ? mean(weights, 1) : weights};
  } else {
    result.output =
        scaled_dot_product_attention(h.q, h.k, h.v, {added_mask, options_.dropout, call.is_causal, {}, is_training()});
  }
  Tensor y = permute(result.output, options_.batch_first ? IntList{0, 2, 1, 3} : IntList{2, 0, 1, 3});
  result.output = out_proj(view(y, {y.size(0), y.size(1), embed_dim_}));
  return result;
}

}  // namespace teff::nn

// SPDX-License-Identifier: MIT

// ATen's attention, and the layers around it that PyTorch runs as one operator: tracing without gradients records
// those.

#include <algorithm>
#include <cmath>
#include <limits>

#include "teff/engine/attention.h"
#include "teff/engine/error.h"
#include "teff/engine/ops.h"
#include "teff/serialize/operators/aten_arguments.h"

namespace teff::serialize {
namespace {

using AttentionCall = OperatorCall;

Tensor attended(const AttentionCall& c) {
  const Tensor query = c.tensor(0);
  Tensor key = c.tensor(1), value = c.tensor(2);
  if (c.flag("enable_gqa", false) && query.dim() > 2 && key.dim() == query.dim() && key.size(-3) > 0) {
    key = repeat_interleave(key, query.size(-3) / key.size(-3), -3);
    value = repeat_interleave(value, query.size(-3) / std::max(value.size(-3), std::int64_t{1}), -3);
  }
  AttentionOptions options;
  if (is_tensor(c, "attn_mask")) options.attn_mask = c.option("attn_mask")->as_tensor();
  options.dropout_p = c.number("dropout_p", 0);
  options.is_causal = c.flag("is_causal", false);
  options.scale = aten_number(c, "scale");
  return scaled_dot_product_attention(query, key, value, options);
}
TensorList attended_alone(const AttentionCall& c) { return {attended(c), Tensor()}; }

/// [B, L, E] -> [B, heads, L, E / heads]
Tensor apart_by_heads(const Tensor& x, std::int64_t heads) {
  if (x.dim() != 3 || heads < 1 || x.size(2) % heads != 0) {
    throw ShapeError("expected sequences [B, L, E] for " + std::to_string(heads) + " heads, got " +
                     to_string(x.shape()));
  }
  return transpose(view(x, {x.size(0), x.size(1), heads, x.size(2) / heads}), 1, 2);
}

/// What may look where. PyTorch's masks are true where nothing may: [L, S], [B, S] or [B, heads, L, S].
Tensor mask_of(const AttentionCall& c) {
  if (!is_tensor(c, "mask")) return {};
  const Tensor mask = c.option("mask")->as_tensor();
  const std::int64_t kind = c.integer("mask_type", -1), rank = kind == 0 || kind == 1 ? 2 : 4;
  if (mask.dtype() != DType::bool_ || kind < 0 || kind > 2 || mask.dim() != rank) {
    throw UnsupportedError("expected a mask of bool of the type 0, 1 or 2, got one of " + to_string(mask.shape()) +
                           " of the type " + std::to_string(kind));
  }
  const Tensor open = logical_not(mask);
  return kind == 1 ? view(open, {open.size(0), 1, 1, open.size(1)}) : open;
}

/// Queries, keys and values [B, heads, L, E / heads] of x, of one product.
std::vector<Tensor> projected(const AttentionCall& c, const Tensor& x, std::size_t weight) {
  std::vector<Tensor> parts = chunk(linear(x, c.tensor(weight), c.maybe(weight + 1)), 3, -1);
  if (parts.size() != 3) throw ShapeError("expected weights of queries, keys and values, got others");
  for (Tensor& part : parts)
    part = apart_by_heads(part, c.integer(c.option("num_heads") ? "num_heads" : "num_head", 1));
  return parts;
}

/// [B, heads, L, E / heads] -> [B, L, E]
Tensor put_together(const AttentionCall& c, const Tensor& heads, std::size_t weight) {
  return linear(flatten(transpose(heads, 1, 2), 2), c.tensor(weight), c.maybe(weight + 1));
}

/// _native_multi_head_attention(query, key, value, embed_dim, num_head, qkv_weight, qkv_bias, proj_weight, proj_bias,
/// mask, need_weights, average_attn_weights, mask_type)
TensorList multi_head(const AttentionCall& c) {
  c.ignore("embed_dim");
  std::vector<Tensor> parts = projected(c, c.tensor(0), 5);
  for (const std::size_t i : {1U, 2U}) {
    if (!c.tensor(i).is(c.tensor(0))) parts[i] = projected(c, c.tensor(i), 5)[i];
  }
  const Tensor open = mask_of(c);
  const bool needs_weights = c.flag("need_weights", true), averages = c.flag("average_attn_weights", true);
  if (!needs_weights) {
    return {put_together(c, scaled_dot_product_attention(parts[0], parts[1], parts[2], {.attn_mask = open}), 7),
            Tensor()};
  }
  const double scale = 1 / std::sqrt(static_cast<double>(parts[0].size(3)));
  Tensor weights = matmul(parts[0] * scale, transpose(parts[1], 2, 3));
  if (open.defined()) weights = where(open, weights, -std::numeric_limits<double>::infinity());
  weights = softmax(weights, 3);
  return {put_together(c, matmul(weights, parts[2]), 7), averages ? mean(weights, 1) : weights};
}

/// _transformer_encoder_layer_fwd(src, embed_dim, num_heads, qkv_weight, qkv_bias, proj_weight, proj_bias, use_gelu,
/// norm_first, eps, norm_weight_1, norm_bias_1, norm_weight_2, norm_bias_2, ffn_weight_1, ffn_bias_1, ffn_weight_2,
/// ffn_bias_2, mask, mask_type)
Tensor encoded(const AttentionCall& c) {
  c.ignore("embed_dim");
  const Tensor source = c.tensor(0);
  const bool is_first = c.flag("norm_first", false);
  const double eps = c.number("eps", 1e-5);
  const auto normed = [&](const Tensor& x, std::size_t weight) {
    return layer_norm(x, {x.size(-1)}, c.maybe(weight), c.maybe(weight + 1), eps);
  };
  const std::vector<Tensor> parts = projected(c, is_first ? normed(source, 10) : source, 3);
  const Tensor looked = scaled_dot_product_attention(parts[0], parts[1], parts[2], {.attn_mask = mask_of(c)});
  Tensor x = put_together(c, looked, 5) + source;
  if (!is_first) x = normed(x, 10);
  const Tensor inner = linear(is_first ? normed(x, 12) : x, c.tensor(14), c.maybe(15));
  x = x + linear(c.flag("use_gelu", false) ? gelu(inner) : relu(inner), c.tensor(16), c.maybe(17));
  return is_first ? x : normed(x, 12);
}

constexpr AtenRow kAtenTransformer[] = {
    {"_native_multi_head_attention",
     "query key value embed_dim num_head qkv_weight qkv_bias proj_weight proj_bias mask need_weights "
     "average_attn_weights mask_type",
     multi_head},
    {"_scaled_dot_product_flash_attention_for_cpu", "query key value dropout_p is_causal attn_mask scale",
     attended_alone},
    {"_transformer_encoder_layer_fwd",
     "src embed_dim num_heads qkv_weight qkv_bias proj_weight proj_bias use_gelu norm_first eps norm_weight_1 "
     "norm_bias_1 norm_weight_2 norm_bias_2 ffn_weight_1 ffn_bias_1 ffn_weight_2 ffn_bias_2 mask mask_type",
     encoded},
    {"scaled_dot_product_attention", "query key value attn_mask dropout_p is_causal scale enable_gqa", attended},
};
static_assert(is_in_order(kAtenTransformer));

}  // namespace

const std::span<const AtenRow> operators::aten_transformer = kAtenTransformer;

}  // namespace teff::serialize

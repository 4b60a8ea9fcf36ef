// SPDX-License-Identifier: MIT
#include "teff/nn/layers/transformer.h"

#include <algorithm>
#include <limits>

#include "teff/engine/error.h"
#include "teff/engine/modes.h"
#include "teff/engine/ops.h"
#include "teff/nn/init.h"
#include "teff/nn/text.h"

namespace teff::nn {
namespace {

Tensor attend(MultiheadAttention& attention, const Tensor& x, const Tensor& memory, const SequenceMask& mask) {
  return attention(x, memory, memory,
                   {.key_padding_mask = mask.key_padding_mask,
                    .need_weights = false,
                    .attn_mask = mask.mask,
                    .is_causal = mask.is_causal})
      .output;
}

/// The feed-forward part of either layer.
template <class Layer>
Tensor feed_forward(Layer& layer, TransformerActivation activation, const Tensor& x) {
  Tensor y = layer.linear1(x);
  y = activation == TransformerActivation::relu ? relu(std::move(y)) : gelu(std::move(y));
  return layer.linear2(layer.dropout(y));
}

/// x + block(norm(x)), or norm(x + block(x)).
template <class Block>
Tensor residual(const Tensor& x, LayerNorm& norm, bool norm_first, const Block& block) {
  return norm_first ? x + block(norm(x)) : norm(x + block(x));
}

template <class Layer>
ModuleList layer_copies(const char* type, const Layer& layer, std::int64_t count) {
  detail::expect_at_least(1, type, "num_layers", count);
  ModuleList list;
  for (std::int64_t i = 0; i < count; ++i) list.append(layer.clone());
  return list;
}

std::optional<LayerNorm> own_norm(const std::optional<LayerNorm>& norm) {
  return norm ? std::optional(norm->clone()) : std::nullopt;
}

void check_two(const Module& module, std::span<const Tensor> inputs, const char* names) {
  if (inputs.size() == 2) return;
  throw Error(module.type_name() + ": expected 2 inputs, " + names + ", got " + std::to_string(inputs.size()));
}

MultiheadAttention layer_attention(std::int64_t d_model, std::int64_t nhead, const TransformerLayerOptions& o) {
  return {d_model, nhead, {.dropout = o.dropout, .batch_first = o.batch_first}};
}

LayerNorm layer_norm_of(std::int64_t d_model, const TransformerLayerOptions& o) {
  return LayerNorm({d_model}, {.eps = o.layer_norm_eps});
}

}  // namespace

TransformerEncoderLayer::TransformerEncoderLayer(Integer d_model, Integer nhead, const TransformerLayerOptions& options)
    : self_attn(layer_attention(d_model, nhead, options)),
      linear1(d_model, options.dim_feedforward),
      dropout(options.dropout),
      linear2(options.dim_feedforward, d_model),
      norm1(layer_norm_of(d_model, options)),
      norm2(layer_norm_of(d_model, options)),
      dropout1(options.dropout),
      dropout2(options.dropout),
      options_(options) {}

Tensor TransformerEncoderLayer::operator()(const Tensor& src, const SequenceMask& mask) {
  const ScopeGuard scope(this);
  return run(src, mask);
}

Tensor TransformerEncoderLayer::run(const Tensor& src, const SequenceMask& mask) {
  const Tensor x = residual(src, norm1, options_.norm_first,
                            [&](const Tensor& y) { return dropout1(attend(self_attn, y, y, mask)); });
  return residual(x, norm2, options_.norm_first,
                  [&](const Tensor& y) { return dropout2(feed_forward(*this, options_.activation, y)); });
}

TransformerDecoderLayer::TransformerDecoderLayer(Integer d_model, Integer nhead, const TransformerLayerOptions& options)
    : self_attn(layer_attention(d_model, nhead, options)),
      multihead_attn(layer_attention(d_model, nhead, options)),
      linear1(d_model, options.dim_feedforward),
      dropout(options.dropout),
      linear2(options.dim_feedforward, d_model),
      norm1(layer_norm_of(d_model, options)),
      norm2(layer_norm_of(d_model, options)),
      norm3(layer_norm_of(d_model, options)),
      dropout1(options.dropout),
      dropout2(options.dropout),
      dropout3(options.dropout),
      options_(options) {}

Tensor TransformerDecoderLayer::operator()(const Tensor& tgt, const Tensor& memory, const SequenceMask& tgt_mask,
                                           const SequenceMask& memory_mask) {
  const ScopeGuard scope(this);
  return run(tgt, memory, tgt_mask, memory_mask);
}

std::vector<Tensor> TransformerDecoderLayer::forward_many(std::span<const Tensor> inputs) {
  check_two(*this, inputs, "tgt and memory");
  return {run(inputs[0], inputs[1], {}, {})};
}

Tensor TransformerDecoderLayer::run(const Tensor& tgt, const Tensor& memory, const SequenceMask& tgt_mask,
                                    const SequenceMask& memory_mask) {
  const bool first = options_.norm_first;
  Tensor x = residual(tgt, norm1, first, [&](const Tensor& y) { return dropout1(attend(self_attn, y, y, tgt_mask)); });
  x = residual(x, norm2, first,
               [&](const Tensor& y) { return dropout2(attend(multihead_attn, y, memory, memory_mask)); });
  return residual(x, norm3, first,
                  [&](const Tensor& y) { return dropout3(feed_forward(*this, options_.activation, y)); });
}

TransformerEncoder::TransformerEncoder(const TransformerEncoderLayer& encoder_layer, Integer num_layers,
                                       const std::optional<LayerNorm>& its_norm)
    : layers(layer_copies("TransformerEncoder", encoder_layer, num_layers)), norm(own_norm(its_norm)) {}

Tensor TransformerEncoder::operator()(const Tensor& src, const SequenceMask& mask) {
  const ScopeGuard scope(this);
  return run(src, mask);
}

Tensor TransformerEncoder::run(const Tensor& src, const SequenceMask& mask) {
  Tensor x = src;
  for (Module& layer : layers) x = dynamic_cast<TransformerEncoderLayer&>(layer)(x, mask);
  return norm ? (*norm)(x) : x;
}

TransformerDecoder::TransformerDecoder(const TransformerDecoderLayer& decoder_layer, Integer num_layers,
                                       const std::optional<LayerNorm>& its_norm)
    : layers(layer_copies("TransformerDecoder", decoder_layer, num_layers)), norm(own_norm(its_norm)) {}

Tensor TransformerDecoder::operator()(const Tensor& tgt, const Tensor& memory, const SequenceMask& tgt_mask,
                                      const SequenceMask& memory_mask) {
  const ScopeGuard scope(this);
  return run(tgt, memory, tgt_mask, memory_mask);
}

std::vector<Tensor> TransformerDecoder::forward_many(std::span<const Tensor> inputs) {
  check_two(*this, inputs, "tgt and memory");
  return {run(inputs[0], inputs[1], {}, {})};
}

Tensor TransformerDecoder::run(const Tensor& tgt, const Tensor& memory, const SequenceMask& tgt_mask,
                               const SequenceMask& memory_mask) {
  Tensor x = tgt;
  for (Module& layer : layers) {
    x = dynamic_cast<TransformerDecoderLayer&>(layer)(x, memory, tgt_mask, memory_mask);
  }
  return norm ? (*norm)(x) : x;
}

Transformer::Transformer(const TransformerOptions& o)
    : encoder(TransformerEncoderLayer(o.d_model, o.nhead, o.layer), o.num_encoder_layers,
              layer_norm_of(o.d_model, o.layer)),
      decoder(TransformerDecoderLayer(o.d_model, o.nhead, o.layer), o.num_decoder_layers,
              layer_norm_of(o.d_model, o.layer)) {
  for (const Tensor& parameter : parameters()) {
    if (parameter.dim() > 1) init::xavier_uniform_(parameter);
  }
}

Tensor Transformer::operator()(const Tensor& src, const Tensor& tgt, const TransformerMasks& masks) {
  const ScopeGuard scope(this);
  return decoder(tgt, encoder(src, masks.src), masks.tgt, masks.memory);
}

std::vector<Tensor> Transformer::forward_many(std::span<const Tensor> inputs) {
  check_two(*this, inputs, "src and tgt");
  return {decoder(inputs[1], encoder(inputs[0]))};
}

Tensor Transformer::generate_square_subsequent_mask(Integer size) {
  detail::expect_at_least(0, "generate_square_subsequent_mask", "size", size);
  Tensor mask = zeros({size, size});
  const std::span<float> values = mask.span<float>();
  for (std::int64_t row = 0; row < size; ++row) {
    const auto begin = values.begin() + row * size;
    std::fill(begin + row + 1, begin + size, -std::numeric_limits<float>::infinity());
  }
  return mask;
}

}  // namespace teff::nn

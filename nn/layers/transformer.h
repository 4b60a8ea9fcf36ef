// SPDX-License-Identifier: MIT
#pragma once

// Transformers (Vaswani et al., 2017). All sequences are [T, N, d_model], or [N, T, d_model] if batch_first, or without
// N. What of a sequence may be looked at says a SequenceMask:
//
//   nn::TransformerEncoderLayer layer{64, 4, {.dim_feedforward = 256, .batch_first = true}};
//   nn::TransformerEncoder encoder{layer, 2};
//   Tensor y = encoder(x, {.is_causal = true});

#include <optional>
#include <string>
#include <vector>

#include "teff/nn/layers/attention.h"
#include "teff/nn/layers/dropout.h"
#include "teff/nn/layers/linear.h"
#include "teff/nn/layers/module_list.h"
#include "teff/nn/layers/normalization.h"
#include "teff/nn/module.h"

namespace TEFF_EXPORT teff {
namespace nn {

/// As MultiheadAttentionCall says; all of them hold. is_causal needs no mask in memory, and none for its size: a model
/// that is captured with it takes sequences of any length.
struct SequenceMask {
  Tensor mask = {};              // [L, S] or [N * nhead, L, S]
  Tensor key_padding_mask = {};  // [N, S]
  bool is_causal = false;
};

enum class TransformerActivation { relu, gelu };

struct TransformerLayerOptions {
  Integer dim_feedforward = 2048;
  double dropout = 0.1;
  TransformerActivation activation = TransformerActivation::relu;
  double layer_norm_eps = 1e-5;
  bool batch_first = false;
  bool norm_first = false;  // norms before attention and feed-forward, not behind the sums
};

/// x = norm1(x + attention(x)), y = norm2(x + linear2(activation(linear1(x)))), with dropout within and at each end.
class TransformerEncoderLayer : public Module {
 public:
  /// @throws ValueError as MultiheadAttention, Linear, Dropout and LayerNorm do.
  TransformerEncoderLayer(Integer d_model, Integer nhead, const TransformerLayerOptions& options = {});

  MultiheadAttention self_attn;
  Linear linear1;
  Dropout dropout;
  Linear linear2;
  LayerNorm norm1, norm2;
  Dropout dropout1, dropout2;
  TEFF_MODULE(TransformerEncoderLayer, self_attn, linear1, dropout, linear2, norm1, norm2, dropout1, dropout2)

  Tensor operator()(const Tensor& src, const SequenceMask& mask = {});
  Tensor forward(const Tensor& src) override { return run(src, {}); }

 private:
  Tensor run(const Tensor& src, const SequenceMask& mask);

  TransformerLayerOptions options_;
};

/// The same with a second attention, to the encoder's output `memory`, between the two (norm2; norm3 is the last).
class TransformerDecoderLayer : public Module {
 public:
  /// @throws ValueError as TransformerEncoderLayer.
  TransformerDecoderLayer(Integer d_model, Integer nhead, const TransformerLayerOptions& options = {});

  MultiheadAttention self_attn, multihead_attn;
  Linear linear1;
  Dropout dropout;
  Linear linear2;
  LayerNorm norm1, norm2, norm3;
  Dropout dropout1, dropout2, dropout3;
  TEFF_MODULE(TransformerDecoderLayer, self_attn, multihead_attn, linear1, dropout, linear2, norm1, norm2, norm3,
              dropout1, dropout2, dropout3)

  /// tgt_mask: of tgt to itself; memory_mask: of tgt to memory.
  Tensor operator()(const Tensor& tgt, const Tensor& memory, const SequenceMask& tgt_mask = {},
                    const SequenceMask& memory_mask = {});
  /// {tgt, memory} -> {output}
  std::vector<Tensor> forward_many(std::span<const Tensor> inputs) override;

 private:
  Tensor run(const Tensor& tgt, const Tensor& memory, const SequenceMask& tgt_mask, const SequenceMask& memory_mask);

  TransformerLayerOptions options_;
};

/// Layers one after the other, each a copy of the one that is given, and a norm at the end.
class TransformerEncoder : public Module {
 public:
  /// @throws ValueError for num_layers below 1.
  TransformerEncoder(const TransformerEncoderLayer& encoder_layer, Integer num_layers,
                     const std::optional<LayerNorm>& norm = {});

  ModuleList layers;
  std::optional<LayerNorm> norm;
  TEFF_MODULE(TransformerEncoder, layers, norm)

  Tensor operator()(const Tensor& src, const SequenceMask& mask = {});
  Tensor forward(const Tensor& src) override { return run(src, {}); }

 private:
  Tensor run(const Tensor& src, const SequenceMask& mask);
};

class TransformerDecoder : public Module {
 public:
  /// @throws ValueError for num_layers below 1.
  TransformerDecoder(const TransformerDecoderLayer& decoder_layer, Integer num_layers,
                     const std::optional<LayerNorm>& norm = {});

  ModuleList layers;
  std::optional<LayerNorm> norm;
  TEFF_MODULE(TransformerDecoder, layers, norm)

  Tensor operator()(const Tensor& tgt, const Tensor& memory, const SequenceMask& tgt_mask = {},
                    const SequenceMask& memory_mask = {});
  /// {tgt, memory} -> {output}
  std::vector<Tensor> forward_many(std::span<const Tensor> inputs) override;

 private:
  Tensor run(const Tensor& tgt, const Tensor& memory, const SequenceMask& tgt_mask, const SequenceMask& memory_mask);
};

struct TransformerOptions {
  Integer d_model = 512;
  Integer nhead = 8;
  Integer num_encoder_layers = 6;
  Integer num_decoder_layers = 6;
  TransformerLayerOptions layer = {};
};

struct TransformerMasks {
  SequenceMask src = {}, tgt = {}, memory = {};
};

/// Encoder and decoder, both with a norm at the end. All weights of two dimensions begin with xavier_uniform_.
class Transformer : public Module {
 public:
  /// @throws ValueError as the layers do.
  explicit Transformer(const TransformerOptions& options = {});

  TransformerEncoder encoder;
  TransformerDecoder decoder;
  TEFF_MODULE(Transformer, encoder, decoder)

  Tensor operator()(const Tensor& src, const Tensor& tgt, const TransformerMasks& masks = {});
  /// {src, tgt} -> {output}
  std::vector<Tensor> forward_many(std::span<const Tensor> inputs) override;

  /// [size, size], 0 on and below the diagonal, -inf above: what is_causal says without a tensor.
  static Tensor generate_square_subsequent_mask(Integer size);
};

}  // namespace nn
}  // namespace teff

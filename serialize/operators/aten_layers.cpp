// SPDX-License-Identifier: MIT

// ATen's operators that layers are made of: convolutions, normalisation, embeddings, recurrent layers.

#include "teff/engine/error.h"
#include "teff/engine/ops.h"
#include "teff/engine/recurrent.h"
#include "teff/serialize/operators/aten_arguments.h"

namespace teff::serialize {
namespace {

using LayerCall = OperatorCall;

// --- convolution

struct Convolution {
  Tensor x, weight, bias;
  AtenNumbers stride, padding, dilation, extra;
  std::int64_t groups;
  bool is_single = false;  // without a batch

  explicit Convolution(const LayerCall& c)
      : x(c.tensor(0)),
        weight(c.tensor(1)),
        bias(c.maybe(2)),
        stride(aten_numbers(c, "stride", {1})),
        dilation(aten_numbers(c, "dilation", {1})),
        extra(aten_numbers(c, "output_padding", {0})),
        groups(c.integer("groups", 1)) {
    for (const char* name : {"benchmark", "deterministic", "cudnn_enabled", "allow_tf32"}) c.ignore(name);
    const std::optional<Value> pads = c.option("padding");
    if (rank() < 1 || rank() > 3) {
      throw UnsupportedError("expected weights for images of one, two or three dimensions, got " +
                             to_string(weight.shape()));
    }
    is_single = x.dim() == weight.dim() - 1;
    if (is_single) x = unsqueeze(x, 0);
    if (!pads || !pads->is_text()) {
      padding = aten_numbers(c, "padding", {0});
    } else if (pads->as_text() == "same") {
      pad_to_same();
    } else {
      expect_supported(pads->as_text() == "valid", "expected padding same or valid, got " + pads->as_text());
      padding = {0};
    }
  }

  std::int64_t rank() const { return weight.dim() - 2; }

  /// Where both sides cannot have as much, the end has one more.
  void pad_to_same() {
    IntList more;
    bool is_even = true;
    for (std::int64_t i = 0; i < rank(); ++i) {
      const std::int64_t d = dilation[dilation.size() == weight.shape().size() - 2 ? static_cast<std::size_t>(i) : 0];
      if (d < 1 || d > 1 << 20) throw FormatError("expected a dilation from 1 to 2^20, got " + std::to_string(d));
      const std::int64_t total = d * (weight.size(i + 2) - 1);
      padding.push_back(total / 2);
      more.insert(0, total % 2);
      more.insert(0, 0);
      is_even = is_even && total % 2 == 0;
    }
    if (!is_even) x = pad(x, more);
  }

  Tensor result(const Tensor& y) const { return is_single ? squeeze(y, 0) : y; }

  Tensor forward() const {
    if (rank() == 1) return conv1d(x, weight, bias, {one_of(stride), one_of(padding), one_of(dilation), groups});
    if (rank() == 2) return conv2d(x, weight, bias, {pair_of(stride), pair_of(padding), pair_of(dilation), groups});
    return conv3d(x, weight, bias, {triple_of(stride), triple_of(padding), triple_of(dilation), groups});
  }

  Tensor back() const {
    if (rank() == 1) {
      return conv_transpose1d(x, weight, bias,
                              {one_of(stride), one_of(padding), one_of(extra), groups, one_of(dilation)});
    }
    if (rank() == 2) {
      return conv_transpose2d(x, weight, bias,
                              {pair_of(stride), pair_of(padding), pair_of(extra), groups, pair_of(dilation)});
    }
    return conv_transpose3d(x, weight, bias,
                            {triple_of(stride), triple_of(padding), triple_of(extra), groups, triple_of(dilation)});
  }
};

Tensor convolved_as_told(const LayerCall& c, bool is_back) {
  const Convolution convolution(c);
  return convolution.result(is_back ? convolution.back() : convolution.forward());
}
Tensor convolved_forward(const LayerCall& c) { return convolved_as_told(c, false); }
Tensor convolved_back_again(const LayerCall& c) { return convolved_as_told(c, true); }
Tensor convolved_either_way(const LayerCall& c) { return convolved_as_told(c, c.flag("transposed", false)); }

// --- normalisation

Tensor statistic_if_any(const LayerCall& c, std::size_t i) { return c.has(i) ? c.statistic(i) : Tensor(); }

Tensor batch_normed(const LayerCall& c) {
  c.ignore("cudnn_enabled");
  const bool training = c.flag("training", false);
  expect_supported(training || c.has(3), "expected running statistics, got none");
  return batch_norm(c.tensor(0), statistic_if_any(c, 3), statistic_if_any(c, 4), c.maybe(1), c.maybe(2),
                    {training, c.number("momentum", 0.1), c.number("eps", 1e-5)});
}

Tensor instance_normed(const LayerCall& c) {
  c.ignore("cudnn_enabled");
  return instance_norm(c.tensor(0), statistic_if_any(c, 3), statistic_if_any(c, 4), c.maybe(1), c.maybe(2),
                       {c.flag("use_input_stats", true), c.number("momentum", 0.1), c.number("eps", 1e-5)});
}

Tensor layer_normed(const LayerCall& c) {
  c.ignore("cudnn_enable");
  return layer_norm(c.tensor(0), aten_list(c, "normalized_shape"), c.maybe(2), c.maybe(3), c.number("eps", 1e-5));
}

Tensor group_normed(const LayerCall& c) {
  c.ignore("cudnn_enabled");
  return group_norm(c.tensor(0), c.integer("num_groups", 1), c.maybe(2), c.maybe(3), c.number("eps", 1e-5));
}

Tensor rms_normed(const LayerCall& c) {
  return rms_norm(c.tensor(0), aten_list(c, "normalized_shape"), c.maybe(2), aten_number(c, "eps"));
}

// What is there for the gradient alone is none.

TensorList batch_normed_alone(const LayerCall& c) {
  expect_supported(!c.flag("training", false), "expected native_batch_norm in evaluation, got one in training");
  return {batch_normed(c), Tensor(), Tensor()};
}
TensorList layer_normed_alone(const LayerCall& c) { return {layer_normed(c), Tensor(), Tensor()}; }
TensorList group_normed_alone(const LayerCall& c) {
  for (const char* name : {"N", "C", "HxW"}) c.ignore(name);
  return {group_norm(c.tensor(0), c.integer("group", 1), c.maybe(1), c.maybe(2), c.number("eps", 1e-5)), Tensor(),
          Tensor()};
}

/// v * (g / length of v), for each slice of `dim`, or for all of v.
Tensor weight_normed(const LayerCall& c) {
  const Tensor v = c.tensor(0);
  const std::int64_t given = c.integer("dim", 0), dim = given == -1 ? v.dim() : c.axis(given, v.dim());
  IntList others;
  for (std::int64_t i = 0; i < v.dim(); ++i) {
    if (i != dim) others.push_back(i);
  }
  return v * (c.tensor(1) / (others.empty() ? abs(v) : norm(v, 2, others, true)));
}

template <Tensor (*function)(const Tensor&, double, bool)>
Tensor dropped_out(const LayerCall& c) {
  return function(c.tensor(0), c.number("p", 0.5), c.flag("train", true));
}

TensorList dropped_out_alone(const LayerCall& c) {
  return {dropout(c.tensor(0), c.number("p", 0.5), c.flag("train", true)), Tensor()};
}

// --- words

void check_gradients_of_words(const LayerCall& c) {
  for (const char* name : {"scale_grad_by_freq", "sparse"}) {
    expect_supported(!c.flag(name, false), std::string("expected an embedding without ") + name + ", got one with it");
  }
}

std::optional<std::int64_t> padding_word(const LayerCall& c) {
  const std::int64_t place = c.integer("padding_idx", -1);
  return place >= 0 ? std::optional(place) : std::nullopt;
}

Tensor embedded(const LayerCall& c) {
  check_gradients_of_words(c);
  return embedding(aten_index(c, 1), c.tensor(0), padding_word(c));
}

/// Without offsets each row of the indices is a bag, as PyTorch's layer takes them.
TensorList embedded_bags(const LayerCall& c) {
  check_gradients_of_words(c);
  const std::int64_t mode = c.integer("mode", 0);
  expect_supported(mode >= 0 && mode <= 2, "expected a mode of 0, 1 or 2, got " + std::to_string(mode));
  EmbeddingBagFuncOptions options;
  if (c.has(2)) options.offsets = aten_index(c, 2);
  options.per_sample_weights = c.maybe(6);
  options.mode = mode == 0 ? EmbeddingBagMode::sum : mode == 1 ? EmbeddingBagMode::mean : EmbeddingBagMode::max;
  options.include_last_offset = c.flag("include_last_offset", false);
  options.padding_idx = padding_word(c);
  return {embedding_bag(aten_index(c, 1), c.tensor(0), options), Tensor(), Tensor(), Tensor()};
}

// --- recurrent layers

/// lstm(input, hx, params, has_biases, num_layers, dropout, train, bidirectional, batch_first)
struct Recurrent {
  RecurrentCell cell;
  bool has_biases, bidirectional, batch_first;
  std::int64_t layers;
  std::vector<Tensor> params;
  std::size_t per_direction;

  Recurrent(const LayerCall& c, RecurrentCell kind)
      : cell(kind),
        has_biases(c.flag("has_biases", true)),
        bidirectional(c.flag("bidirectional", false)),
        batch_first(c.flag("batch_first", false)),
        layers(c.integer("num_layers", 1)),
        params(aten_tensors(c, "params")),
        per_direction(has_biases ? 4 : 2) {
    const std::size_t directions = bidirectional ? 2 : 1;
    const bool drops = c.flag("train", false) && c.number("dropout", 0) > 0;
    c.ignore("dropout");
    expect_supported(layers >= 1 && layers <= 64, "expected 1 to 64 layers, got " + std::to_string(layers));
    const std::size_t cells = static_cast<std::size_t>(layers) * directions;
    if (params.size() == cells * (per_direction + 1) && kind == RecurrentCell::lstm) ++per_direction;  // projections
    if (params.size() != cells * per_direction) {
      throw FormatError("expected weights for each layer and direction, got " + std::to_string(params.size()));
    }
    expect_supported(!drops || layers == 1,
                     "expected recurrent layers without dropout between them in training, got some");
  }

  RecurrentWeights weights(std::size_t place) const {
    const Tensor* first = &params[place * per_direction];
    RecurrentWeights weights{first[0], first[1], {}, {}, {}};
    if (has_biases) {
      weights.bias_ih = first[2];
      weights.bias_hh = first[3];
    }
    if (per_direction == (has_biases ? 5U : 3U)) weights.weight_hr = first[has_biases ? 4 : 2];
    return weights;
  }

  /// Output, last states and, of an lstm, last cells.
  TensorList run(const Tensor& input, const Tensor& h, const Tensor& cells) const {
    expect_supported(input.dim() == 3, "expected sequences with a batch, got " + to_string(input.shape()));
    Tensor x = batch_first ? transpose(input, 0, 1) : input;
    std::vector<Tensor> last_h, last_c;
    std::size_t place = 0;
    for (std::int64_t layer = 0; layer < layers; ++layer) {
      std::vector<Tensor> outputs;
      for (const bool reverse : {false, true}) {
        if (reverse && !bidirectional) break;
        const auto row = static_cast<std::int64_t>(place);
        RecurrentState initial{select(h, 0, row), cells.defined() ? select(cells, 0, row) : Tensor()};
        RecurrentLayerOptions options;
        options.cell = cell;
        options.reverse = reverse;
        const RecurrentResult result = recurrent_layer(x, weights(place++), initial, options);
        outputs.push_back(result.output);
        last_h.push_back(result.state.h);
        last_c.push_back(result.state.c);
      }
      x = outputs.size() == 1 ? outputs[0] : cat(outputs, 2);
    }
    TensorList results{batch_first ? transpose(x, 0, 1) : x, stack(last_h, 0)};
    if (cell == RecurrentCell::lstm) results.push_back(stack(last_c, 0));
    return results;
  }
};

TensorList long_short_term(const LayerCall& c) {
  const std::vector<Tensor> state = aten_tensors(c, "hx");
  if (state.size() != 2) throw FormatError("expected states and cells, got " + std::to_string(state.size()));
  return Recurrent(c, RecurrentCell::lstm).run(c.tensor(0), state[0], state[1]);
}

template <RecurrentCell cell>
TensorList recurrent_of(const LayerCall& c) {
  return Recurrent(c, cell).run(c.tensor(0), c.tensor(1), {});
}

/// One step: gru_cell(input, hx, w_ih, w_hh, b_ih, b_hh).
RecurrentState step_of(const LayerCall& c, RecurrentCell cell, const RecurrentState& before) {
  const RecurrentWeights weights{c.tensor(2), c.tensor(3), c.maybe(4), c.maybe(5), {}};
  return recurrent_layer(unsqueeze(c.tensor(0), 0), weights, before, {.cell = cell}).state;
}

template <RecurrentCell cell>
Tensor stepped(const LayerCall& c) {
  return step_of(c, cell, {c.tensor(1), {}}).h;
}

TensorList stepped_lstm(const LayerCall& c) {
  const std::vector<Tensor> before = aten_tensors(c, "hx");
  if (before.size() != 2) throw FormatError("expected state and cell, got " + std::to_string(before.size()));
  const RecurrentState after = step_of(c, RecurrentCell::lstm, {before[0], before[1]});
  return {after.h, after.c};
}

constexpr std::string_view kConvolution = "input weight bias stride padding dilation groups";
constexpr std::string_view kConvolutionBack = "input weight bias stride padding output_padding groups dilation";
constexpr std::string_view kAnyConvolution =
    "input weight bias stride padding dilation transposed output_padding groups benchmark deterministic cudnn_enabled "
    "allow_tf32";
constexpr std::string_view kRecurrent = "input hx params has_biases num_layers dropout train bidirectional batch_first";
constexpr std::string_view kCell = "input hx w_ih w_hh b_ih b_hh";
constexpr std::string_view kDropout = "input p train";
constexpr std::string_view kBatchNorm =
    "input weight bias running_mean running_var training momentum eps cudnn_enabled";
constexpr std::string_view kLayerNorm = "input normalized_shape weight bias eps cudnn_enable";

constexpr AtenRow kAtenLayers[] = {
    {"_convolution", kAnyConvolution, convolved_either_way},
    {"_convolution_mode", kConvolution, convolved_forward},
    {"_native_batch_norm_legit_no_training", "input weight bias running_mean running_var momentum eps",
     batch_normed_alone},
    {"_weight_norm", "v g dim", weight_normed},
    {"alpha_dropout", kDropout, dropped_out<alpha_dropout>},
    {"batch_norm", kBatchNorm, batch_normed},
    {"conv1d", kConvolution, convolved_forward},
    {"conv2d", kConvolution, convolved_forward},
    {"conv3d", kConvolution, convolved_forward},
    {"conv_transpose1d", kConvolutionBack, convolved_back_again},
    {"conv_transpose2d", kConvolutionBack, convolved_back_again},
    {"conv_transpose3d", kConvolutionBack, convolved_back_again},
    {"convolution", kAnyConvolution, convolved_either_way},
    {"dropout", kDropout, dropped_out<dropout>},
    {"embedding", "weight indices padding_idx scale_grad_by_freq sparse", embedded},
    {"embedding_bag",
     "weight indices offsets scale_grad_by_freq mode sparse per_sample_weights include_last_offset padding_idx",
     embedded_bags},
    {"feature_alpha_dropout", kDropout, dropped_out<feature_alpha_dropout>},
    {"feature_dropout", kDropout, dropped_out<dropout2d>},
    {"group_norm", "input num_groups weight bias eps cudnn_enabled", group_normed},
    {"gru", kRecurrent, recurrent_of<RecurrentCell::gru>},
    {"gru_cell", kCell, stepped<RecurrentCell::gru>},
    {"instance_norm", "input weight bias running_mean running_var use_input_stats momentum eps cudnn_enabled",
     instance_normed},
    {"layer_norm", kLayerNorm, layer_normed},
    {"lstm", kRecurrent, long_short_term},
    {"lstm_cell", kCell, stepped_lstm},
    {"native_batch_norm", kBatchNorm, batch_normed_alone},
    {"native_dropout", kDropout, dropped_out_alone},
    {"native_group_norm", "input weight bias N C HxW group eps", group_normed_alone},
    {"native_layer_norm", kLayerNorm, layer_normed_alone},
    {"rms_norm", "input normalized_shape weight eps", rms_normed},
    {"rnn_relu", kRecurrent, recurrent_of<RecurrentCell::rnn_relu>},
    {"rnn_relu_cell", kCell, stepped<RecurrentCell::rnn_relu>},
    {"rnn_tanh", kRecurrent, recurrent_of<RecurrentCell::rnn_tanh>},
    {"rnn_tanh_cell", kCell, stepped<RecurrentCell::rnn_tanh>},
};
static_assert(is_in_order(kAtenLayers));

}  // namespace

const std::span<const AtenRow> operators::aten_layers = kAtenLayers;

}  // namespace teff::serialize

// SPDX-License-Identifier: MIT

// The way out of products, normalisation, attention and recurrent layers.

#include <cmath>

#include "teff/engine/ops.h"
#include "teff/serialize/operators/export_call.h"

namespace teff::serialize {
namespace outgoing {
namespace {

using Call = ExportCall;
using Numbers = std::vector<std::int64_t>;

/// The last two dimensions exchanged.
Term turned(Call& c, const Term& x, std::int64_t rank) {
  Numbers order;
  for (std::int64_t i = 0; i < rank; ++i) order.push_back(i);
  std::swap(order[order.size() - 2], order[order.size() - 1]);
  return c.transpose(x, order);
}

Term affine(Call& c) {
  if (c.rank(0) == 2) return c.node("Gemm", c.all(), {{"transB", 1}});
  const Term y = c.node("MatMul", {c.in(0), turned(c, c.in(1), 2)});
  return c.input_count() > 2 ? y + c.in(2) : y;
}

Term pairs_product(Call& c) {
  const Term a = c.flag("transpose_a") ? turned(c, c.in(0), 3) : c.in(0);
  const Term b = c.flag("transpose_b") ? turned(c, c.in(1), 3) : c.in(1);
  return c.node("MatMul", {a, b});
}

/// Input i where the option says that it is there, else that number for each of `count`.
Term or_else(Call& c, const char* has, std::size_t& next, double otherwise, std::int64_t count) {
  if (c.flag(has)) return c.in(next++);
  return c.constant(full({count}, otherwise, {.dtype = c.type(0).dtype}));
}

Term by_statistics(Call& c, std::size_t next, double momentum) {
  const std::int64_t channels = c.fixed(0, 1);
  const Term mean = c.in(1), variance = c.in(2);
  const Term weight = or_else(c, "has_weight", next, 1, channels), bias = or_else(c, "has_bias", next, 0, channels);
  return c.node("BatchNormalization", {c.in(0), weight, bias, mean, variance},
                {{"epsilon", c.number("eps")}, {"momentum", 1 - momentum}});
}

/// Ones behind the channels.
Term by_channel(Call& c, const Term& x) {
  Numbers sizes(static_cast<std::size_t>(c.rank(0) - 1), 1);
  sizes[0] = -1;
  return c.reshape(x, sizes);
}

Term batch_normalised(Call& c) {
  if (c.flag("has_running_stats")) return by_statistics(c, 3, c.number("momentum", 0.1));
  Numbers axes{0};
  for (std::int64_t i = 2; i < c.rank(0); ++i) axes.push_back(i);
  const Term apart = c.in(0) - c.reduce("ReduceMean", c.in(0), axes, true);
  const Term variance = c.reduce("ReduceMean", apart * apart, axes, true);
  Term y = apart / c.node("Sqrt", {variance + c.number("eps")});
  std::size_t next = 1;
  if (c.flag("has_weight")) y = y * by_channel(c, c.in(next++));
  if (c.flag("has_bias")) y = y + by_channel(c, c.in(next));
  return y;
}

Term instance_normalised(Call& c) { return by_statistics(c, 3, c.number("momentum", 0.1)); }

/// Each group as a channel of a row.
Term group_normalised(Call& c) {
  const std::int64_t groups = c.integer("num_groups"), channels = c.fixed(0, 1);
  const DType dtype = c.type(0).dtype;
  std::size_t next = 1;
  if (groups == channels && c.rank(0) > 2) {
    const Term weight = or_else(c, "has_weight", next, 1, channels), bias = or_else(c, "has_bias", next, 0, channels);
    return c.node("InstanceNormalization", {c.in(0), weight, bias}, {{"epsilon", c.number("eps")}});
  }
  const Term rows = c.node("Reshape", {c.in(0), c.constants({0, groups, -1})});
  const Term ones = c.constant(full({groups}, 1, {.dtype = dtype})),
             none = c.constant(full({groups}, 0, {.dtype = dtype}));
  const Term normal = c.node("InstanceNormalization", {rows, ones, none}, {{"epsilon", c.number("eps")}});
  Term y = c.node("Reshape", {normal, c.shape_of(0)});
  if (c.flag("has_weight")) y = y * by_channel(c, c.in(next++));
  if (c.flag("has_bias")) y = y + by_channel(c, c.in(next));
  return y;
}

Term layer_normalised(Call& c) {
  const Numbers shape = c.integers("normalized_shape");
  std::size_t next = 1;
  const Term weight =
      c.flag("has_weight") ? c.in(next++) : c.constant(ones(IntList(std::span(shape)), {.dtype = c.type(0).dtype}));
  Terms inputs{c.in(0), weight};
  if (c.flag("has_bias")) inputs.push_back(c.in(next));
  return c.node("LayerNormalization", inputs,
                {{"axis", -static_cast<std::int64_t>(shape.size())}, {"epsilon", c.number("eps")}});
}

/// softmax(Q K^T * scale + mask) V
Term attended(Call& c) {
  const DType dtype = c.type(0).dtype;
  const std::int64_t rank = c.rank(0);
  const double scale = c.has("scale") ? c.number("scale") : 1 / std::sqrt(static_cast<double>(c.fixed(0, rank - 1)));
  Term scores = c.node("MatMul", {c.in(0) * scale, turned(c, c.in(1), c.rank(1))});
  const double nothing = -std::numeric_limits<double>::infinity();
  const auto only = [&](const Term& may) {
    return Call::as(c.node("Where", {may, scores, c.constant(nothing, dtype)}), dtype);
  };
  if (c.input_count() > 3) scores = c.type(3).dtype == DType::bool_ ? only(c.in(3)) : scores + c.in(3);
  if (c.flag("is_causal")) {
    const auto length = [&](std::size_t i) {
      return c.node("Gather", {c.shape_of(i), c.constants({c.rank(i) - 2})}, {{"axis", 0}});
    };
    const Term size = c.node("Concat", {length(0), length(1)}, {{"axis", 0}});
    const Term every = c.node("Expand", {c.constant(1, DType::float32), size});
    scores = only(c.cast(c.node("Trilu", {every}, {{"upper", 0}}), DType::bool_));
  }
  return c.node("MatMul", {c.node("Softmax", {scores}, {{"axis", -1}}), c.in(2)});
}

/// The rows of each gate in ONNX's order, as one direction of several.
Term gates(Call& c, const Term& rows, const Numbers& order, std::int64_t hidden) {
  if (order.size() == 1) return rows;
  Terms parts;
  for (const std::int64_t gate : order) {
    parts.push_back(c.slice(rows, 0, c.constants({gate * hidden}), c.constants({(gate + 1) * hidden})));
  }
  return c.node("Concat", parts, {{"axis", 0}});
}

Terms recurrent(Call& c) {
  const std::string& cell = c.text("cell");
  const bool is_lstm = cell == "lstm", is_gru = cell == "gru", has_bias = c.flag("has_bias");
  if (c.flag("has_projection")) c.refuse("expected an LSTM without projection, which ONNX does not have, got one with");
  const Numbers order = is_lstm ? Numbers{0, 3, 1, 2} : is_gru ? Numbers{1, 0, 2} : Numbers{0};
  const std::int64_t hidden = c.fixed(2, 1);
  const auto weights = [&](std::size_t i) { return c.unsqueeze(gates(c, c.in(i), order, hidden), {0}); };
  Terms inputs{c.in(0), weights(1), weights(2), c.none(), c.none(), c.none(), c.none()};
  std::size_t next = 3;
  if (has_bias) {
    const Terms both{gates(c, c.in(3), order, hidden), gates(c, c.in(4), order, hidden)};
    inputs[3] = c.unsqueeze(c.node("Concat", both, {{"axis", 0}}), {0});
    next = 5;
  }
  if (c.flag("has_state")) {
    inputs[5] = c.unsqueeze(c.in(next++), {0});
    if (is_lstm) inputs[6] = c.unsqueeze(c.in(next++), {0});
  }
  if (c.flag("has_lengths")) inputs[4] = c.cast(c.in(next), DType::int32);
  while (inputs.back().name.empty()) inputs.pop_back();
  Dict attributes{{"hidden_size", hidden}, {"direction", c.flag("reverse") ? "reverse" : "forward"}};
  if (is_gru) attributes.insert("linear_before_reset", 1);
  if (cell == "rnn_relu") attributes.insert("activations", List{"Relu"});
  Terms results = c.nodes(is_lstm ? "LSTM" : is_gru ? "GRU" : "RNN", inputs, is_lstm ? 3 : 2, std::move(attributes));
  results[0] = c.squeeze(results[0], {1});
  for (std::size_t i = 1; i < results.size(); ++i) results[i] = c.squeeze(results[i], {0});
  return results;
}

constexpr ExportRow kOutLayerRows[] = {
    {"batch_norm", "BatchNormalization", batch_normalised, "without running statistics ReduceMean, Sub, Div"},
    {"bmm", "MatMul", pairs_product},
    {"group_norm", "Reshape, InstanceNormalization", group_normalised},
    {"instance_norm", "BatchNormalization", instance_normalised, "comes back as batch_norm"},
    {"layer_norm", "LayerNormalization", layer_normalised},
    {"linear", "Gemm", affine, "of other inputs than matrices MatMul, Add"},
    {"matmul", "MatMul"},
    {"recurrent_layer", "LSTM, GRU, RNN", recurrent, "without projection"},
    {"scaled_dot_product_attention", "MatMul, Softmax", attended},
};

}  // namespace
}  // namespace outgoing

const std::span<const ExportRow> operators::out_layers = outgoing::kOutLayerRows;

}  // namespace teff::serialize

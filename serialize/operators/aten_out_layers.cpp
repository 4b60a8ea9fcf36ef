// SPDX-License-Identifier: MIT

// The way out to ATen of products, normalisation, attention and recurrent layers.

#include "teff/serialize/operators/aten_export.h"

namespace teff::serialize {
namespace aten_outgoing {
namespace {

using Call = AtenCall;

/// Weight and bias, as far as there are any, from that input on. A bias alone has ones beside it: PyTorch 1.13 has no
/// gradient of it without.
std::string affine(Call& c, std::size_t next) {
  const std::string weight = c.in_if("has_weight", next), bias = c.in_if("has_bias", next);
  if (weight == "None" && bias != "None") return "torch.ones_like(" + bias + "), " + bias;
  return weight + ", " + bias;
}

/// Of statistics with a counter beside them each batch in training is counted.
std::string batch_normalised(Call& c) {
  const bool has_statistics = c.flag("has_running_stats");
  const std::string training = has_statistics ? c.training() : "True";
  const std::string counter = has_statistics ? c.counter(1) : "";
  if (!counter.empty() && training != "False") {
    c.statement("if " + training + ":");
    c.statement("  " + c.fresh("_") + " = torch.add_(" + counter + ", 1)");
    c.statement("else:");
    c.statement("  pass");
  }
  return "torch.batch_norm(" + c.in(0) + ", " + affine(c, has_statistics ? 3 : 1) + ", " +
         (has_statistics ? c.in(1) + ", " + c.in(2) : "None, None") + ", " + training +
         c.filled(", {momentum}, {eps}, True)");
}

std::string instance_normalised(Call& c) {
  return "torch.instance_norm(" + c.in(0) + ", " + affine(c, 3) +
         c.filled(", {1}, {2}, {training}, {momentum}, {eps}, True)");
}

std::string group_normalised(Call& c) {
  return c.filled("torch.group_norm({0}, {num_groups}, ") + affine(c, 1) + c.filled(", {eps}, True)");
}

std::string layer_normalised(Call& c) {
  return c.filled("torch.layer_norm({0}, {normalized_shape}, ") + affine(c, 1) + c.filled(", {eps}, True)");
}

std::string pairs_product(Call& c) {
  const auto side = [&](std::size_t i, const char* option) {
    return c.flag(option) ? "torch.transpose(" + c.in(i) + ", 1, 2)" : c.in(i);
  };
  return "torch.matmul(" + side(0, "transpose_a") + ", " + side(1, "transpose_b") + ')';
}

/// softmax(q k^T scale + mask) v. PyTorch 1.13 has no operator for it that 2.6 has, too.
std::string attended(Call& c) {
  std::string scores = c.let(c.filled("torch.matmul({0}, torch.transpose({1}, -2, -1))"));
  const std::string scale =
      c.has("scale") ? c.option("scale") : "torch.div(1, torch.sqrt(torch.size(" + c.in(0) + ", -1)))";
  scores = c.let("torch.mul(" + scores + ", " + scale + ')');
  if (c.flag("is_causal")) {
    scores = c.let("torch.add(" + scores + ", torch.triu(torch.full_like(" + scores + ", -inf), 1))");
  }
  if (c.input_count() > 3) {
    const bool may_look = c.type(3).dtype == DType::bool_;
    scores = c.let(may_look ? "torch.masked_fill(" + scores + ", torch.logical_not(" + c.in(3) + "), -inf)"
                            : "torch.add(" + scores + ", " + c.in(3) + ')');
  }
  std::string weights = c.let("torch.softmax(" + scores + ", -1)");
  if (c.number("dropout_p") != 0) weights = c.let("torch.dropout(" + weights + c.filled(", {dropout_p}, {training})"));
  return "torch.matmul(" + weights + ", " + c.in(2) + ')';
}

/// One layer in one direction: back in time is forward on what is turned round.
AtenValues recurrent(Call& c) {
  const std::string& cell = c.text("cell");
  const bool is_lstm = cell == "lstm", reverse = c.flag("reverse"), has_bias = c.flag("has_bias");
  if (c.flag("has_lengths")) c.refuse("expected sequences of one length, got lengths");
  std::size_t next = has_bias ? 5 : 3;
  std::string weights = c.in(1);
  for (std::size_t i = 2; i < next; ++i) weights += ", " + c.in(i);
  const std::string projection = c.flag("has_projection") ? c.in(next++) : "";
  if (!projection.empty()) weights += ", " + projection;
  const auto state = [&](const std::string& width) {
    if (c.flag("has_state")) return "torch.unsqueeze(" + c.in(next++) + ", 0)";
    return "torch.new_zeros(" + c.in(0) + ", [1, torch.size(" + c.in(0) + ", 1), " + width + "])";
  };
  // [hidden] or, of what is projected, its size; and that of the memory.
  std::string first = state("torch.size(" + c.in(2) + ", 1)");
  if (is_lstm) {
    const std::string memory = state("torch.floordiv(torch.size(" + c.in(2) + ", 0), 4)");
    first = '[' + first + ", " + memory + ']';
  }
  const std::string x = reverse ? "torch.flip(" + c.in(0) + ", [0])" : c.in(0);
  AtenValues results = c.let_several("torch." + cell + '(' + x + ", " + first + ", [" + weights + "], " +
                                         (has_bias ? "True" : "False") + ", 1, 0.0, False, False, False)",
                                     is_lstm ? 3 : 2);
  if (reverse) results[0] = c.let("torch.flip(" + results[0] + ", [0])");
  for (std::size_t i = 1; i < results.size(); ++i) results[i] = c.let("torch.squeeze(" + results[i] + ", 0)");
  return results;
}

constexpr AtenExport kAtenLayersRows[] = {
    {"batch_norm", "batch_norm", batch_normalised},
    {"bmm", "matmul", pairs_product},
    {"group_norm", "group_norm", group_normalised},
    {"instance_norm", "instance_norm", instance_normalised},
    {"layer_norm", "layer_norm", layer_normalised},
    {"linear", "torch.linear({0}, {1}, {2?})"},
    {"matmul", "torch.matmul({0}, {1})"},
    {"recurrent_layer", "lstm, gru, rnn_tanh, rnn_relu", recurrent, "of sequences of one length"},
    {"scaled_dot_product_attention", "matmul, softmax", attended},
};

}  // namespace
}  // namespace aten_outgoing

const std::span<const AtenExport> operators::aten_out_layers = aten_outgoing::kAtenLayersRows;

}  // namespace teff::serialize

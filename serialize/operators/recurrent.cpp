// SPDX-License-Identifier: MIT

// Recurrent layers. ONNX has one tensor for the weights of both directions, and another order of the gates.

#include <algorithm>

#include "teff/engine/error.h"
#include "teff/engine/ops.h"
#include "teff/engine/recurrent.h"
#include "teff/serialize/operators/operator_call.h"

namespace teff::serialize {
namespace {

using Call = OperatorCall;

/// The rows of each gate, of `order` in the order of Teff.
Tensor reordered(const Tensor& rows, std::initializer_list<std::int64_t> order) {
  const auto gates = static_cast<std::int64_t>(order.size());
  if (gates == 1) return rows;
  const std::vector<Tensor> parts = split(rows, rows.size(0) / gates, 0);
  std::vector<Tensor> result;
  for (const std::int64_t gate : order) result.push_back(parts.at(static_cast<std::size_t>(gate)));
  return cat(result, 0);
}

RecurrentWeights weights_of(const Call& c, std::int64_t direction, std::initializer_list<std::int64_t> order) {
  RecurrentWeights weights;
  weights.weight_ih = reordered(select(c.tensor(1), 0, direction), order);
  weights.weight_hh = reordered(select(c.tensor(2), 0, direction), order);
  if (c.has(3)) {
    const std::vector<Tensor> both = chunk(select(c.tensor(3), 0, direction), 2, 0);
    weights.bias_ih = reordered(both.at(0), order);
    weights.bias_hh = reordered(both.at(1), order);
  }
  return weights;
}

/// The activations of all directions, which must be these.
void check_activations(const Call& c, std::string_view usual) {
  const auto given = c.option("activations");
  if (given) {
    std::string all;
    for (const Value& one : given->as_list()) all += one.as_text() + ' ';
    std::transform(all.begin(), all.end(), all.begin(), [](char l) { return l >= 'A' && l <= 'Z' ? char(l + 32) : l; });
    const std::string once = std::string(usual), twice = once + once;
    expect_supported(all == once || all == twice, "expected the activations " + once + "got others");
  }
  expect_supported(c.numbers("activation_alpha").empty() && c.numbers("activation_beta").empty() && !c.option("clip"),
                   "expected activations without numbers of their own and no clip, got some");
}

/// A gated unit whose reset gate comes before the product: n = tanh(W x + b + V (r * h) + d). Step by step, for
/// recurrent_layer has the gate behind it.
RecurrentResult reset_first(const Tensor& x, const RecurrentWeights& weights, Tensor h, bool reverse) {
  const std::int64_t steps = x.size(0), hidden = weights.weight_hh.size(1);
  expect_supported(steps >= 1 && steps <= 512,
                   "expected linear_before_reset = 0 for 1 to 512 steps, got " + std::to_string(steps));
  const auto rows = [&](const Tensor& all, std::int64_t dim, std::int64_t first, std::int64_t count) {
    return all.defined() ? slice(all, dim, first * hidden, (first + count) * hidden) : all;
  };
  const Tensor products = linear(x, weights.weight_ih, weights.bias_ih);
  const Tensor gates_of = rows(weights.weight_hh, 0, 0, 2), new_of = rows(weights.weight_hh, 0, 2, 1);
  const Tensor gates_bias = rows(weights.bias_hh, 0, 0, 2), new_bias = rows(weights.bias_hh, 0, 2, 1);
  std::vector<Tensor> outputs(static_cast<std::size_t>(steps));
  for (std::int64_t i = 0; i < steps; ++i) {
    const std::int64_t step = reverse ? steps - 1 - i : i;
    const Tensor part = select(products, 0, step);
    const Tensor gates = sigmoid(rows(part, 1, 0, 2) + linear(h, gates_of, gates_bias));
    const Tensor fresh = tanh(rows(part, 1, 2, 1) + linear(rows(gates, 1, 0, 1) * h, new_of, new_bias));
    h = fresh + rows(gates, 1, 1, 1) * (h - fresh);
    outputs[static_cast<std::size_t>(step)] = h;
  }
  return {stack(outputs, 0), {h, {}}};
}

TensorList layer(const Call& c, RecurrentCell cell, std::initializer_list<std::int64_t> order) {
  c.ignore("hidden_size");
  c.ignore("output_sequence");
  const bool batch_first = c.flag("layout", false), is_lstm = cell == RecurrentCell::lstm;
  const std::string direction = c.text("direction", "forward");
  const Tensor lengths = c.has(4) ? to(c.tensor(4), DType::int64) : Tensor();
  expect_supported(!c.has(7), "expected an LSTM without peepholes, got some");
  const std::int64_t directions = direction == "bidirectional" ? 2 : 1;
  const Tensor x = batch_first ? transpose(c.tensor(0), 0, 1) : c.tensor(0);
  std::vector<Tensor> outputs, last_h, last_c;
  const auto state = [&](std::size_t input, std::int64_t d) {
    if (!c.has(input)) return Tensor();
    return select(c.tensor(input), batch_first ? 1 : 0, d);
  };
  for (std::int64_t d = 0; d < directions; ++d) {
    RecurrentState initial{state(5, d), is_lstm ? state(6, d) : Tensor()};
    const auto zeros_like_state = [&] {
      const Tensor zero = full({}, 0.0, {.dtype = x.dtype()});
      return expand(zero, {x.size(1), c.tensor(2).size(2)});
    };
    if (is_lstm && initial.h.defined() != initial.c.defined()) {
      (initial.h.defined() ? initial.c : initial.h) = zeros_like_state();
    }
    const bool reverse = direction == "reverse" || d == 1;
    const bool resets_first = cell == RecurrentCell::gru && !c.flag("linear_before_reset", false);
    expect_supported(!resets_first || !lengths.defined(),
                     "expected linear_before_reset = 1 of sequences of several lengths, got 0");
    if (resets_first && !initial.h.defined()) initial.h = zeros_like_state();
    const RecurrentResult result = resets_first
                                       ? reset_first(x, weights_of(c, d, order), initial.h, reverse)
                                       : recurrent_layer(x, weights_of(c, d, order), initial,
                                                         {.cell = cell, .reverse = reverse, .lengths = lengths});
    outputs.push_back(result.output);
    last_h.push_back(result.state.h);
    last_c.push_back(result.state.c);
  }
  const std::int64_t place = batch_first ? 1 : 0;
  Tensor all = stack(outputs, 1);
  if (batch_first) all = permute(all, {2, 0, 1, 3});
  TensorList results{all, stack(last_h, place)};
  if (is_lstm) results.push_back(stack(last_c, place));
  return results;
}

TensorList lstm_of(const Call& c) {
  check_activations(c, "sigmoid tanh tanh ");
  expect_supported(!c.flag("input_forget", false), "expected gates of their own, got input_forget");
  return layer(c, RecurrentCell::lstm, {0, 2, 3, 1});
}

TensorList gru_of(const Call& c) {
  check_activations(c, "sigmoid tanh ");
  return layer(c, RecurrentCell::gru, {1, 0, 2});
}

TensorList rnn_of(const Call& c) {
  bool is_relu = false;
  if (const auto given = c.option("activations"); given && !given->as_list().empty()) {
    is_relu = given->as_list()[0].as_text() == "Relu";
  }
  check_activations(c, is_relu ? "relu " : "tanh ");
  return layer(c, is_relu ? RecurrentCell::rnn_relu : RecurrentCell::rnn_tanh, {0});
}

constexpr OperatorRow kRecurrentRows[] = {
    {"GRU", gru_of},
    {"LSTM", lstm_of},
    {"RNN", rnn_of},
};

}  // namespace

const std::span<const OperatorRow> operators::recurrent = kRecurrentRows;

}  // namespace teff::serialize

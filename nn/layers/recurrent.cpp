// SPDX-License-Identifier: MIT
#include "teff/nn/layers/recurrent.h"

#include <cmath>

#include "teff/engine/error.h"
#include "teff/engine/error_text.h"
#include "teff/engine/modes.h"
#include "teff/engine/ops.h"
#include "teff/nn/init.h"
#include "teff/nn/text.h"

namespace teff::nn {
namespace {

using detail::python_bool;

Parameter uniform_parameter(const Shape& shape, std::int64_t hidden_size) {
  const double bound = 1 / std::sqrt(static_cast<double>(hidden_size));
  return init::uniform_(empty(shape), -bound, bound);
}

RecurrentCell cell_of(RNNNonlinearity nonlinearity) {
  return nonlinearity == RNNNonlinearity::relu ? RecurrentCell::rnn_relu : RecurrentCell::rnn_tanh;
}

/// h and c where a module takes them after its input.
RecurrentState state_of(const Module& module, std::span<const Tensor> inputs, bool has_cells) {
  const std::size_t most = has_cells ? 3 : 2;
  if (inputs.size() == 1) return {};
  if (inputs.size() != most) {
    throw Error(module.type_name() + ": expected 1 input, or " + std::to_string(most) + " with the state, got " +
                std::to_string(inputs.size()));
  }
  return {inputs[1], has_cells ? inputs[2] : Tensor()};
}

std::vector<Tensor> defined_ones(std::initializer_list<Tensor> tensors) {
  std::vector<Tensor> result;
  for (const Tensor& tensor : tensors) {
    if (tensor.defined()) result.push_back(tensor);
  }
  return result;
}

Tensor with_batch_dim(const Tensor& x, Integer dim) { return x.defined() ? unsqueeze(x, dim) : x; }
Tensor without_batch_dim(const Tensor& x, Integer dim) { return x.defined() ? squeeze(x, dim) : x; }

/// The state of place i, of one for each layer and direction.
Tensor state_part(const Tensor& state, std::int64_t i) { return state.defined() ? select(state, 0, i) : state; }

Tensor stacked_states(const std::vector<Tensor>& states) {
  if (!states[0].defined()) return {};
  return states.size() == 1 ? unsqueeze(states[0], 0) : stack(states, 0);
}

}  // namespace

RNNBase::RNNBase(const char* type, const Options& options) : options_(options) {
  const Options& o = options;
  detail::expect_at_least(1, type, "input_size", o.input_size);
  detail::expect_at_least(1, type, "hidden_size", o.hidden_size);
  detail::expect_at_least(1, type, "num_layers", o.num_layers);
  detail::expect(o.dropout >= 0 && o.dropout <= 1, type, "dropout in [0, 1]", detail::python_float(o.dropout));
  detail::expect(o.proj_size >= 0 && o.proj_size < o.hidden_size, type, "proj_size in [0, hidden_size)",
                 std::to_string(o.proj_size));
  const std::int64_t width = gate_count(o.cell) * o.hidden_size, state = o.proj_size > 0 ? o.proj_size : o.hidden_size;
  const std::int64_t directions = o.bidirectional ? 2 : 1;
  for (std::int64_t i = 0; i < o.num_layers * directions; ++i) {
    RecurrentParameters& p = layers.emplace_back();
    p.weight_ih = uniform_parameter({width, i < directions ? o.input_size : state * directions}, o.hidden_size);
    p.weight_hh = uniform_parameter({width, state}, o.hidden_size);
    if (o.bias) p.bias_ih = uniform_parameter({width}, o.hidden_size);
    if (o.bias) p.bias_hh = uniform_parameter({width}, o.hidden_size);
    if (o.proj_size > 0) p.weight_hr = uniform_parameter({state, o.hidden_size}, o.hidden_size);
  }
}

void RNNBase::visit_members(MemberVisitor& visitor) {
  const std::size_t directions = options_.bidirectional ? 2 : 1;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const std::string suffix = "_l" + std::to_string(i / directions) + (i % directions == 1 ? "_reverse" : "");
    visitor("weight_ih" + suffix, layers[i].weight_ih);
    visitor("weight_hh" + suffix, layers[i].weight_hh);
    visitor("bias_ih" + suffix, layers[i].bias_ih);
    visitor("bias_hh" + suffix, layers[i].bias_hh);
    visitor("weight_hr" + suffix, layers[i].weight_hr);
  }
}

Tensor RNNBase::forward(const Tensor& input) { return run(input, {}, {}).output; }

std::vector<Tensor> RNNBase::forward_many(std::span<const Tensor> inputs) {
  if (inputs.empty()) return Module::forward_many(inputs);
  const RecurrentState initial = state_of(*this, inputs, options_.cell == RecurrentCell::lstm);
  const RecurrentResult result = run(inputs[0], initial, {});
  return defined_ones({result.output, result.state.h, result.state.c});
}

void RNNBase::check(const Tensor& input, const RecurrentState& state) const {
  const auto refuse = [&](const std::string& rule, const Tensor& got) {
    throw ShapeError(type_name() + ": expected " + rule + ", got " + teff::detail::describe(got.type()));
  };
  const std::string size = std::to_string(options_.input_size);
  if ((input.dim() != 2 && input.dim() != 3) || input.size(-1) != options_.input_size) {
    refuse(std::string("input ") + (options_.batch_first ? "[N, T, " : "[T, N, ") + size + "] or [T, " + size + ']',
           input);
  }
  const auto count = static_cast<std::int64_t>(layers.size());
  const std::string shape = '[' + std::to_string(count) + (input.dim() == 3 ? ", N, ...]" : ", ...]");
  for (const Tensor* tensor : {&state.h, &state.c}) {
    if (!tensor->defined()) continue;
    if (tensor->dim() != input.dim() || tensor->size(0) != count) refuse("a state " + shape, *tensor);
  }
}

RecurrentResult RNNBase::run(const Tensor& input, const RecurrentState& state, const Tensor& lengths) {
  check(input, state);
  if (input.dim() == 2) {
    RecurrentResult result =
        run_layers(unsqueeze(input, 1), {with_batch_dim(state.h, 1), with_batch_dim(state.c, 1)}, lengths);
    return {squeeze(result.output, 1), {without_batch_dim(result.state.h, 1), without_batch_dim(result.state.c, 1)}};
  }
  if (!options_.batch_first) return run_layers(input, state, lengths);
  RecurrentResult result = run_layers(transpose(input, 0, 1), state, lengths);
  return {transpose(result.output, 0, 1), result.state};
}

RecurrentResult RNNBase::run_layers(Tensor x, const RecurrentState& state, const Tensor& lengths) {
  const std::size_t directions = options_.bidirectional ? 2 : 1;
  std::vector<Tensor> h, c;
  for (std::size_t first = 0; first < layers.size(); first += directions) {
    std::vector<Tensor> outputs;
    for (std::size_t i = first; i < first + directions; ++i) {
      const RecurrentParameters& p = layers[i];
      const auto place = static_cast<std::int64_t>(i);
      RecurrentResult result = recurrent_layer(x, {p.weight_ih, p.weight_hh, p.bias_ih, p.bias_hh, p.weight_hr},
                                               {state_part(state.h, place), state_part(state.c, place)},
                                               {options_.cell, i > first, lengths});
      outputs.push_back(result.output);
      h.push_back(result.state.h);
      c.push_back(result.state.c);
    }
    x = directions == 1 ? outputs[0] : cat(outputs, 2);
    if (options_.dropout > 0 && first + directions < layers.size()) x = dropout(x, options_.dropout, is_training());
  }
  return {x, {stacked_states(h), stacked_states(c)}};
}

std::string RNNBase::extra_repr() const {
  const Options& o = options_;
  std::string text = std::to_string(o.input_size) + ", " + std::to_string(o.hidden_size);
  if (o.proj_size != 0) text += ", proj_size=" + std::to_string(o.proj_size);
  if (o.num_layers != 1) text += ", num_layers=" + std::to_string(o.num_layers);
  if (!o.bias) text += ", bias=" + python_bool(o.bias);
  if (o.batch_first) text += ", batch_first=" + python_bool(o.batch_first);
  if (o.dropout != 0) text += ", dropout=" + detail::python_float(o.dropout);
  if (o.bidirectional) text += ", bidirectional=" + python_bool(o.bidirectional);
  return text;
}

RNN::RNN(Integer input_size, Integer hidden_size, const RNNOptions& o)
    : RNNBase("RNN", {cell_of(o.nonlinearity), input_size, hidden_size, o.num_layers, o.bias, o.batch_first, o.dropout,
                      o.bidirectional, 0}) {}

RNNResult RNN::operator()(const Tensor& input, const Tensor& h, const Tensor& lengths) {
  const ScopeGuard scope(this);
  const RecurrentResult result = run(input, {h, {}}, lengths);
  return {result.output, result.state.h};
}

LSTM::LSTM(Integer input_size, Integer hidden_size, const LSTMOptions& o)
    : RNNBase("LSTM", {RecurrentCell::lstm, input_size, hidden_size, o.num_layers, o.bias, o.batch_first, o.dropout,
                       o.bidirectional, o.proj_size}) {}

RecurrentResult LSTM::operator()(const Tensor& input, const RecurrentState& state, const Tensor& lengths) {
  const ScopeGuard scope(this);
  return run(input, state, lengths);
}

GRU::GRU(Integer input_size, Integer hidden_size, const GRUOptions& o)
    : RNNBase("GRU", {RecurrentCell::gru, input_size, hidden_size, o.num_layers, o.bias, o.batch_first, o.dropout,
                      o.bidirectional, 0}) {}

RNNResult GRU::operator()(const Tensor& input, const Tensor& h, const Tensor& lengths) {
  const ScopeGuard scope(this);
  const RecurrentResult result = run(input, {h, {}}, lengths);
  return {result.output, result.state.h};
}

RNNCellBase::RNNCellBase(RecurrentCell cell, std::int64_t input_size, std::int64_t hidden_size, bool bias)
    : cell_(cell) {
  const char* const type = cell == RecurrentCell::lstm  ? "LSTMCell"
                           : cell == RecurrentCell::gru ? "GRUCell"
                                                        : "RNNCell";
  detail::expect_at_least(1, type, "input_size", input_size);
  detail::expect_at_least(1, type, "hidden_size", hidden_size);
  const std::int64_t width = gate_count(cell) * hidden_size;
  weight_ih = uniform_parameter({width, input_size}, hidden_size);
  weight_hh = uniform_parameter({width, hidden_size}, hidden_size);
  if (bias) bias_ih = uniform_parameter({width}, hidden_size);
  if (bias) bias_hh = uniform_parameter({width}, hidden_size);
}

Tensor RNNCellBase::forward(const Tensor& input) { return run(input, {}).h; }

std::vector<Tensor> RNNCellBase::forward_many(std::span<const Tensor> inputs) {
  if (inputs.empty()) return Module::forward_many(inputs);
  const RecurrentState result = run(inputs[0], state_of(*this, inputs, cell_ == RecurrentCell::lstm));
  return defined_ones({result.h, result.c});
}

/// One step of the layer.
RecurrentState RNNCellBase::run(const Tensor& input, const RecurrentState& state) {
  if (input.dim() != 1 && input.dim() != 2) {
    const std::string size = std::to_string(weight_ih.size(1));
    throw ShapeError(type_name() + ": expected input [N, " + size + "] or [" + size + "], got " +
                     teff::detail::describe(input.type()));
  }
  const RecurrentWeights weights{weight_ih, weight_hh, bias_ih, bias_hh, {}};
  if (input.dim() == 2) return recurrent_layer(unsqueeze(input, 0), weights, state, {.cell = cell_}).state;
  const RecurrentState result =
      recurrent_layer(unsqueeze(unsqueeze(input, 0), 0), weights,
                      {with_batch_dim(state.h, 0), with_batch_dim(state.c, 0)}, {.cell = cell_})
          .state;
  return {squeeze(result.h, 0), without_batch_dim(result.c, 0)};
}

std::string RNNCellBase::extra_repr() const {
  std::string text = std::to_string(weight_ih.size(1)) + ", " + std::to_string(weight_hh.size(1));
  if (!bias_ih.defined()) text += ", bias=False";
  if (cell_ == RecurrentCell::rnn_relu) text += ", nonlinearity=relu";
  return text;
}

RNNCell::RNNCell(Integer input_size, Integer hidden_size, const RNNCellOptions& options)
    : RNNCellBase(cell_of(options.nonlinearity), input_size, hidden_size, options.bias) {}

Tensor RNNCell::operator()(const Tensor& input, const Tensor& h) {
  const ScopeGuard scope(this);
  return run(input, {h, {}}).h;
}

LSTMCell::LSTMCell(Integer input_size, Integer hidden_size, const CellOptions& options)
    : RNNCellBase(RecurrentCell::lstm, input_size, hidden_size, options.bias) {}

RecurrentState LSTMCell::operator()(const Tensor& input, const RecurrentState& state) {
  const ScopeGuard scope(this);
  return run(input, state);
}

GRUCell::GRUCell(Integer input_size, Integer hidden_size, const CellOptions& options)
    : RNNCellBase(RecurrentCell::gru, input_size, hidden_size, options.bias) {}

Tensor GRUCell::operator()(const Tensor& input, const Tensor& h) {
  const ScopeGuard scope(this);
  return run(input, {h, {}}).h;
}

}  // namespace teff::nn

// SPDX-License-Identifier: MIT
#include "teff/nn/graph/inference_session.h"

#include <algorithm>
#include <cstring>

#include "teff/engine/allocator.h"
#include "teff/engine/autograd.h"
#include "teff/engine/error.h"
#include "teff/engine/inference_plan.h"
#include "teff/engine/modes.h"
#include "teff/engine/op.h"
#include "teff/engine/tensor_impl.h"
#include "teff/engine/text.h"
#include "teff/nn/graph/graph_module.h"

namespace teff::nn {

/// A call with the tensors that it reads and writes.
struct InferenceSession::Step {
  std::shared_ptr<const Op> op;
  std::vector<Tensor> inputs;
  std::vector<TensorType> types;  // of the inputs
  std::vector<Tensor> results;
  std::vector<TensorType> outputs;  // of the results
  std::vector<Tensor> set;          // for what a run of an op of several results sets
  const InferencePlan::Call* call = nullptr;

  void run() {
    const ScopeGuard scope(call);
    if (op->several() == nullptr) return teff::detail::forward_into(*op, inputs, types, results[0]);
    teff::detail::forward_into(*op->several(), inputs, types, outputs, results, set);
  }
};

namespace {

std::shared_ptr<const InferencePlan> make_plan(const GraphModule& model, std::span<const Shape> shapes,
                                               const InferenceOptions& options) {
  const WinogradGuard winograd(options.winograd);
  NamedTensors attributes;
  for (const GraphState& state : model.data().state) attributes.emplace_back(state.key, state.tensor);
  std::vector<TensorType> types;
  for (const Shape& shape : shapes) {
    const GraphNode* const node =
        types.size() < model.graph().nodes.size() ? &model.graph().nodes[types.size()] : nullptr;
    types.push_back({shape, node != nullptr ? node->type.dtype : DType::float32});
  }
  model.check_inputs(types);
  model.check_cost(types);
  return std::make_shared<InferencePlan>(model.graph(), attributes, types);
}

std::size_t place_of(const std::vector<GraphPort>& ports, const std::string& name, const char* kind) {
  std::string names;
  for (std::size_t i = 0; i < ports.size(); ++i) {
    if (ports[i].name == name) return i;
    names += (i == 0 ? "" : ", ") + ports[i].name;
  }
  throw ValueError("InferenceSession: expected a state by the name of an " + std::string(kind) + ", one of " +
                   teff::detail::printable(names) + ", got " + name);
}

std::shared_ptr<void> allocate_block(std::size_t bytes) {
  try {
    return {allocate(bytes), [bytes](void* pointer) { deallocate(pointer, bytes); }};
  } catch (const std::bad_alloc&) {
    throw ResourceError("InferenceSession: expected room for " + std::to_string(bytes) + " bytes, got none");
  }
}

void check_type(const std::string& what, const Tensor& expected, const Tensor& actual) {
  if (actual.type() == expected.type()) return;
  const std::string text = "InferenceSession: expected " + what + teff::detail::describe(expected.type()) +
                           ", as the session was made for, got " + teff::detail::describe(actual.type());
  if (actual.dtype() != expected.dtype()) throw TypeError(text);
  throw ShapeError(text);
}

void copy_elements(const Tensor& from, const Tensor& to) {
  check_type("an input ", to, from);
  if (to.nbytes() > 0) std::memmove(to.raw_data(), from.raw_data(), to.nbytes());  // it may be an output of before
}

}  // namespace

InferenceSession::InferenceSession(const GraphModule& model, std::span<const Shape> inputs,
                                   const InferenceOptions& options)
    : options_(options), plan_(make_plan(model, inputs, options)) {
  make_steps();
  make_states(model);
}

InferenceSession::InferenceSession(const GraphModule& model, std::initializer_list<Shape> inputs,
                                   const InferenceOptions& options)
    : InferenceSession(model, std::span<const Shape>(inputs.begin(), inputs.size()), options) {}

InferenceSession::InferenceSession(const InferenceSession& other)
    : options_(other.options_), plan_(other.plan_), states_(other.states_) {
  make_steps();
  for (Carried& state : states_) state.value = state.value.clone();
}

InferenceSession& InferenceSession::operator=(const InferenceSession& other) { return *this = InferenceSession(other); }

InferenceSession::InferenceSession(InferenceSession&&) noexcept = default;
InferenceSession& InferenceSession::operator=(InferenceSession&&) noexcept = default;
InferenceSession::~InferenceSession() = default;

void InferenceSession::make_steps() {
  const std::size_t bytes = plan_->block_bytes();
  const std::shared_ptr<void> block = allocate_block(bytes);
  const std::vector<Tensor> values = plan_->make_values(block);
  for (const InferencePlan::Call& call : plan_->calls()) {
    if (call.is_view) continue;
    Step step;
    step.op = call.op;
    step.call = &call;
    for (const std::size_t input : call.inputs) {
      step.inputs.push_back(values[input]);
      step.types.push_back(values[input].type());
    }
    for (std::size_t r = call.result; r < call.result + call.results; ++r) {
      step.results.push_back(values[r]);
      step.outputs.push_back(values[r].type());
    }
    step.set.resize(call.results);
    steps_.push_back(std::move(step));
  }
  for (const std::size_t input : plan_->inputs()) inputs_.push_back(values[input]);
  for (const std::size_t output : plan_->outputs()) outputs_.push_back(values[output]);
}

void InferenceSession::make_states(const GraphModule& model) {
  if (options_.states.empty()) return;
  const std::vector<GraphPort> inputs = model.inputs(), outputs = model.outputs();
  for (const CarriedState& state : options_.states) {
    const std::size_t input = place_of(inputs, state.input, "input"),
                      output = place_of(outputs, state.output, "output");
    for (const Carried& other : states_) {
      if (other.input != input) continue;
      throw ValueError("InferenceSession: expected one state for the input " + state.input + ", got two");
    }
    Tensor value = zeros(inputs_[input].shape(), {.dtype = inputs_[input].dtype()});
    check_type("a state like its output " + state.output + ", ", outputs_[output], value);
    states_.push_back({std::move(value), input, output});
  }
}

std::span<const Tensor> InferenceSession::run(std::span<const Tensor> inputs) {
  if (inputs.size() + states_.size() != inputs_.size()) {
    throw ShapeError("InferenceSession: expected " + std::to_string(inputs_.size() - states_.size()) + " inputs, got " +
                     std::to_string(inputs.size()));
  }
  plan_->check_weights();
  const WinogradGuard winograd(options_.winograd);
  std::size_t next = 0;
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    const auto state =
        std::find_if(states_.begin(), states_.end(), [i](const Carried& carried) { return carried.input == i; });
    copy_elements(state != states_.end() ? state->value : inputs[next++], inputs_[i]);
  }
  for (Step& step : steps_) step.run();
  for (const Carried& state : states_) copy_elements(outputs_[state.output], state.value);
  return outputs_;
}

void InferenceSession::reset_state() {
  for (const Carried& state : states_) teff::detail::fill(state.value, 0);
}

std::vector<Tensor> InferenceSession::state() const {
  std::vector<Tensor> result;
  for (const Carried& carried : states_) result.push_back(carried.value.clone());
  return result;
}

void InferenceSession::set_state(std::span<const Tensor> states) {
  if (states.size() != states_.size()) {
    throw ShapeError("InferenceSession: expected " + std::to_string(states_.size()) + " states, got " +
                     std::to_string(states.size()));
  }
  for (std::size_t i = 0; i < states.size(); ++i) check_type("a state ", states_[i].value, states[i]);
  for (std::size_t i = 0; i < states.size(); ++i) copy_elements(states[i], states_[i].value);
}

const Tensor& InferenceSession::run(const Tensor& input) {
  if (outputs_.size() != 1) {
    throw Error("InferenceSession: expected a model of one output, got one of " + std::to_string(outputs_.size()));
  }
  return run(std::span<const Tensor>(&input, 1))[0];
}

std::size_t InferenceSession::memory_bytes() const { return plan_->block_bytes(); }

std::vector<std::pair<const void*, std::string>> scope_names(const InferenceSession& session) {
  std::vector<std::pair<const void*, std::string>> scopes;
  for (const InferencePlan::Call& call : session.plan_->calls()) scopes.emplace_back(&call, call.scope);
  return scopes;
}

}  // namespace teff::nn

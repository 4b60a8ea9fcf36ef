// SPDX-License-Identifier: MIT
#include <unordered_set>

#include "teff/engine/autograd.h"
#include "teff/engine/build.h"
#include "teff/engine/dict.h"
#include "teff/engine/error.h"
#include "teff/engine/generator_state.h"
#include "teff/engine/input_rules.h"
#include "teff/engine/ops.h"
#include "teff/engine/random.h"
#include "teff/engine/recording.h"
#include "teff/nn/graph/graph_module.h"
#include "teff/nn/module_members.h"
#include "teff/nn/text.h"

namespace teff::nn {
namespace {

/// Saves the handles and the values of all buffers, and puts both back.
class BufferGuard : MemberVisitor {
 public:
  explicit BufferGuard(Module& module) : module_(module) {
    module_.visit_members(*this);
    saving_ = false;
  }
  ~BufferGuard() {
    const NoGradGuard no_grad;
    module_.visit_members(*this);
  }
  BufferGuard(const BufferGuard&) = delete;
  BufferGuard& operator=(const BufferGuard&) = delete;

 private:
  void operator()(const std::string&, Parameter&) override {}
  void operator()(const std::string&, Module& child) override { child.visit_members(*this); }
  void operator()(const std::string&, std::shared_ptr<Module>& child) override {
    if (child != nullptr) child->visit_members(*this);
  }
  void operator()(const std::string&, Buffer& buffer) override {
    if (saving_) {
      saved_.emplace_back(buffer, buffer.defined() ? buffer.clone() : Tensor());
      return;
    }
    if (next_ == saved_.size()) return;
    const auto& [handle, values] = saved_[next_++];
    if (!buffer.is(handle)) static_cast<Tensor&>(buffer) = handle;
    if (handle.defined() && !(Value(handle) == Value(values))) handle.copy_(values);
  }

  Module& module_;
  bool saving_ = true;
  std::vector<std::pair<Tensor, Tensor>> saved_;
  std::size_t next_ = 0;
};

class GeneratorGuard {
 public:
  GeneratorGuard() : saved_(teff::detail::copy_of(default_generator())) {}
  ~GeneratorGuard() { teff::detail::assign(default_generator(), saved_); }
  GeneratorGuard(const GeneratorGuard&) = delete;
  GeneratorGuard& operator=(const GeneratorGuard&) = delete;

 private:
  Generator saved_;
};

/// Other numbers of the same type; numbers that may be indices only change places.
Tensor altered(const Tensor& input) {
  const Tensor values = is_computable(input.dtype()) ? 0.25 - 1.5 * input : input;
  if (input.dim() == 0) return values;
  std::vector<std::int64_t> backwards;
  for (std::int64_t row = input.size(0); row-- > 0;) backwards.push_back(row);
  return index_select(values, 0, tensor(backwards));
}

std::vector<Tensor> alter_all(std::span<const Tensor> inputs) {
  std::vector<Tensor> result;
  for (const Tensor& input : inputs) result.push_back(altered(input));
  return result;
}

void check_replay(Module& module, GraphModule& graph, std::span<const Tensor> inputs) {
  const std::vector<Tensor> expected = module(inputs), actual = graph(inputs);
  bool equal = expected.size() == actual.size();
  for (std::size_t i = 0; equal && i < expected.size(); ++i) equal = Value(expected[i]) == Value(actual[i]);
  if (equal) return;
  throw Error("capture: expected " + module.type_name() +
              " to do with other inputs what was recorded, got other results: its forward depends on values that it "
              "reads, or on state that it keeps, and cannot be captured");
}

void check_buffers(const Module& module, const NamedTensors& before) {
  const NamedTensors after = module.named_buffers();
  for (std::size_t i = 0; i < before.size(); ++i) {
    if (i < after.size() && Value(before[i].second) == Value(after[i].second)) continue;
    throw Error("capture: expected the forward of " + module.type_name() +
                " to leave its buffers alone in evaluation mode, but it changes " + detail::quoted(before[i].first));
  }
}

/// What the graph refers to by name: distinct tensors, parameters first. Buffers that are not persistent become
/// constants of it.
NamedTensors attributes_of(const Module& module) {
  NamedTensors attributes = module.named_parameters();
  std::unordered_set<const void*> seen;
  for (detail::StateEntry& entry : detail::persistent_state(module)) {
    if (!entry.is_parameter && seen.insert(entry.tensor.id()).second) {
      attributes.emplace_back(std::move(entry.name), std::move(entry.tensor));
    }
  }
  return attributes;
}

GraphModuleData module_data(Module& module, Graph graph) {
  GraphModuleData data;
  for (const detail::StateEntry& entry : detail::persistent_state(module)) {
    data.state.push_back({entry.name, entry.tensor, entry.is_parameter});
  }
  data.graph = std::move(graph);
  data.summary = module.summary();
  data.training = false;
  return data;
}

/// What the module does with the inputs in the mode in which it is.
Graph record_once(Module& module, const std::vector<Tensor>& inputs) {
  const auto call = [&](std::span<const Tensor> values) { return module(values); };
  return teff::detail::record(call, inputs, attributes_of(module), scope_names(module)).graph;
}

/// Gives every buffer a copy of its elements, for a run that changes them.
class BufferCopies {
 public:
  explicit BufferCopies(const Module& module) : buffers_(module.buffers()) {
    std::vector<Tensor> copies;
    for (const Tensor& buffer : buffers_) {
      originals_.push_back(buffer.detach());
      copies.push_back(buffer.clone());
    }
    for (std::size_t i = 0; i < buffers_.size(); ++i) buffers_[i].set_data(copies[i]);
  }
  ~BufferCopies() {
    for (std::size_t i = 0; i < buffers_.size(); ++i) buffers_[i].set_data(originals_[i]);
  }
  BufferCopies(const BufferCopies&) = delete;
  BufferCopies& operator=(const BufferCopies&) = delete;

 private:
  std::vector<Tensor> buffers_, originals_;
};

Graph record_in_training(Module& module, const std::vector<Tensor>& inputs) {
  const BufferGuard buffers(module);
  const BufferCopies copies(module);
  const detail::ModeGuard mode(module, true);
  return record_once(module, inputs);
}

/// Refuses a forward that asks is_training() for more than to tell an operation. For batch norm on two rows, if there
/// is a batch.
void check_modes(Module& module, Graph& graph, std::vector<Tensor> inputs) {
  const std::vector<FreeSize> free = free_sizes_of(graph);
  const bool has_batch = !free.empty() && free[0].places[0] == InputDim{0, 0};
  if (has_batch) inputs = teff::detail::resized(std::move(inputs), free[0].places, 2);
  std::string difference;
  try {
    const Graph evaluation = record_once(module, inputs), training = record_in_training(module, inputs);
    difference = teff::detail::compare_modes(graph, evaluation, training);
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const teff::ResourceError&) {
    throw;
  } catch (const std::exception& error) {
    difference = error.what();
  }
  if (difference.empty()) return;
  throw Error("capture: expected the forward of " + module.type_name() +
              " to do the same in training as in evaluation mode but for what operations do by their own attribute "
              "\"training\" (dropout, batch_norm), but " +
              difference + "; a graph cannot ask is_training(): save the state dict");
}

}  // namespace

GraphModule capture(Module& module, std::span<const Tensor> inputs) {
  const bool training = module.is_training();
  const NoGradGuard no_grad;
  const GeneratorGuard generator;
  const BufferGuard buffers(module);
  const detail::ModeGuard mode(module, false);
  NamedTensors before = module.named_buffers();
  for (auto& [name, buffer] : before) buffer = buffer.clone();
  const auto call = [&](std::span<const Tensor> values) { return module(values); };
  teff::detail::Explored explored = teff::detail::explore(call, inputs, attributes_of(module), scope_names(module));
  check_buffers(module, before);
  if constexpr (kHasTraining) check_modes(module, explored.graph, std::move(explored.small_inputs));
  GraphModule graph(module_data(module, std::move(explored.graph)));
  check_replay(module, graph, alter_all(inputs));
  check_buffers(module, before);
  graph.train(training);
  return graph;
}

}  // namespace teff::nn

// SPDX-License-Identifier: MIT
#include "teff/nn/graph/graph_module.h"

#include <limits>
#include <map>
#include <set>

#include "teff/engine/error.h"
#include "teff/engine/modes.h"
#include "teff/nn/text.h"

namespace teff::nn {
namespace {

NamedTensors attributes_of(const GraphModuleData& data) {
  NamedTensors result;
  for (const GraphState& state : data.state) result.emplace_back(state.key, state.tensor);
  return result;
}

GraphModuleData checked(GraphModuleData data) {
  std::set<std::string_view> keys;
  for (const GraphState& state : data.state) {
    detail::expect(keys.insert(state.key).second, "GraphModule", "keys of their own for all of the state",
                   detail::quoted(state.key) + " a second time");
    if (!state.tensor.defined()) {
      throw TypeError("GraphModule: expected a defined tensor for " + detail::quoted(state.key) +
                      ", got an undefined one");
    }
    if (state.is_parameter && !is_floating_point(state.tensor.dtype())) {
      throw TypeError("GraphModule: expected a floating-point dtype for parameter " + detail::quoted(state.key) +
                      ", got " + std::string(to_string(state.tensor.dtype())));
    }
  }
  return data;
}

/// Shows the tensor to the visitor as a member of the given kind. Returns whether the visitor replaced it.
template <class Member>
bool visit_as(MemberVisitor& visitor, GraphState& state) {
  Member member;
  static_cast<Tensor&>(member) = state.tensor;  // Parameter's constructor would ask for gradients
  visitor(state.key, member);
  if (member.is(state.tensor)) return false;
  state.tensor = member;
  return true;
}

}  // namespace

GraphModule::GraphModule(GraphModuleData data)
    : data_(checked(std::move(data))), executor_(data_.graph, attributes_of(data_), data_.limit) {
  Module::set_training(data_.training);
  find_counters();
}

Tensor GraphModule::forward(const Tensor& input) {
  std::vector<Tensor> outputs = forward_many({&input, 1});
  if (outputs.size() == 1) return std::move(outputs[0]);
  throw Error(type_name() + ": expected a module of one output (call it with {input} for several), got one of " +
              std::to_string(outputs.size()));
}

std::vector<Tensor> GraphModule::forward_many(std::span<const Tensor> inputs) {
  if (is_training() && !is_recomputing()) {
    for (const Tensor& counter : counters_) {  // a file may hold the last number that there is
      std::int64_t& count = *counter.data<std::int64_t>();
      if (count < std::numeric_limits<std::int64_t>::max()) ++count;
    }
  }
  return executor_.run(inputs);
}

ModuleSummary GraphModule::summary() const {
  ModuleSummary result = data_.summary;
  result.name.clear();
  return result;
}

std::shared_ptr<Module> GraphModule::copy_handles() const { return std::make_shared<GraphModule>(*this); }

GraphModule GraphModule::clone() const { return detail::clone_as(*this); }

void GraphModule::visit_members(MemberVisitor& visitor) {
  bool replaced = false;
  for (GraphState& state : data_.state) {
    replaced |= state.is_parameter ? visit_as<Parameter>(visitor, state) : visit_as<Buffer>(visitor, state);
  }
  if (replaced) rebuild();
}

void GraphModule::set_training(bool mode) {
  Module::set_training(mode);
  data_.training = mode;
  teff::set_training(data_.graph, mode);
  executor_.set_training(mode);
}

void GraphModule::set_dtype(DType dtype) {
  for (GraphNode& node : data_.graph.nodes) {
    if (is_floating_point(node.type.dtype)) node.type.dtype = dtype;
  }
  for (auto& [name, constant] : data_.graph.constants) {
    if (is_floating_point(constant.dtype())) constant = constant.to(dtype);
  }
  rebuild();
}

void GraphModule::rebuild() {
  executor_ = GraphExecutor(data_.graph, attributes_of(data_), data_.limit);
  find_counters();
}

void GraphModule::find_counters() {
  counters_.clear();
  std::map<std::string_view, const Tensor*> tensors;
  for (const GraphState& state : data_.state) tensors.emplace(state.key, &state.tensor);
  for (const std::string& statistic : executor_.updated_tensors()) {
    const std::string key = statistic.substr(0, statistic.rfind('.') + 1) + "num_batches_tracked";
    const auto found = tensors.find(key);
    if (found == tensors.end() || found->second->type() != TensorType{{}, DType::int64}) continue;
    counters_.push_back(*found->second);
  }
}

std::vector<std::pair<const void*, std::string>> scope_names(Module& module) {
  std::vector<std::pair<const void*, std::string>> scopes;
  for (const auto& [path, below] : module.named_modules()) {
    scopes.emplace_back(below, path);
    const auto* graph = dynamic_cast<const GraphModule*>(below);
    if (graph == nullptr) continue;
    for (const auto& [step, scope] : graph->executor_.scope_names()) {
      scopes.emplace_back(step, path.empty() || scope.empty() ? path + scope : path + '.' + scope);
    }
  }
  return scopes;
}

}  // namespace teff::nn

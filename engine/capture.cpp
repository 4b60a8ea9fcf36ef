// SPDX-License-Identifier: MIT
#include <algorithm>
#include <new>
#include <unordered_map>
#include <unordered_set>

#include "teff/engine/autograd.h"
#include "teff/engine/error.h"
#include "teff/engine/error_text.h"
#include "teff/engine/graph.h"
#include "teff/engine/graph_attributes.h"
#include "teff/engine/mode_state.h"
#include "teff/engine/node.h"
#include "teff/engine/ops.h"
#include "teff/engine/tensor_impl.h"

namespace teff {
namespace {

using ScopeNames = std::unordered_map<const void*, std::string>;

std::string in_module(const std::string& scope) { return scope.empty() ? "" : " in module " + scope; }

/// Turns recorded nodes into a Graph.
class Recorder {
 public:
  Recorder(const NamedTensors& attributes, const ScopeNames& scopes) : scopes_(scopes) {
    for (const auto& [name, tensor] : attributes) attributes_.emplace(tensor.impl().get(), name);
  }

  Graph record(const GraphFunction& function, const std::vector<Tensor>& inputs) {
    for (const Tensor& input : inputs) {
      places_.emplace(input.impl().get(), place(GraphNode::Kind::placeholder, "input", "", input.type()));
    }
    std::vector<Tensor> outputs;
    {
      const NoGradGuard no_grad;
      const detail::CaptureGuard capturing;
      outputs = function(inputs);
    }
    for (const std::shared_ptr<Node>& node : recorded(outputs)) add_call(*node);
    for (const Tensor& output : outputs) graph_.outputs.push_back(place_of(output));
    return std::move(graph_);
  }

 private:
  /// All nodes that the outputs come from, in the order in which they were computed.
  static std::vector<std::shared_ptr<Node>> recorded(const std::vector<Tensor>& outputs) {
    std::vector<std::shared_ptr<Node>> nodes;
    std::unordered_set<const Node*> seen;
    const auto visit = [&](const Tensor& tensor) {
      const std::shared_ptr<Node>& node = tensor.impl()->node;
      if (node != nullptr && seen.insert(node.get()).second) nodes.push_back(node);
    };
    for (const Tensor& output : outputs) {
      if (!output.defined()) throw TypeError("capture: expected defined outputs, got an undefined one");
      visit(output);
    }
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      const std::shared_ptr<Node> node = nodes[i];
      for (const Tensor& input : node->inputs) visit(input);
    }
    std::sort(nodes.begin(), nodes.end(), [](const auto& a, const auto& b) { return a->sequence < b->sequence; });
    return nodes;
  }

  std::int64_t place(GraphNode::Kind kind, std::string name, std::string target, const TensorType& type) {
    std::replace(name.begin(), name.end(), '.', '_');
    const int count = names_[name]++;
    if (count > 0) name += '_' + std::to_string(count);
    GraphNode node;
    node.kind = kind;
    node.name = std::move(name);
    node.target = std::move(target);
    node.type = type;
    graph_.nodes.push_back(std::move(node));
    return static_cast<std::int64_t>(graph_.nodes.size()) - 1;
  }

  void add_call(const Node& node) {
    std::vector<std::int64_t> inputs;
    for (const Tensor& input : node.inputs) inputs.push_back(place_of(input));
    const std::string name(node.op->name());
    const std::int64_t first = place(GraphNode::Kind::call, name, name, node.result.type);
    places_.emplace(&node, first);
    GraphNode& call = graph_.nodes.back();
    call.version = node.op->version();
    call.attributes = node.op->attributes();
    call.inputs = std::move(inputs);
    if (const auto scope = scopes_.find(node.scope); scope != scopes_.end()) call.scope = scope->second;
    for (const NodeResult& other : node.more_results) {
      place(GraphNode::Kind::result, name, "", other.type);
      graph_.nodes.back().inputs = {first};
    }
  }

  /// A tensor is known by its node, and which result of it it is; or, if it has none, by itself.
  std::int64_t place_of(const Tensor& tensor) {
    const void* identity = tensor.impl().get();
    if (tensor.impl()->node != nullptr) identity = tensor.impl()->node.get();
    if (const auto known = places_.find(identity); known != places_.end()) return known->second + tensor.impl()->result;
    std::string target;
    if (const auto attribute = attributes_.find(identity); attribute != attributes_.end()) {
      target = attribute->second;
    } else {
      target = "_tensor_constant" + std::to_string(graph_.constants.size());
      graph_.constants.emplace_back(target, detail::alias(tensor, tensor.shape()).clone());
    }
    const std::int64_t made = place(GraphNode::Kind::get_attr, target, target, tensor.type());
    places_.emplace(identity, made);
    return made;
  }

  Graph graph_;
  const ScopeNames& scopes_;
  std::unordered_map<const void*, std::string> attributes_;
  std::unordered_map<const void*, std::int64_t> places_;
  std::unordered_map<std::string, int> names_;
};

/// Tensors of the recorder's own: the record tells them from all others.
std::vector<Tensor> fresh(std::span<const Tensor> inputs) {
  std::vector<Tensor> result;
  for (const Tensor& input : inputs) result.push_back(detail::alias(input, input.shape()));
  return result;
}

/// The same inputs with one row more, wherever dimension 0 is the batch.
std::vector<Tensor> one_row_more(std::span<const Tensor> inputs, std::int64_t batch) {
  std::vector<Tensor> result;
  for (const Tensor& input : inputs) {
    if (input.dim() == 0 || input.size(0) != batch) {
      result.push_back(detail::alias(input, input.shape()));
    } else {
      result.push_back(cat({input, slice(input, 0, 0, 1)}, 0).detach());
    }
  }
  return result;
}

/// Adds the module that an error came from, keeping the error's type.
template <class Function>
Graph naming_module(const ScopeNames& scopes, Function&& function) {
  const auto named = [&](const Error& error) {
    const auto scope = scopes.find(detail::CaptureGuard::failed());
    const bool has_name = scope != scopes.end() && !scope->second.empty();
    return has_name ? "module " + scope->second + ": " + error.what() : std::string(error.what());
  };
  try {
    return function();
  } catch (const Error& error) {
    detail::throw_again(error, named(error));
  }
}

[[noreturn]] void differs(const GraphNode& node, const std::string& text) {
  throw Error("capture: expected forward to do the same at every batch size, but " + text + in_module(node.scope));
}

/// Makes one graph of two that were recorded at different batch sizes.
Graph unify(Graph graph, std::int64_t batch, const Graph& other, std::int64_t other_batch) {
  if (graph.nodes.size() != other.nodes.size() || graph.outputs != other.outputs) {
    throw Error("capture: expected forward to do the same at every batch size, but it makes " +
                std::to_string(graph.nodes.size()) + " nodes at " + std::to_string(batch) + " and " +
                std::to_string(other.nodes.size()) + " at " + std::to_string(other_batch));
  }
  const std::string sizes = " at batch size " + std::to_string(batch) + " and ";
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    GraphNode& a = graph.nodes[i];
    const GraphNode& b = other.nodes[i];
    if (a.kind != b.kind || a.target != b.target || a.inputs != b.inputs) {
      differs(a, "it calls " + a.target + sizes + b.target + " at " + std::to_string(other_batch));
    }
    for (DictItem& item : a.attributes) {
      const Value& second = b.attributes.at(item.key);
      std::optional<Value> unified = detail::unify(item.value, batch, second, other_batch);
      if (!unified) {
        differs(a, '"' + item.key + "\" of " + a.target + " is not the same or a multiple of the batch" + sizes +
                       std::to_string(other_batch));
      }
      item.value = std::move(*unified);
    }
  }
  for (std::size_t i = 0; i < graph.constants.size(); ++i) {
    const std::string& name = graph.constants[i].first;
    const Tensor& tensor = graph.constants[i].second;
    if (Value(tensor) == Value(other.constants[i].second)) continue;
    const auto user = std::find_if(graph.nodes.begin(), graph.nodes.end(),
                                   [&](const GraphNode& node) { return node.target == name; });
    const auto place = user - graph.nodes.begin();
    const auto call = std::find_if(user, graph.nodes.end(), [&](const GraphNode& node) {
      return std::find(node.inputs.begin(), node.inputs.end(), place) != node.inputs.end();
    });
    differs(call == graph.nodes.end() ? *user : *call,
            "a tensor " + detail::describe(tensor.type()) +
                " that it makes from other values than its inputs changes from run to run (random, or sized by the "
                "batch)");
  }
  return graph;
}

}  // namespace

Graph capture(const GraphFunction& function, std::span<const Tensor> inputs, const NamedTensors& attributes,
              const std::vector<std::pair<const void*, std::string>>& scope_names) {
  if (!function) throw TypeError("capture: expected a function, got an empty one");
  for (const Tensor& input : inputs) {
    if (!input.defined()) throw TypeError("capture: expected defined inputs, got an undefined one");
  }
  const NoGradGuard no_grad;
  const ScopeNames scopes(scope_names.begin(), scope_names.end());
  const auto record = [&](const std::vector<Tensor>& values) {
    return naming_module(scopes, [&] { return Recorder(attributes, scopes).record(function, values); });
  };
  Graph graph = record(fresh(inputs));
  if (inputs.empty() || inputs[0].dim() == 0) return graph;
  const std::int64_t batch = inputs[0].size(0);
  if (batch == 0) throw ShapeError("capture: expected at least one row in the example input, got none");
  const std::vector<Tensor> more = one_row_more(inputs, batch);
  Graph other;
  try {
    other = record(more);
  } catch (const std::bad_alloc&) {  // says nothing of the batch size
    throw;
  } catch (const ResourceError&) {
    throw;
  } catch (const std::exception& error) {
    throw Error("capture: expected forward to take any batch size, but it takes " + std::to_string(batch) +
                " and not " + std::to_string(batch + 1) + ": " + error.what() +
                "; write sizes as x.size(0), or -1 in view");
  }
  return unify(std::move(graph), batch, other, batch + 1);
}

}  // namespace teff

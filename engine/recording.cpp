// SPDX-License-Identifier: MIT
#include "teff/engine/recording.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "teff/engine/autograd.h"
#include "teff/engine/error.h"
#include "teff/engine/error_text.h"
#include "teff/engine/mode_state.h"
#include "teff/engine/node.h"
#include "teff/engine/op_registry.h"
#include "teff/engine/ops.h"
#include "teff/engine/tensor_impl.h"

namespace teff::detail {
namespace {

constexpr const char* kTraining = "training";

using ScopeMap = std::unordered_map<const void*, std::string>;

std::string in_module(const std::string& scope) { return scope.empty() ? "" : " in module " + scope; }

/// Turns recorded nodes into a Graph.
class Recorder {
 public:
  Recorder(const NamedTensors& attributes, const ScopeMap& scopes) : scopes_(scopes) {
    for (const auto& [name, tensor] : attributes) attributes_.emplace(tensor.impl().get(), name);
  }

  Recording record(const GraphFunction& function, const std::vector<Tensor>& inputs) {
    for (const Tensor& input : inputs) {
      places_.emplace(input.impl().get(), place(GraphNode::Kind::placeholder, "input", "", input.type()));
    }
    std::vector<Tensor> outputs;
    {
      const NoGradGuard no_grad;
      const CaptureGuard capturing;
      outputs = function(inputs);
    }
    for (const std::shared_ptr<Node>& node : recorded(outputs)) add_call(*node);
    for (Tensor& output : outputs) {
      graph_.outputs.push_back(place_of(output));
      output = alias(output, output.shape());  // without the record
    }
    return {std::move(graph_), std::move(outputs)};
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
      graph_.constants.emplace_back(target, alias(tensor, tensor.shape()).clone());
    }
    const std::int64_t made = place(GraphNode::Kind::get_attr, target, target, tensor.type());
    places_.emplace(identity, made);
    return made;
  }

  Graph graph_;
  const ScopeMap& scopes_;
  std::unordered_map<const void*, std::string> attributes_;
  std::unordered_map<const void*, std::int64_t> places_;
  std::unordered_map<std::string, int> names_;
};

/// Adds the module that an error came from, keeping the error's type.
template <class Function>
Recording naming_module(const ScopeMap& scopes, Function&& function) {
  const auto named = [&](const Error& error) {
    const auto scope = scopes.find(CaptureGuard::failed());
    const bool has_name = scope != scopes.end() && !scope->second.empty();
    return has_name ? "module " + scope->second + ": " + error.what() : std::string(error.what());
  };
  try {
    return function();
  } catch (const Error& error) {
    throw_again(error, named(error));
  }
}

/// The call that reads the constant, or what stands for the constant itself.
const GraphNode& user_of(const Graph& graph, const std::string& constant) {
  const auto made = std::find_if(graph.nodes.begin(), graph.nodes.end(),
                                 [&](const GraphNode& node) { return node.target == constant; });
  const auto call = std::find_if(made, graph.nodes.end(), [&](const GraphNode& node) {
    return std::find(node.inputs.begin(), node.inputs.end(), made - graph.nodes.begin()) != node.inputs.end();
  });
  return call == graph.nodes.end() ? *made : *call;
}

/// Where the node, or the call that it was made for, comes from.
std::string scope_at(const Graph& graph, std::size_t place) {
  for (; place < graph.nodes.size(); ++place) {
    if (graph.nodes[place].kind == GraphNode::Kind::call) return graph.nodes[place].scope;
  }
  return "";
}

/// The first difference of two records that is not one of attributes: in which node, and what.
std::string difference_of(const Graph& a, const Graph& b, const std::string& at_a, const std::string& at_b) {
  const std::size_t count = std::min(a.nodes.size(), b.nodes.size());
  for (std::size_t i = 0; i < count; ++i) {
    const GraphNode &one = a.nodes[i], &other = b.nodes[i];
    if (one.kind == other.kind && one.target == other.target && one.version == other.version &&
        one.inputs == other.inputs && one.type.dtype == other.type.dtype && one.scope == other.scope) {
      continue;
    }
    const auto call = [](const GraphNode& node) {
      return node.kind == GraphNode::Kind::call ? "calls " + node.target
             : node.target.empty()              ? "has a " + std::string(to_string(node.kind))
                                                : "takes " + node.target;
    };
    const bool same = call(one) == call(other);
    return "it " + call(one) + at_a + (same ? " with other tensors than" : " and " + call(other)) + at_b +
           in_module(scope_at(a, i));
  }
  if (a.nodes.size() != b.nodes.size()) {
    const GraphNode& more = a.nodes.size() > count ? a.nodes[count] : b.nodes[count];
    return "it makes " + std::to_string(a.nodes.size()) + " nodes" + at_a + " and " + std::to_string(b.nodes.size()) +
           at_b + in_module(more.scope);
  }
  return a.outputs == b.outputs ? "" : "its outputs are other results" + at_a + " than" + at_b;
}

std::string constants_difference(const Graph& a, const Graph& b) {
  for (std::size_t i = 0; i < a.constants.size(); ++i) {
    const auto& [name, tensor] = a.constants[i];
    if (Value(tensor) == Value(b.constants[i].second)) continue;
    return "a tensor " + describe(tensor.type()) +
           " that it makes from other values than its inputs changes from run to run (random, or made from a size)" +
           in_module(user_of(a, name).scope);
  }
  return "";
}

/// Running statistics that are the mean over all batches so far have another momentum in each step of training, and 0
/// in evaluation: in a graph they stay as they are (nn::BatchNorm says so).
void keep_statistics(const GraphNode& evaluation, Dict& training) {
  const Value* const here = evaluation.attributes.find("momentum");
  Value* const there = training.find("momentum");
  if (evaluation.target != "batch_norm" || here == nullptr || there == nullptr || *here != Value(0.0)) return;
  *there = *here;
}

}  // namespace

std::string inputs_text(const Graph& graph) {
  std::string text;
  for (const GraphNode& node : graph.nodes) {
    if (node.kind == GraphNode::Kind::placeholder) text += (text.empty() ? "" : ", ") + describe(node.type);
  }
  return text;
}

Recording record(const GraphFunction& function, std::vector<Tensor> inputs, const NamedTensors& attributes,
                 const ScopeNames& scope_names) {
  const ScopeMap scopes(scope_names.begin(), scope_names.end());
  for (Tensor& input : inputs) input = alias(input, input.shape());  // the record tells it from all others
  return naming_module(scopes, [&] { return Recorder(attributes, scopes).record(function, inputs); });
}

std::optional<Graph> unify(std::span<const Graph* const> runs, Evidence evidence, std::string& difference) {
  Graph graph = *runs[0];
  const std::string first = " for " + inputs_text(graph);
  for (const Graph* run : runs) {
    difference = difference_of(graph, *run, first, " for " + inputs_text(*run));
    if (difference.empty()) difference = constants_difference(graph, *run);
    if (!difference.empty()) return std::nullopt;
  }
  for (std::size_t place = 0; place < graph.nodes.size(); ++place) {
    GraphNode& node = graph.nodes[place];
    for (DictItem& item : node.attributes) {
      std::vector<const Value*> values;
      for (const Graph* run : runs) values.push_back(run->nodes[place].attributes.find(item.key));
      std::optional<Value> unified;
      if (std::find(values.begin(), values.end(), nullptr) == values.end())
        unified = unify(values, runs, place, evidence);
      if (!unified) {
        difference =
            '"' + item.key + "\" of " + node.target + " changes in a way that follows no size" + in_module(node.scope);
        return std::nullopt;
      }
      item.value = std::move(*unified);
    }
  }
  return graph;
}

std::string compare_modes(Graph& graph, const Graph& evaluation, const Graph& training) {
  const std::string here = " in evaluation", there = " in training";
  if (std::string text = difference_of(evaluation, training, here, there); !text.empty()) return text;
  if (std::string text = constants_difference(evaluation, training); !text.empty()) return text;
  for (std::size_t i = 0; i < evaluation.nodes.size(); ++i) {
    const GraphNode &one = evaluation.nodes[i], &other = training.nodes[i];
    Dict attributes = other.attributes;
    Value* const mode = attributes.find(kTraining);
    const bool stays = mode != nullptr && mode->is_bool() && !mode->as_bool();
    if (mode != nullptr && one.attributes.contains(kTraining)) *mode = one.attributes.at(kTraining);
    keep_statistics(one, attributes);
    if (attributes != one.attributes) {
      return "the attributes of " + one.target + " differ" + in_module(one.scope);
    }
    if (!stays) continue;
    attributes.erase(kTraining);
    if (make_op(one.target, attributes, one.version)->is_training()) {
      return one.target + " is not in training when the module is" + in_module(one.scope);
    }
    graph.nodes[i].attributes.erase(kTraining);
  }
  return "";
}

}  // namespace teff::detail

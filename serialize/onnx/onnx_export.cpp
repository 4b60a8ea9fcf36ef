// SPDX-License-Identifier: MIT
#include "teff/serialize/onnx/onnx_export.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <set>

#include "teff/engine/error.h"
#include "teff/engine/input_rules.h"
#include "teff/serialize/operators/export_rules.h"

namespace teff::serialize {
namespace {

using Sizes = std::vector<std::int64_t>;

std::optional<std::string> why_declined(const std::string& op) {
  const ExportRow* row = find_export(op);
  if (row == nullptr) return "an operation of the program's own";
  return row->is_declined() ? std::optional<std::string>(row->note) : std::nullopt;
}

NamedTensors named(const nn::GraphModuleData& module) {
  NamedTensors tensors;
  for (const nn::GraphState& state : module.state) tensors.emplace_back(state.key, state.tensor);
  return tensors;
}

/// What becomes of the sizes of all nodes when one free size of the inputs is another.
class SizesAt {
 public:
  SizesAt(const Graph& graph, const NamedTensors& attributes) : executor_(with_all_outputs(graph), attributes) {
    for (const GraphNode& node : graph.nodes) {
      if (node.kind == GraphNode::Kind::placeholder) types_.push_back(node.type);
    }
  }

  std::vector<TensorType> at(const FreeSize& free, std::int64_t size) const {
    return executor_.output_types(teff::detail::resized(types_, free.places, size));
  }
  std::int64_t size(const FreeSize& free) const {
    const InputDim& place = free.places[0];
    return types_[static_cast<std::size_t>(place.input)].shape[static_cast<std::size_t>(place.dim)];
  }

 private:
  static Graph with_all_outputs(Graph graph) {
    graph.outputs.clear();
    for (std::size_t i = 0; i < graph.nodes.size(); ++i) graph.outputs.push_back(static_cast<std::int64_t>(i));
    return graph;
  }

  GraphExecutor executor_;
  std::vector<TensorType> types_;
};

/// "batch", "height", "width", else the input and its dimension.
std::string symbol_of(const FreeSize& free, const Graph& graph, std::set<std::string>& taken) {
  const InputDim& place = free.places[0];
  const GraphNode& input = graph.nodes[static_cast<std::size_t>(place.input)];
  std::string name = input.name + "_dim_" + std::to_string(place.dim);
  if (place == InputDim{0, 0}) name = "batch";
  if (input.type.shape.size() == 4 && place.dim >= 2) name = place.dim == 2 ? "height" : "width";
  while (!taken.insert(name).second) name += '_';
  return name;
}

class Exporter {
 public:
  explicit Exporter(const nn::GraphModuleData& module) : module_(module), graph_(module.graph) {
    set_training(graph_, false);
    check_operations(graph_, "ONNX", why_declined);
    fill_attributes(graph_);
    state_.values.resize(graph_.nodes.size());
  }

  ExportGraph run() {
    find_sizes();
    add_initializers();
    for (std::size_t i = 0; i < graph_.nodes.size(); ++i) add(i);
    add_outputs();
    result_.nodes = std::move(state_.nodes);
    return std::move(result_);
  }

 private:
  /// A size that varies has a symbol where it is one of the inputs' sizes.
  void find_sizes() {
    for (const GraphNode& node : graph_.nodes) {
      state_.sizes.emplace_back(node.type.shape.begin(), node.type.shape.end());
      symbols_.emplace_back(node.type.shape.size());
    }
    const SizesAt sizes(graph_, named(module_));
    std::set<std::string> taken;
    std::vector<std::vector<int>> changes;  // by node, by dimension: how many free sizes it follows
    for (const auto& one : symbols_) changes.emplace_back(one.size(), 0);
    for (const FreeSize& free : free_sizes_of(graph_)) {
      const std::int64_t size = sizes.size(free), other = std::max(size, free.least) + 1;
      std::vector<TensorType> types;
      try {
        types = sizes.at(free, other);
      } catch (const Error&) {  // so it is written as it was captured
        continue;
      }
      const std::string symbol = symbol_of(free, graph_, taken);
      for (std::size_t i = 0; i < types.size(); ++i) {
        for (std::size_t d = 0; d < types[i].shape.size(); ++d) {
          const std::int64_t now = graph_.nodes[i].type.shape[d], then = types[i].shape[d];
          if (now == then) continue;
          state_.sizes[i][d] = -1;
          symbols_[i][d] = ++changes[i][d] == 1 && now == size && then == other ? symbol : "";
        }
      }
    }
  }

  void add_initializers() {
    std::map<const void*, std::string> keys;
    for (const nn::GraphState& state : module_.state) {
      state_.names.insert(state.key);
      given_.insert(state.key);
      const auto first = keys.find(state.tensor.raw_data());
      const Tensor* const known = first == keys.end() ? nullptr : &initial(first->second);
      if (state.tensor.nbytes() > 0 && known != nullptr && known->type() == state.tensor.type()) {
        state_.nodes.push_back({"Identity", state_.unique("/Identity"), {first->second}, {state.key}, {}});
      } else {
        keys.emplace(state.tensor.raw_data(), state.key);
        result_.initializers.emplace_back(state.key, state.tensor.detach());
      }
    }
  }

  const Tensor& initial(const std::string& key) const {
    return std::find_if(result_.initializers.begin(), result_.initializers.end(),
                        [&](const auto& one) { return one.first == key; })
        ->second;
  }

  void add(std::size_t place) {
    const GraphNode& node = graph_.nodes[place];
    switch (node.kind) {
      case GraphNode::Kind::placeholder:
        state_.values[place] = state_.unique(node.name);
        result_.inputs.push_back(port(place, state_.values[place]));
        given_.insert(state_.values[place]);
        return;
      case GraphNode::Kind::get_attr:
        state_.values[place] = attribute(node.target);
        return;
      case GraphNode::Kind::result:  // with its call
        return;
      case GraphNode::Kind::call:
        break;
    }
    ExportCall call(state_, graph_, place);
    const Terms results = find_export(node.target)->write(call);
    for (std::size_t i = 0; i < results.size() && i < call.result_count(); ++i) {
      state_.values[place + i] = results[i].name;
    }
  }

  /// The key of a parameter or buffer, or a node that gives the constant of that name.
  std::string attribute(const std::string& target) {
    for (const auto& [name, tensor] : graph_.constants) {
      if (name != target) continue;
      std::string& written = constants_[name];
      if (!written.empty()) return written;
      written = state_.unique("/constants/" + name);
      state_.nodes.push_back({"Constant", state_.unique("/constants/Constant"), {}, {written}, {{"value", tensor}}});
      return written;
    }
    return target;
  }

  ExportPort port(std::size_t place, const std::string& name) const {
    return {name, graph_.nodes[place].type, symbols_[place]};
  }

  /// Outputs have their own names. What an operator gives is called so; of an input, a parameter or another output
  /// there is a copy.
  void add_outputs() {
    std::map<std::string, std::string> renamed;
    std::vector<ExportNode> copies;
    for (const std::int64_t output : graph_.outputs) {
      const auto place = static_cast<std::size_t>(output);
      const std::string& value = state_.values[place];
      const std::string name = state_.unique(graph_.nodes[place].name);
      const bool is_own = !given_.contains(value) && !renamed.contains(value);
      if (is_own) {
        renamed.emplace(value, name);
      } else {
        const auto other = renamed.find(value);
        copies.push_back(
            {"Identity", state_.unique("/Identity"), {other == renamed.end() ? value : other->second}, {name}, {}});
      }
      result_.outputs.push_back(port(place, name));
    }
    for (ExportNode& node : state_.nodes) {
      for (std::vector<std::string>* names : {&node.inputs, &node.outputs}) {
        for (std::string& name : *names) {
          if (const auto found = renamed.find(name); found != renamed.end()) name = found->second;
        }
      }
    }
    std::move(copies.begin(), copies.end(), std::back_inserter(state_.nodes));
  }

  const nn::GraphModuleData& module_;
  Graph graph_;
  ExportState state_;
  ExportGraph result_;
  std::vector<std::vector<std::string>> symbols_;  // by node, by dimension
  std::map<std::string, std::string> constants_;
  std::set<std::string> given_;  // names of inputs, parameters and buffers
};

}  // namespace

ExportGraph export_graph(const nn::GraphModuleData& module) { return Exporter(module).run(); }

}  // namespace teff::serialize

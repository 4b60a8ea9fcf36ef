// SPDX-License-Identifier: MIT
#include <algorithm>
#include <set>

#include "teff/engine/error.h"
#include "teff/nn/graph/graph_module.h"
#include "teff/nn/text.h"

namespace teff::nn {
namespace {

std::size_t at(std::int64_t place) { return static_cast<std::size_t>(place); }

bool is_below(const std::string& scope, const std::string& path) {
  return scope == path || (scope.starts_with(path) && scope[path.size()] == '.');
}

/// The nodes that came from the module at `path`, or from one below.
std::vector<bool> nodes_of(const Graph& graph, const std::string& path) {
  std::vector<bool> inside(graph.nodes.size());
  for (std::size_t i = 0; i < inside.size(); ++i) {
    const GraphNode& node = graph.nodes[i];
    if (node.kind == GraphNode::Kind::call) inside[i] = is_below(node.scope, path);
    if (node.kind == GraphNode::Kind::result) inside[i] = inside[at(node.inputs[0])];
  }
  return inside;
}

/// The last value of the module that others read; if they read none, the last one. -1 if it computes nothing.
std::int64_t result_of_module(const Graph& graph, const std::string& path) {
  const std::vector<bool> inside = nodes_of(graph, path);
  std::int64_t result = -1, last = -1;
  for (std::size_t i = 0; i < inside.size(); ++i) {
    if (inside[i]) {
      last = static_cast<std::int64_t>(i);
    } else if (graph.nodes[i].kind == GraphNode::Kind::call) {
      for (const std::int64_t input : graph.nodes[i].inputs) {
        if (inside[at(input)]) result = std::max(result, input);
      }
    }
  }
  for (const std::int64_t output : graph.outputs) {
    if (inside[at(output)]) result = std::max(result, output);
  }
  return result >= 0 ? result : last;
}

std::int64_t place_of(const Graph& graph, const std::string& name) {
  const std::int64_t result = result_of_module(graph, name);
  if (result >= 0) return result;
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    if (graph.nodes[i].name == name) return static_cast<std::int64_t>(i);
  }
  std::set<std::string> known;
  for (const GraphNode& node : graph.nodes) {
    if (node.kind == GraphNode::Kind::call && !node.scope.empty()) known.insert(node.scope);
  }
  std::string text;
  for (const std::string& scope : known) text += (text.empty() ? "" : ", ") + scope;
  throw ValueError("features: expected the path of a module that computes something (" + text +
                   ") or the name of a node, got " + detail::quoted(name));
}

std::string module_path(const std::string& key) { return key.substr(0, key.rfind('.') + 1); }

/// Leaves out what comes after the outputs, and the tensors of modules that do nothing then.
void cut(GraphModuleData& data) {
  std::vector<GraphNode>& nodes = data.graph.nodes;
  std::size_t end = at(*std::max_element(data.graph.outputs.begin(), data.graph.outputs.end())) + 1;
  while (end < nodes.size() && nodes[end].kind != GraphNode::Kind::call &&
         nodes[end].kind != GraphNode::Kind::get_attr) {
    ++end;  // placeholders stay, and so do all results of a call
  }
  nodes.resize(end);
  std::set<std::string> targets, modules;
  for (const GraphNode& node : nodes) {
    if (node.kind != GraphNode::Kind::get_attr) continue;
    targets.insert(node.target);
    modules.insert(module_path(node.target));
  }
  std::erase_if(data.state, [&](const GraphState& state) { return !modules.contains(module_path(state.key)); });
  std::erase_if(data.graph.constants, [&](const auto& constant) { return !targets.contains(constant.first); });
}

}  // namespace

GraphModule GraphModule::features(std::span<const std::string> names) const {
  detail::expect(!names.empty(), "features", "at least 1 name", "none");
  GraphModuleData data = data_;
  data.graph.outputs.clear();
  for (const std::string& name : names) data.graph.outputs.push_back(place_of(data_.graph, name));
  cut(data);
  std::set<std::string> taken;
  for (const GraphNode& node : data.graph.nodes) taken.insert(node.name);
  for (std::size_t i = 0; i < names.size(); ++i) {
    GraphNode& node = data.graph.nodes[at(data.graph.outputs[i])];
    if (node.kind != GraphNode::Kind::placeholder && taken.insert(names[i]).second) node.name = names[i];
  }
  return GraphModule(std::move(data));
}

}  // namespace teff::nn

// SPDX-License-Identifier: MIT
#include <algorithm>
#include <set>

#include "teff/engine/error.h"
#include "teff/nn/graph/graph_module.h"
#include "teff/nn/text.h"

namespace teff::nn {
namespace {

bool is_input(const GraphNode& node) { return node.kind == GraphNode::Kind::placeholder; }

/// The type with -1 where a size is another at another batch size.
TensorType follow_batch(TensorType type, const TensorType& other) {
  for (std::size_t i = 0; i < std::min(type.shape.size(), other.shape.size()); ++i) {
    if (type.shape[i] != other.shape[i]) type.shape[i] = -1;
  }
  return type;
}

/// The outputs' types for one row more; `types` for a graph that somebody wrote for one batch size only.
std::vector<TensorType> one_row_more(const GraphExecutor& graph, const std::vector<TensorType>& inputs,
                                     const std::vector<TensorType>& types) {
  try {
    return graph.output_types(inputs);
  } catch (const Error&) {
    return types;
  }
}

std::vector<std::int64_t> input_places(const Graph& graph) {
  std::vector<std::int64_t> places;
  for (const GraphNode& node : graph.nodes) {
    if (is_input(node)) places.push_back(static_cast<std::int64_t>(places.size()));
  }
  return places;
}

void rename(Graph& graph, std::span<const std::int64_t> places, std::span<const std::string> names, const char* what) {
  if (names.empty()) return;
  detail::expect(names.size() == places.size(), "rename_ports", std::to_string(places.size()) + " names of " + what,
                 std::to_string(names.size()));
  for (std::size_t i = 0; i < names.size(); ++i) graph.nodes[static_cast<std::size_t>(places[i])].name = names[i];
  for (std::size_t i = 0; i < names.size(); ++i) {
    detail::expect(graph.nodes[static_cast<std::size_t>(places[i])].name == names[i], "rename_ports",
                   "one name for outputs that are the same", detail::quoted(names[i]) + " and another");
  }
}

}  // namespace

std::vector<TensorType> GraphModule::input_types(std::int64_t more_rows) const {
  std::vector<TensorType> types;
  for (const GraphNode& node : data_.graph.nodes) {
    if (is_input(node)) types.push_back(node.type);
  }
  if (types.empty() || types[0].shape.empty()) return types;
  const std::int64_t batch = types[0].shape[0];
  for (TensorType& type : types) {
    if (!type.shape.empty() && type.shape[0] == batch) type.shape[0] += more_rows;
  }
  return types;
}

std::vector<GraphPort> GraphModule::inputs() const {
  const std::vector<TensorType> types = input_types(0), more = input_types(1);
  std::vector<GraphPort> ports;
  for (std::size_t i = 0; i < types.size(); ++i) {
    ports.push_back({data_.graph.nodes[i].name, follow_batch(types[i], more[i])});
  }
  return ports;
}

std::vector<GraphPort> GraphModule::outputs() const {
  const std::vector<TensorType> types = executor_.output_types(input_types(0));
  const std::vector<TensorType> more = one_row_more(executor_, input_types(1), types);
  std::vector<GraphPort> ports;
  for (std::size_t i = 0; i < types.size(); ++i) {
    const GraphNode& node = data_.graph.nodes[static_cast<std::size_t>(data_.graph.outputs[i])];
    ports.push_back({node.name, follow_batch(types[i], more[i])});
  }
  return ports;
}

void GraphModule::rename_ports(std::span<const std::string> inputs, std::span<const std::string> outputs) {
  if (inputs.empty() && outputs.empty()) return;
  Graph graph = data_.graph;
  rename(graph, input_places(graph), inputs, "inputs");
  rename(graph, graph.outputs, outputs, "outputs");
  std::set<std::string_view> names;
  for (const GraphNode& node : graph.nodes) {
    detail::expect(names.insert(node.name).second, "rename_ports", "names of their own for all nodes",
                   detail::quoted(node.name) + " twice");
  }
  data_.graph = std::move(graph);
  rebuild();
}

}  // namespace teff::nn

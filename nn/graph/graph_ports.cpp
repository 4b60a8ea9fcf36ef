// SPDX-License-Identifier: MIT
#include <algorithm>
#include <set>

#include "teff/engine/error.h"
#include "teff/engine/input_rules.h"
#include "teff/nn/graph/graph_module.h"
#include "teff/nn/text.h"

namespace teff::nn {
namespace {

bool is_input(const GraphNode& node) { return node.kind == GraphNode::Kind::placeholder; }

/// Writes -1 where a size of the outputs is another when the inputs have another there: twice the size, one
/// more, or one less. A graph need not take all of them.
void follow_size(const GraphExecutor& graph, const std::vector<TensorType>& inputs, const std::vector<InputDim>& places,
                 std::vector<GraphPort>& ports) {
  const InputDim& place = places[0];
  const std::int64_t size = inputs[static_cast<std::size_t>(place.input)].shape[static_cast<std::size_t>(place.dim)];
  const std::vector<TensorType> captured = graph.output_types(inputs);
  for (const std::int64_t other : {2 * size, size + 1, size - 1}) {
    try {
      const std::vector<TensorType> types = graph.output_types(teff::detail::resized(inputs, places, other));
      for (std::size_t i = 0; i < types.size(); ++i) {
        for (std::size_t d = 0; d < std::min(types[i].shape.size(), captured[i].shape.size()); ++d) {
          if (types[i].shape[d] != captured[i].shape[d]) ports[i].type.shape[d] = -1;
        }
      }
    } catch (const Error&) {  // NOLINT(bugprone-empty-catch): see above
    }
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

std::vector<GraphPort> GraphModule::inputs() const {
  const std::vector<TensorType> types = executor_.input_types();
  std::vector<GraphPort> ports;
  for (std::size_t i = 0; i < types.size(); ++i) ports.push_back({data_.graph.nodes[i].name, types[i]});
  return ports;
}

std::vector<GraphPort> GraphModule::outputs() const {
  std::vector<TensorType> inputs;
  for (const GraphNode& node : data_.graph.nodes) {
    if (is_input(node)) inputs.push_back(node.type);
  }
  std::vector<GraphPort> ports;
  for (const std::int64_t output : data_.graph.outputs) {
    const GraphNode& node = data_.graph.nodes[static_cast<std::size_t>(output)];
    ports.push_back({node.name, node.type});
  }
  for (const FreeSize& free : free_sizes_of(data_.graph)) follow_size(executor_, inputs, free.places, ports);
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

// SPDX-License-Identifier: MIT
#include "teff/serialize/operators/imported_graph.h"

#include <map>
#include <set>
#include <utility>

#include "teff/engine/ops.h"
#include "teff/engine/tensor_impl.h"

namespace teff::serialize {

void name_ports(Graph& graph, std::span<const std::string> inputs, std::span<const std::string> outputs) {
  std::map<std::size_t, std::string> names;  // by node
  std::set<std::string> taken;
  const auto give = [&](std::size_t place, const std::string& name) {
    if (!name.empty() && !names.contains(place) && taken.insert(name).second) names.emplace(place, name);
  };
  for (std::size_t i = 0; i < inputs.size(); ++i) give(i, inputs[i]);
  for (std::size_t i = 0; i < outputs.size() && i < graph.outputs.size(); ++i) {
    const auto place = static_cast<std::size_t>(graph.outputs[i]);
    if (graph.nodes[place].kind != GraphNode::Kind::placeholder) give(place, outputs[i]);
  }
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    if (const auto name = names.find(i); name != names.end()) {
      graph.nodes[i].name = name->second;
      continue;
    }
    std::string& name = graph.nodes[i].name;
    while (!taken.insert(name).second) name += '_';
  }
}

bool frees_batch_unseen(const Graph& graph) { return graph.free_sizes.empty() && !free_sizes_of(graph).empty(); }

GraphFunction of_one_shape(GraphFunction function) {
  return [function = std::move(function)](std::span<const Tensor> inputs) {
    std::vector<Tensor> checked(inputs.begin(), inputs.end());
    checked.at(0) = view(checked[0], checked[0].shape());
    return function(checked);
  };
}

std::vector<Tensor> stand_ins_for(std::span<const TensorType> types) {
  std::vector<Tensor> tensors;
  for (const TensorType& type : types) tensors.push_back(detail::make_without_values(type));
  return tensors;
}

}  // namespace teff::serialize

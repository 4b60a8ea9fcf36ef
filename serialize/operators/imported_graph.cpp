// SPDX-License-Identifier: MIT
#include "teff/serialize/operators/imported_graph.h"

#include <map>
#include <new>
#include <set>
#include <utility>

#include "teff/engine/build.h"
#include "teff/engine/error.h"
#include "teff/engine/input_rules.h"
#include "teff/engine/ops.h"
#include "teff/engine/tensor_impl.h"

namespace teff::serialize {
namespace {

/// A dropout that is told that it does not train, whatever the mode.
bool drops_never(const GraphNode& node) {
  const Value* const mode = node.attributes.find("training");
  return node.target.find("dropout") != std::string::npos && node.attributes.contains("p") && mode != nullptr &&
         mode->is_bool() && !mode->as_bool();
}

}  // namespace

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

void check_rows(const Graph& graph, std::span<const std::pair<std::string, Tensor>> attributes,
                const std::vector<TensorType>& types) {
  const std::vector<FreeSize> free = free_sizes_of(graph);
  if (free.empty()) return;
  const GraphExecutor executor(graph, {attributes.begin(), attributes.end()});
  const std::int64_t batch = types.at(0).shape[0];
  const std::vector<TensorType> outputs = executor.output_types(types);
  const std::vector<TensorType> more = executor.output_types(teff::detail::resized(types, free[0].places, batch + 1));
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    if (outputs[i].shape.empty() || more[i].shape[0] != outputs[i].shape[0] + 1) {
      throw FormatError("expected outputs with a row for each of the batch");
    }
  }
}

void keep_told_modes(Graph& graph, Graph evaluation, Graph training) {
  Graph told = graph;
  if (evaluation.nodes.size() == training.nodes.size()) {
    for (std::size_t i = 0; i < training.nodes.size(); ++i) {
      if (!drops_never(training.nodes[i])) continue;
      for (Graph* each : {&evaluation, &training, &told}) each->nodes[i].attributes["p"] = 0.0;
      training.nodes[i].attributes["training"] = true;
    }
  }
  if (detail::compare_modes(told, evaluation, training).empty()) graph = std::move(told);
}

std::vector<Tensor> stand_ins_for(std::span<const TensorType> types) {
  std::vector<Tensor> tensors;
  for (const TensorType& type : types) tensors.push_back(detail::make_without_values(type));
  return tensors;
}

detail::Explored explore_batch(const std::function<detail::Explored(bool batch)>& with, bool& has_one_shape) {
  try {
    return with(true);
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const ResourceError&) {
    throw;
  } catch (const Error&) {
    detail::Explored explored = with(false);
    has_one_shape = frees_batch_unseen(explored.graph);
    return has_one_shape ? with(false) : std::move(explored);
  }
}

std::vector<Tensor> inputs_of_two_rows(detail::Explored& explored) {
  const std::vector<FreeSize> free = free_sizes_of(explored.graph);
  std::vector<Tensor> inputs = std::move(explored.small_inputs);
  if (free.empty() || free[0].places[0] != InputDim{0, 0}) return inputs;
  return detail::resized(std::move(inputs), free[0].places, 2);
}

}  // namespace teff::serialize

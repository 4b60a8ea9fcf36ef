// SPDX-License-Identifier: MIT
#include "teff/serialize/teff/model_file.h"

#include <algorithm>
#include <cmath>
#include <iomanip>
#include <set>
#include <sstream>

#include "teff/engine/autograd.h"
#include "teff/engine/error.h"
#include "teff/engine/ops.h"
#include "teff/engine/text.h"
#include "teff/serialize/teff/dict_codec.h"

namespace teff::serialize {
namespace {

constexpr std::int64_t kSelfTestRows = 2;

/// The same inputs with fewer rows of the batch, which is the first of the free sizes.
std::vector<Tensor> first_rows(const Graph& graph, std::span<const Tensor> example) {
  std::vector<Tensor> inputs;
  for (const Tensor& input : example) inputs.push_back(input.detach());
  const std::vector<FreeSize> free = free_sizes_of(graph);
  if (free.empty() || free[0].places[0] != InputDim{0, 0}) return inputs;
  for (const InputDim& place : free[0].places) {
    Tensor& input = inputs[static_cast<std::size_t>(place.input)];
    input = slice(input, place.dim, 0, kSelfTestRows);
  }
  return inputs;
}

/// Fields that a kind of node does not use have one value only.
void check_nodes(const HeaderReader& archive, const Graph& graph) {
  for (const GraphNode& node : graph.nodes) {
    const bool is_call = node.kind == GraphNode::Kind::call;
    const bool has_target = is_call || node.kind == GraphNode::Kind::get_attr;
    if (node.version < 1) archive.refuse("expected versions from 1, got " + std::to_string(node.version));
    if (!is_call && (node.version != 1 || !node.attributes.empty() || node.target.empty() == has_target)) {
      archive.refuse("expected a node of kind " + std::string(to_string(node.kind)) + " without " +
                     (has_target ? "" : "target, ") + "version and attributes, got one with them");
    }
  }
}

void check_names(const HeaderReader& archive, const nn::GraphModuleData& module) {
  std::set<std::string_view> names;
  for (const nn::GraphState& state : module.state) names.insert(state.key);
  for (const auto& [name, tensor] : module.graph.constants) {
    if (!names.insert(name).second) archive.refuse("expected constants with names of their own, got one again");
  }
}

void check_arity(const HeaderReader& archive, const ModelContent& content) {
  const std::vector<GraphNode>& nodes = content.module.graph.nodes;
  const auto inputs = std::count_if(nodes.begin(), nodes.end(),
                                    [](const GraphNode& node) { return node.kind == GraphNode::Kind::placeholder; });
  const SelfTest& test = content.self_test;
  if (test.inputs.size() != static_cast<std::size_t>(inputs) ||
      test.outputs.size() != content.module.graph.outputs.size()) {
    archive.refuse("expected a self-test with the inputs and outputs of the graph, got " +
                   std::to_string(test.inputs.size()) + " inputs and " + std::to_string(test.outputs.size()) +
                   " outputs");
  }
}

}  // namespace

// Each field once, for both directions.

template <class Archive>
void serialize(Archive& archive, GraphNode& node) {
  archive(node.name);
  const Within within(archive, std::string_view(node.name));
  archive(OneOf<GraphNode::Kind>{node.kind, GraphNode::Kind::placeholder, GraphNode::Kind::result});
  if (node.kind == GraphNode::Kind::result) archive.use(kSeveralResults);
  archive(node.target, node.version, node.attributes, node.inputs, node.scope, node.type);
}
template <>
inline constexpr std::size_t kMinBytes<GraphNode> = 72;

template <class Archive>
void serialize(Archive& archive, Graph& graph) {
  archive(graph.nodes, graph.outputs);
  if (graph.nodes.size() > kMaxNodes) archive.refuse("expected at most 65536 nodes, got more");
}

template <class Archive>
void serialize(Archive& archive, InputDim& place) {
  archive(place.input, place.dim);
}
template <>
inline constexpr std::size_t kMinBytes<InputDim> = 16;

template <class Archive>
void serialize(Archive& archive, FreeSize& free) {
  archive(free.least, free.places);
}
template <>
inline constexpr std::size_t kMinBytes<FreeSize> = 16;

template <class Archive>
void serialize(Archive& archive, nn::ModuleSummary& summary) {
  archive(summary.name);
  const Within within(archive, std::string_view(summary.name));
  archive(summary.type_name, summary.extra_repr, summary.children);
}
template <>
inline constexpr std::size_t kMinBytes<nn::ModuleSummary> = 32;

/// A tensor under its name: a constant of the graph.
template <class Archive>
void serialize(Archive& archive, std::pair<std::string, Tensor>& named) {
  archive(named.first);
  const Within within(archive, std::string_view(named.first));
  archive(named.second);
}
template <>
inline constexpr std::size_t kMinBytes<std::pair<std::string, Tensor>> = 16;

void save(HeaderWriter& archive, const nn::GraphState& state) {
  archive(state.key);
  const Within within(archive, std::string_view(state.key));
  archive(state.tensor, state.is_parameter, state.tensor.requires_grad());
}

void load(HeaderReader& archive, nn::GraphState& state) {
  bool requires_grad = false;
  archive(state.key);
  const Within within(archive, std::string_view(state.key));
  archive(state.tensor, state.is_parameter, requires_grad);
  if (!requires_grad) return;
  if (!is_computable(state.tensor.dtype())) archive.refuse("expected float32 or float64 where a gradient is required");
  state.tensor.requires_grad_();
}
template <>
inline constexpr std::size_t kMinBytes<nn::GraphState> = 32;

template <class Archive>
void serialize(Archive& archive, nn::GraphModuleData& module) {
  archive(module.graph, module.graph.constants, module.state, module.summary, module.training);
}

template <class Archive>
void serialize(Archive& archive, SelfTest& test) {
  const Within within(archive, std::string_view("self-test"));
  archive(test.inputs, test.outputs);
}

void save(HeaderWriter& archive, const ModelContent& content) {
  archive(content.module, content.self_test);
  const std::vector<FreeSize>& free_sizes = content.module.graph.free_sizes;
  if (free_sizes.empty()) return;
  archive.use(kFreeSizes);
  archive(free_sizes);
}

void load(HeaderReader& archive, ModelContent& content) {
  archive(content.module, content.self_test);
  if (archive.names(kFreeSizes)) {
    archive(content.module.graph.free_sizes);
    if (!content.module.graph.free_sizes.empty()) archive.use(kFreeSizes);
  }
  check_nodes(archive, content.module.graph);
  check_names(archive, content.module);
  check_arity(archive, content);
}

namespace {

/// Compares as T what the tensors hold.
template <class T>
void check_values(const Tensor& actual, const Tensor& expected, double tolerance, const std::string& name) {
  const std::span<const T> got = actual.span<T>(), wanted = expected.span<T>();
  double largest = 0;
  for (const T value : wanted) {
    if (std::isfinite(static_cast<double>(value))) largest = std::max(largest, std::abs(static_cast<double>(value)));
  }
  for (std::size_t i = 0; i < got.size(); ++i) {
    const auto a = static_cast<double>(got[i]), b = static_cast<double>(wanted[i]);
    if (got[i] == wanted[i] || (std::isnan(a) && std::isnan(b)) || std::abs(a - b) <= tolerance * largest) continue;
    std::ostringstream numbers;
    numbers << std::setprecision(9) << b << ", got " << a;
    throw FormatError("self-test: " + name + " at " +
                      detail::coordinates(expected.shape(), static_cast<std::int64_t>(i)) + ": expected " +
                      numbers.str());
  }
}

void check_output(const Tensor& actual, const Tensor& expected, const std::string& name) {
  if (actual.type() != expected.type()) {
    throw FormatError("self-test: " + name + ": expected " + detail::describe(expected.type()) + ", got " +
                      detail::describe(actual.type()));
  }
  if (expected.dtype() == DType::float32) {
    check_values<float>(actual, expected, 1e-4, name);
  } else if (expected.dtype() == DType::float64) {
    check_values<double>(actual, expected, 1e-10, name);
  } else {
    check_values<std::int64_t>(actual.to(DType::int64), expected.to(DType::int64), 0, name);
  }
}

}  // namespace

void check_self_test(const nn::GraphModule& module, const SelfTest& test) {
  const NoGradGuard no_grad;
  nn::GraphModule evaluated = module;
  evaluated.eval();
  const std::vector<Tensor> outputs = evaluated.forward_many(test.inputs);
  const Graph& graph = module.graph();
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const std::string& name = graph.nodes[static_cast<std::size_t>(graph.outputs[i])].name;
    check_output(outputs[i], test.outputs[i], "output " + std::to_string(i) + " (\"" + escaped(name, 80) + "\")");
  }
}

SelfTest make_self_test(const nn::GraphModule& module, std::span<const Tensor> example) {
  const NoGradGuard no_grad;
  nn::GraphModule evaluated = module;
  evaluated.eval();
  SelfTest test;
  std::vector<TensorType> types;
  for (const Tensor& input : example) types.push_back(input.type());
  evaluated.check_inputs(types);
  test.inputs = first_rows(module.graph(), example);

  test.outputs = evaluated.forward_many(test.inputs);
  return test;
}

}  // namespace teff::serialize

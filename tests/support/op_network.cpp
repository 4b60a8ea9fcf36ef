// SPDX-License-Identifier: MIT
#include "support/op_network.h"

#include "teff/engine/op.h"
#include "teff/engine/op_registry.h"
#include "teff/engine/ops.h"

namespace teff::testing {

nn::GraphModule op_network(const OpSample& sample) {
  using Kind = GraphNode::Kind;
  nn::GraphModuleData data;
  std::vector<GraphNode>& nodes = data.graph.nodes;
  const auto add = [&](GraphNode node) {
    nodes.push_back(std::move(node));
    return static_cast<std::int64_t>(nodes.size()) - 1;
  };
  const std::vector<Tensor> inputs = sample.leaves(DType::float32);
  const TensorType number{{}, DType::float32};
  std::vector<std::int64_t> places{add({Kind::placeholder, "x", "", 1, {}, {}, "", number})};
  std::vector<TensorType> types;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const std::string key = "input" + std::to_string(i);
    data.state.push_back({key, inputs[i], inputs[i].requires_grad()});
    types.push_back(inputs[i].type());
    places.push_back(add({Kind::get_attr, key, key, 1, {}, {}, "", types.back()}));
  }
  const DType dtype = types[0].dtype;
  const TensorType nothing{{}, dtype};
  std::int64_t zero = add({Kind::call, "zero", "mul_scalar", 1, {{"value", 0.0}}, {0}, "", number});
  if (dtype != DType::float32) {
    const Dict to{{"dtype", std::string(to_string(dtype))}};
    zero = add({Kind::call, "same", "to", 1, to, {zero}, "", nothing});
  }
  const char* const sum = dtype == DType::bool_ ? "bitwise_or" : "add";
  places[1] = add({Kind::call, "given", sum, 1, {}, {places[1], zero}, "", types[0]});
  const auto op = make_op(sample.op, sample.attributes);
  std::vector<TensorType> results;
  if (const auto* several = dynamic_cast<const MultiOp*>(op.get())) {
    results = several->output_types(types);
  } else {
    results = {op->output_type(types)};
  }
  const std::vector<std::int64_t> used(places.begin() + 1, places.end());
  const std::int64_t first = add({Kind::call, "result", sample.op, 1, sample.attributes, used, "", results[0]});
  data.graph.outputs.push_back(first);
  for (std::size_t i = 1; i < results.size(); ++i) {
    data.graph.outputs.push_back(add({Kind::result, "result" + std::to_string(i), "", 1, {}, {first}, "", results[i]}));
  }
  data.summary.type_name = "Sample";
  nn::GraphModule network(std::move(data));
  network.eval();
  return network;
}

void backward_of_all(std::span<const Tensor> outputs) {
  Tensor loss;
  for (const Tensor& output : outputs) {
    if (!output.requires_grad()) continue;
    const Tensor weights = cos(arange(output.numel()).to(DType::float64)).to(output.dtype()).view(output.shape());
    const Tensor part = sum(output * weights).to(DType::float64);
    loss = loss.defined() ? loss + part : part;
  }
  if (loss.defined()) loss.backward();
}

}  // namespace teff::testing

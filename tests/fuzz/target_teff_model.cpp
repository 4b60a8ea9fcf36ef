// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cstring>
#include <sstream>

#include "fuzz/checks.h"
#include "teff/engine/autograd.h"
#include "teff/engine/error.h"
#include "teff/engine/ops.h"
#include "teff/nn/graph/graph_module.h"
#include "teff/serialize/io/byte_sink.h"
#include "teff/serialize/io/byte_source.h"
#include "teff/serialize/save_load.h"
#include "teff/serialize/teff/dict_codec.h"
#include "teff/serialize/teff/model_file.h"
#include "teff/serialize/teff/teff_file.h"

namespace teff::fuzz {
namespace {

constexpr std::int64_t kMaxElements = 1 << 14;  // of one value
constexpr std::int64_t kMaxWork = 1 << 22;      // of one call: elements of the result times those of its inputs
constexpr std::size_t kMaxNodes = 64;

std::int64_t elements(const TensorType& type) { return numel(type.shape); }

/// Whether a call costs little. What a model asks for beyond that is the user's to decide, not an error.
bool is_cheap(const Graph& graph) {
  return graph.nodes.size() <= kMaxNodes &&
         std::all_of(graph.nodes.begin(), graph.nodes.end(), [&](const GraphNode& node) {
           std::int64_t inputs = 1;
           for (const std::int64_t input : node.inputs) {
             inputs += std::min(kMaxElements, elements(graph.nodes[static_cast<std::size_t>(input)].type));
           }
           const std::int64_t outputs = elements(node.type);
           return outputs <= kMaxElements && outputs * inputs <= kMaxWork;
         });
}

/// Whether running on these inputs costs no more than on those of the capture.
bool are_small(const Graph& graph, const std::vector<Tensor>& inputs) {
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const Shape& captured = graph.nodes[i].type.shape;
    const Shape& actual = inputs[i].shape();
    if (actual.size() != captured.size()) return false;
    for (std::size_t d = 0; d < actual.size(); ++d) {
      if (actual[d] > captured[d]) return false;
    }
  }
  return true;
}

std::vector<Tensor> run(nn::GraphModule& module, const std::vector<Tensor>& inputs) {
  try {
    return module.forward_many(inputs);
  } catch (const Error&) {  // the example may not fit
    return {};
  }
}

void train(nn::GraphModule& module, const std::vector<Tensor>& inputs) {
  module.train();
  for (const Tensor& output : run(module, inputs)) {
    try {
      if (output.requires_grad()) output.sum().backward();
    } catch (const Error&) {  // a value may have been changed by a later call
    }
  }
}

std::string save(const nn::GraphModule& module, const serialize::SelfTest& self_test, const Dict& metadata) {
  std::ostringstream stream;
  serialize::StreamSink sink(stream);
  const serialize::ModelContent content{module.data(), self_test};
  serialize::write_teff(sink, serialize::FileKind::model, metadata,
                        [&](serialize::HeaderWriter& archive) { archive(content); });
  return stream.str();
}

}  // namespace

/// A model that loads is saved to the same bytes, prints, and runs: in evaluation twice with the same result.
void run_teff_model(std::span<const std::byte> bytes) {
  try {
    load_model(bytes);
  } catch (const FormatError& error) {
    return expect_refusal(error.what());
  } catch (const ResourceError& error) {
    return expect_refusal(error.what());
  }
  check_file(bytes, true);
  serialize::ModelContent content;
  const Dict metadata = serialize::read_teff(serialize::MemorySource(bytes), serialize::FileKind::model, {},
                                             [&](serialize::HeaderReader& archive) { archive(content); });
  nn::GraphModule module(content.module);
  const std::string saved = save(module, content.self_test, metadata);
  expect(saved.size() == bytes.size() && std::memcmp(saved.data(), bytes.data(), bytes.size()) == 0,
         "a model that was loaded is saved to the same bytes");
  std::ostringstream printed;
  printed << module << module.graph() << module.state_dict();

  const std::vector<Tensor>& inputs = content.self_test.inputs;
  if (!is_cheap(module.graph()) || !are_small(module.graph(), inputs)) return;
  module.eval();
  const std::vector<Tensor> first = run(module, inputs), second = run(module, inputs);
  for (std::size_t i = 0; i < first.size(); ++i) {
    expect(Value(first[i]) == Value(second[i]), "a model in evaluation gives the same result again");
  }
  train(module, inputs);
}

}  // namespace teff::fuzz

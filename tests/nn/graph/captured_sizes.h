// SPDX-License-Identifier: MIT
#pragma once

// What a captured module does at sizes, beside the module itself.

#include <functional>

#include "nn/nets.h"
#include "teff/engine/autograd.h"
#include "teff/nn/graph/inference_session.h"

namespace teff::nn_testing {

using Inputs = std::vector<Tensor>;

/// A module whose forward is a function of one input, or of several.
struct Forward : nn::Module {
  using One = std::function<Tensor(const Tensor&)>;
  using Many = std::function<Inputs(std::span<const Tensor>)>;
  explicit Forward(One one) : many([one](std::span<const Tensor> x) { return Inputs{one(x[0])}; }) {}
  explicit Forward(Many function) : many(std::move(function)) {}
  TEFF_MODULE(Forward)
  Inputs forward_many(std::span<const Tensor> x) override { return many(x); }
  Many many;
};

inline Inputs random_inputs(const std::vector<Shape>& shapes) {
  Inputs inputs;
  for (const Shape& shape : shapes) inputs.push_back(rand(shape));
  return inputs;
}

inline std::vector<Shape> inputs_of(const nn::GraphModule& graph) {
  std::vector<Shape> shapes;
  for (const nn::GraphPort& port : graph.inputs()) shapes.push_back(port.type.shape);
  return shapes;
}

/// "same" if record and session give the module's bits; "refused" if the module works and both refuse by the same text;
/// "neither" if module and record throw; else what went wrong.
inline std::string compare(nn::Module& module, nn::GraphModule& graph, const std::vector<Shape>& shapes) {
  const NoGradGuard no_grad;
  module.eval();
  graph.eval();
  const Inputs inputs = random_inputs(shapes);
  Inputs expected, actual;
  std::string module_text, graph_text, session_text;
  try {
    expected = module(inputs);
  } catch (const Error& error) {
    module_text = error.what();
  }
  try {
    actual = graph(inputs);
  } catch (const Error& error) {
    graph_text = error.what();
  }
  try {
    nn::InferenceSession session(graph, shapes);
    const std::span<const Tensor> outputs = session.run(inputs);
    for (std::size_t i = 0; i < actual.size(); ++i) {
      if (!(Value(outputs[i]) == Value(actual[i]))) return "the session gives other values";
    }
  } catch (const Error& error) {
    session_text = error.what();
  }
  if (graph_text.empty() != session_text.empty()) return "the session differs: " + graph_text + session_text;
  if (!module_text.empty()) return graph_text.empty() ? "answers where the module throws" : "neither";
  if (!graph_text.empty()) return graph_text == session_text ? "refused" : "two texts: " + session_text;
  bool equal = expected.size() == actual.size();
  for (std::size_t i = 0; equal && i < expected.size(); ++i) equal = Value(expected[i]) == Value(actual[i]);
  return equal ? "same" : "other values";
}

inline std::string compare(nn::Module& module, nn::GraphModule& graph, const Shape& shape) {
  return compare(module, graph, std::vector<Shape>{shape});
}

inline std::string refusal_of(Forward::One forward, const Shape& shape) {
  Forward module(std::move(forward));
  return error_of<Error>([&] { nn::capture(module, rand(shape)); });
}

}  // namespace teff::nn_testing

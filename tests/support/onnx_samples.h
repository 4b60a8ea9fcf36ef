// SPDX-License-Identifier: MIT
#pragma once

// Small networks as ONNX files.

#include <string>
#include <vector>

#include "support/onnx_writer.h"

namespace teff::testing::onnx {

inline std::vector<float> counting_up(std::size_t count, float step = 0.25f) {
  std::vector<float> values;
  for (std::size_t i = 0; i < count; ++i) values.push_back(step * static_cast<float>(i % 7) - step);
  return values;
}

/// x [N, 2, 4, 4] -> conv -> batch norm -> relu -> x.view(x.size(0), -1) -> linear
inline Parts small_network() {
  Parts parts;
  parts.inputs = {port("image", {-1, 2, 4, 4})};
  parts.outputs = {port("scores", {-1, 3})};
  parts.initializers = {floats("conv.weight", {3, 2, 3, 3}, counting_up(54)),
                        floats("conv.bias", {3}, {0.5f, 0, -0.5f}),
                        floats("bn.weight", {3}, {1, 2, 3}),
                        floats("bn.bias", {3}, {0, 1, 0}),
                        floats("bn.running_mean", {3}, {0.1f, 0.2f, 0.3f}),
                        floats("bn.running_var", {3}, {1, 1, 2}),
                        floats("fc.weight", {3, 12}, counting_up(36)),
                        floats("fc.bias", {3}, {1, 2, 3})};
  parts.nodes = {node("Conv", {"image", "conv.weight", "conv.bias"}, {"c"},
                      {integers("kernel_shape", {3, 3}), integers("strides", {2, 2}), integers("pads", {1, 1, 1, 1})}),
                 node("BatchNormalization", {"c", "bn.weight", "bn.bias", "bn.running_mean", "bn.running_var"}, {"b"},
                      {float_number("momentum", 0.9f), float_number("epsilon", 1e-5f)}),
                 node("Relu", {"b"}, {"r"}),
                 node("Shape", {"r"}, {"shape"}),
                 node("Constant", {}, {"zero"}, {value("value", tensor<std::int64_t>("", 7, {}, {0}))}),
                 node("Gather", {"shape", "zero"}, {"n"}, {integer("axis", 0)}),
                 node("Constant", {}, {"axes"}, {value("value", ints("", {0}))}),
                 node("Unsqueeze", {"n", "axes"}, {"n1"}),
                 node("Constant", {}, {"rest"}, {value("value", ints("", {-1}))}),
                 node("Concat", {"n1", "rest"}, {"sizes"}, {integer("axis", 0)}),
                 node("Reshape", {"r", "sizes"}, {"flat"}),
                 node("Gemm", {"flat", "fc.weight", "fc.bias"}, {"scores"}, {integer("transB", 1)})};
  return parts;
}

/// One node on x [N, 4], which gives y.
inline Parts one_node(const std::string& node) {
  Parts parts;
  parts.nodes = {node};
  parts.inputs = {port("x", {-1, 4})};
  parts.outputs = {port("y", {-1, 4})};
  return parts;
}

/// An If on the initialiser `condition`: relu, or else sigmoid.
inline Parts branches(bool condition) {
  Parts then, otherwise;
  then.nodes = {node("Relu", {"x"}, {"a"})};
  then.outputs = {port("a", {-1, 4})};
  otherwise.nodes = {node("Sigmoid", {"x"}, {"b"})};
  otherwise.outputs = {port("b", {-1, 4})};
  Parts parts = one_node(node("If", {"condition"}, {"y"},
                              {subgraph("then_branch", graph(then)), subgraph("else_branch", graph(otherwise))}));
  parts.initializers = {tensor<char>("condition", kBool, {}, {condition ? '\1' : '\0'})};
  return parts;
}

/// x [N, 1, H, W] through what reads and makes shapes.
inline Parts shapes() {
  Parts parts;
  parts.inputs = {port("x", {-1, 1, -2, -3})};
  parts.outputs = {port("y", {-1, 2, -2, -3})};
  parts.initializers = {ints("starts", {0}),
                        ints("ends", {1}),
                        ints("axes", {2}),
                        ints("pads", {0, 0, 0, 0, 0, 0, 1, 0}),
                        floats("scales", {4}, {1, 1, 2, 2}),
                        ints("parts", {1, 1})};
  parts.nodes = {
      node("Slice", {"x", "starts", "ends", "axes"}, {"row"}),
      node("Concat", {"x", "row"}, {"more"}, {integer("axis", 2)}),
      node("Pad", {"row", "pads"}, {"rows"}),
      node("Shape", {"more"}, {"shape"}),
      node("ConstantOfShape", {"shape"}, {"none"}),
      node("Expand", {"more", "shape"}, {"same"}),
      node("Add", {"same", "none"}, {"sum"}),
      node("Concat", {"x", "x"}, {"two"}, {integer("axis", 1)}),
      node("Split", {"two", "parts"}, {"first", "second"}, {integer("axis", 1)}),
      node("Resize", {"first", "", "scales"}, {"large"}, {text("mode", "nearest")}),
      node("AveragePool", {"large"}, {"small"}, {integers("kernel_shape", {2, 2}), integers("strides", {2, 2})}),
      node("Concat", {"small", "second"}, {"y"}, {integer("axis", 1)})};
  return parts;
}

}  // namespace teff::testing::onnx

// SPDX-License-Identifier: MIT
#pragma once

// ONNX files of about 1 MB that ask for as much work and memory as the format allows.

#include <functional>
#include <string>

#include "support/onnx_writer.h"

namespace teff::reliability {

inline std::string onnx_name(const std::string& prefix, std::size_t i) { return prefix + std::to_string(i); }

/// `count` nodes, each on the result of the one before: x, t0, t1, ...
inline testing::onnx::Parts onnx_chain(
    std::size_t count, const std::function<std::string(const std::string& from, const std::string& to)>& node) {
  namespace onnx = testing::onnx;
  onnx::Parts parts;
  parts.inputs = {onnx::port("x", {-1, 4})};
  std::string from = "x";
  for (std::size_t i = 0; i < count; ++i) {
    const std::string to = onnx_name("t", i);
    parts.nodes.push_back(node(from, to));
    from = to;
  }
  parts.outputs = {onnx::port(from, {-1, 4})};
  return parts;
}

inline void visit_onnx_files(const std::function<void(const std::string&, const std::string&)>& visit) {
  namespace onnx = testing::onnx;
  using onnx::node;
  constexpr std::size_t kBytes = 1'000'000;
  visit("ONNX: a chain", onnx::model(onnx_chain(30'000, [](const std::string& from, const std::string& to) {
          return node("Relu", {from}, {to});
        })));
  onnx::Parts reshapes = onnx_chain(15'000, [](const std::string& from, const std::string& to) {
    return node("Reshape", {from, "shape"}, {to});
  });
  reshapes.nodes.insert(reshapes.nodes.begin(), node("Shape", {"x"}, {"shape"}));
  visit("ONNX: sizes that follow the batch", onnx::model(reshapes));
  onnx::Parts free = reshapes;
  free.inputs = {onnx::port("x", {-1, -2, -3, -1})};
  visit("ONNX: sizes that follow many", onnx::model(free));
  visit("ONNX: twice as long each time",
        onnx::model(onnx_chain(20'000, [](const std::string& from, const std::string& to) {
          return node("Concat", {from, from}, {to}, {onnx::integer("axis", 1)});
        })));
  onnx::Parts ranges = onnx_chain(10'000, [](const std::string&, const std::string& to) {
    return node("Range", {"zero", "many", "one"}, {to});
  });
  ranges.initializers = {onnx::tensor<std::int64_t>("zero", 7, {}, {0}), onnx::tensor<std::int64_t>("one", 7, {}, {1}),
                         onnx::tensor<std::int64_t>("many", 7, {}, {65'536})};
  visit("ONNX: ranges", onnx::model(ranges));
  onnx::Parts classes = onnx_chain(8'000, [](const std::string&, const std::string& to) {
    return node("OneHot", {"x", "depth", "values"}, {to});
  });
  classes.initializers = {onnx::tensor<std::int64_t>("depth", 7, {}, {65'536}), onnx::floats("values", {2}, {0, 1})};
  visit("ONNX: many classes", onnx::model(classes));
  onnx::Parts large = onnx_chain(
      10'000, [](const std::string&, const std::string& to) { return node("ConstantOfShape", {"sizes"}, {to}); });
  large.initializers = {onnx::ints("sizes", {1 << 14, 1 << 14, 1 << 14})};
  visit("ONNX: large constants", onnx::model(large));
  std::string names;
  for (std::size_t i = 0; i < kBytes / 2; ++i) names += onnx::bytes(1, "");
  visit("ONNX: inputs without names", onnx::model(onnx::bytes(1, names + onnx::bytes(4, "Sum"))));
  std::string numbers = onnx::bytes(1, "axes") + onnx::bytes(8, std::string(kBytes, '\1'));
  visit("ONNX: an attribute of many numbers",
        onnx::model(onnx::bytes(1, onnx::bytes(4, "Sum") + onnx::bytes(5, numbers))));
  std::string tensors;
  for (std::size_t i = 0; i < kBytes / 12; ++i) tensors += onnx::bytes(5, onnx::floats(onnx_name("", i), {0}, {}));
  visit("ONNX: tensors of nothing", onnx::model(tensors));
  std::string deep;
  for (std::size_t i = 0; i < 2000; ++i)
    deep = onnx::bytes(1, node("If", {"x"}, {"y"}, {onnx::subgraph("then_branch", deep)}));
  visit("ONNX: graphs in graphs", onnx::model(deep));
  onnx::Parts unknown = onnx_chain(
      20'000, [](const std::string& from, const std::string& to) { return node("Unknown" + to, {from}, {to}); });
  visit("ONNX: operators that nobody knows", onnx::model(unknown));
}

}  // namespace teff::reliability

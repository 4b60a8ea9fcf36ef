// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <fstream>
#include <limits>
#include <span>
#include <sstream>

#include "support/error_of.h"
#include "support/onnx_samples.h"
#include "support/same.h"
#include "support/temp_file.h"
#include "teff/engine/autograd.h"
#include "teff/engine/error.h"
#include "teff/engine/ops.h"
#include "teff/serialize/file.h"
#include "teff/serialize/save_load.h"

using namespace teff;
using namespace teff::testing;

namespace {

nn::GraphModule load_onnx(const std::string& model) {
  return load_model(std::as_bytes(std::span(model.data(), model.size())));
}

std::string onnx_refusal(const std::string& model) {
  return error_of<FormatError>([&] { load_onnx(model); });
}

std::string unsupported(const std::string& model) {
  return error_of<UnsupportedError>([&] { load_onnx(model); });
}

using onnx::counting_up;
using onnx::one_node;
using onnx::small_network;

Tensor result_of(const Tensor& weight, const Dict& state, const Tensor& x) {
  const auto at = [&](const char* key) { return state.at(key).as_tensor(); };
  Tensor y = conv2d(x, weight, at("conv.bias"), {.stride = 2, .padding = 1});
  y = relu(batch_norm(y, at("bn.running_mean"), at("bn.running_var"), at("bn.weight"), at("bn.bias")));
  return linear(flatten(y, 1), at("fc.weight"), at("fc.bias"));
}

}  // namespace

TEST_CASE("an ONNX file is a network with its own names, at any batch size") {
  const std::string file = onnx::model(small_network());
  nn::GraphModule net = load_onnx(file);
  CHECK_FALSE(net.is_training());
  CHECK(net.inputs() == std::vector<nn::GraphPort>{{"image", {{-1, 2, 4, 4}, DType::float32}}});
  CHECK(net.outputs() == std::vector<nn::GraphPort>{{"scores", {{-1, 3}, DType::float32}}});
  const Dict state = net.state_dict();
  std::string keys;
  for (const auto& [key, value] : state) keys += key + ' ';
  CHECK(keys == "conv.weight conv.bias bn.weight bn.bias bn.running_mean bn.running_var fc.weight fc.bias ");
  CHECK(net.parameters().size() == 6);
  const NoGradGuard no_grad;
  for (const std::int64_t rows : {1, 2, 5}) {
    const Tensor x = randn({rows, 2, 4, 4});
    CHECK(same(net(x), result_of(state.at("conv.weight").as_tensor(), state, x)));
  }
}

TEST_CASE("the shape arithmetic of an ONNX file is folded into attributes that follow the batch") {
  std::ostringstream text;
  text << load_onnx(onnx::model(small_network())).graph();
  CHECK(text.str().find("{'shape': [{'batch': 1}, -1]}") != std::string::npos);
  CHECK(text.str().find("select") == std::string::npos);
}

TEST_CASE("a network from an ONNX file trains, and its batch norm with it") {
  nn::GraphModule net = load_onnx(onnx::model(small_network()));
  net.train();
  const Tensor mean = net.state_dict().at("bn.running_mean").as_tensor().clone();
  net(randn({4, 2, 4, 4})).sum().backward();
  for (const Tensor& parameter : net.parameters()) CHECK(parameter.grad().defined());
  CHECK_FALSE(same(net.state_dict().at("bn.running_mean").as_tensor(), mean));
}

TEST_CASE("a network from an ONNX file is saved as a model, and load gives its initialisers") {
  const TempFile onnx_file, teff_file;
  const std::string bytes = onnx::model(small_network());
  std::ofstream(onnx_file.path(), std::ios::binary) << bytes;
  nn::GraphModule net = load_model(onnx_file.path());
  const Tensor x = randn({3, 2, 4, 4});
  save_model(net, x, teff_file.path());
  nn::GraphModule copy = load_model(teff_file.path(), {.self_test = true});
  CHECK(same(copy(x), net(x)));
  const Dict tensors = load(onnx_file.path());
  CHECK(tensors.size() == 8);
  CHECK(same(tensors.at("fc.weight").as_tensor(), net.state_dict().at("fc.weight").as_tensor()));
  const File file(onnx_file.path());
  CHECK(file.format() == FileFormat::onnx);
  CHECK(file.operators().size() == 12);
  CHECK(file.operators()[0].type == "Conv");
  CHECK(file.verify().empty());
}

TEST_CASE("sizes that an ONNX file leaves open are free where nothing freezes them") {
  onnx::Parts parts;
  parts.inputs = {onnx::port("x", {-1, 1, -2, -3})};
  parts.outputs = {onnx::port("y", {-1, 2, -2, -3})};
  parts.initializers = {onnx::floats("w", {2, 1, 3, 3}, counting_up(18))};
  parts.nodes = {onnx::node("Conv", {"x", "w"}, {"y"}, {onnx::integers("pads", {1, 1, 1, 1})})};
  nn::GraphModule net = load_onnx(onnx::model(parts));
  CHECK(net.inputs()[0].type.shape == Shape{-1, 1, -1, -1});
  CHECK(net(zeros({1, 1, 17, 9})).shape() == Shape{1, 2, 17, 9});
  parts.nodes.push_back(onnx::node("Reshape", {"y", "to"}, {"z"}));
  parts.initializers.push_back(onnx::ints("to", {-1, 2, 64, 64}));
  parts.outputs = {onnx::port("z", {-1, 2, 64, 64})};
  CHECK(load_onnx(onnx::model(parts)).inputs()[0].type.shape == Shape{-1, 1, 64, 64});
}

TEST_CASE("a network whose operators freeze the batch refuses another") {
  onnx::Parts parts;
  parts.inputs = {onnx::port("x", {4, 3})};
  parts.outputs = {onnx::port("y", {4, 3})};
  parts.initializers = {onnx::ints("to", {4, -1})};
  parts.nodes = {onnx::node("Relu", {"x"}, {"r"}), onnx::node("Reshape", {"r", "to"}, {"y"})};
  nn::GraphModule net = load_onnx(onnx::model(parts));
  CHECK(net(ones({4, 3})).shape() == Shape{4, 3});
  CHECK_THROWS_AS(net(ones({8, 3})), const ShapeError&);
  CHECK_THROWS_AS(net(ones({1, 3})), const ShapeError&);
}

TEST_CASE("an If on a constant is the branch that is taken") {
  const Tensor x = tensor<float>({{-1, 0, 1, 2}});
  CHECK(same(load_onnx(onnx::model(onnx::branches(false)))(x), sigmoid(x)));
  CHECK(same(load_onnx(onnx::model(onnx::branches(true)))(x), relu(x)));
}

TEST_CASE("an If without a condition, and an initialiser without a name, are refused") {
  onnx::Parts parts = one_node(onnx::node("If", {}, {"y"}));
  CHECK(onnx_refusal(onnx::model(parts)).ends_with("expected a condition as the only input, got 0 inputs"));
  parts.initializers = {onnx::ints("", {1})};
  CHECK(onnx_refusal(onnx::model(parts)).ends_with("expected an initialiser with a name, got one without"));
}

TEST_CASE("one tensor under two names is two parameters, and a statistic of its own") {
  onnx::Parts parts;
  parts.inputs = {onnx::port("x", {-1, 3})};
  parts.outputs = {onnx::port("y", {-1, 3})};
  parts.initializers = {onnx::floats("ones", {3}, {1, 1, 1}), onnx::floats("zeros", {3}, {0, 0, 0})};
  parts.nodes = {onnx::node("Identity", {"ones"}, {"bn.running_var"}),
                 onnx::node("BatchNormalization", {"x", "ones", "zeros", "zeros", "bn.running_var"}, {"y"})};
  nn::GraphModule net = load_onnx(onnx::model(parts));
  net.train();
  net(tensor<float>({{1, 2, 3}, {4, 6, 8}}));
  const Dict state = net.state_dict();
  CHECK(same(state.at("ones").as_tensor(), ones({3})));
  CHECK(same(state.at("zeros").as_tensor(), zeros({3})));
  CHECK_FALSE(same(state.at("bn.running_var").as_tensor(), ones({3})));
  CHECK_FALSE(same(state.at("zeros.running").as_tensor(), zeros({3})));
}

TEST_CASE("operators that Teff does not have are refused by name, all of them, before anything is built") {
  onnx::Parts parts = one_node(onnx::node("Loop", {"x"}, {"a"}));
  parts.nodes.push_back(onnx::node("QLinearConv", {"a"}, {"y"}));
  CHECK(unsupported(onnx::model(parts)) ==
        "load_model: memory: expected operators that Teff has in version 17, got Loop (1 node, node at offset 10 (Loop "
        "\"Loop_node\")), QLinearConv (1 node, node at offset 35 (QLinearConv \"QLinearConv_node\")): its tensors can "
        "be loaded by load");
}

TEST_CASE("no operator makes a constant as long as a dimension that the file makes up") {
  constexpr std::int64_t kLong = std::int64_t{1} << 31;
  onnx::Parts parts = one_node(onnx::node("Hardmax", {"x"}, {"y"}, {onnx::integer("axis", 0)}));
  parts.inputs = {onnx::port("x", {kLong, 4})};
  parts.outputs = {onnx::port("y", {kLong, 4})};
  CHECK(contains(unsupported(onnx::model(parts)), "expected at most 65536 numbers in a row, got more"));
}

TEST_CASE("numbers of an operator are compared before anything is made of them") {
  constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min(), kMost = -(kLeast + 1);
  for (const std::int64_t number : {kLeast, kLeast + 1, kMost, std::int64_t{1} << 32}) {
    CAPTURE(number);
    for (const char* name : {"pads", "strides", "dilations"}) {
      CAPTURE(name);
      const std::vector<std::string> options = {
          onnx::integers("kernel_shape", {2, 2}),
          onnx::integers(name, std::string(name) == "pads" ? onnx::Ints{0, number, 0, number} : onnx::Ints{1, number})};
      for (const char* type : {"MaxPool", "AveragePool", "LpPool"}) {
        onnx::Parts parts = one_node(onnx::node(type, {"x"}, {"y"}, options));
        parts.inputs = {onnx::port("x", {1, 2, 8, 8})};
        parts.outputs = {onnx::port("y", {1, 2, 7, 7})};
        CHECK_THROWS_AS(load_onnx(onnx::model(parts)), Error);
      }
    }
  }
}

TEST_CASE("what an operator is told and Teff does not know is refused with node and place") {
  CHECK(unsupported(onnx::model(one_node(onnx::node("Relu", {"x"}, {"y"}, {onnx::integer("colour", 3)})))) ==
        "load_model: memory: node at offset 10 (Relu \"Relu_node\"): expected attributes that Teff knows, got "
        "\"colour\"");
  onnx::Parts parts = one_node(onnx::node("Reshape", {"x", "to"}, {"y"}));
  parts.inputs.push_back(onnx::port("to", {2}, onnx::kInt64));
  CHECK(
      unsupported(onnx::model(parts)) ==
      "load_model: memory: node at offset 10 (Reshape \"Reshape_node\"): expected input 1 (\"to\") to be known before "
      "the network runs, got one that is computed from the values of its inputs: make it an initialiser or a "
      "constant");
}

TEST_CASE("graphs of ONNX whose names do not fit are refused") {
  CHECK(
      onnx_refusal(onnx::model(one_node(onnx::node("Relu", {"z"}, {"y"})))) ==
      "load_model: memory: node at offset 10 (Relu \"Relu_node\"): expected a tensor that was made before, got \"z\"");
  CHECK(onnx_refusal(onnx::model(one_node(onnx::node("Relu", {"x"}, {"z"})))) ==
        "load_model: memory: expected a tensor that was made before, got \"y\"");
  onnx::Parts parts = one_node(onnx::node("Relu", {"x"}, {"y"}));
  parts.nodes.push_back(parts.nodes[0]);
  CHECK(
      onnx_refusal(onnx::model(parts)) ==
      "load_model: memory: node at offset 35 (Relu \"Relu_node\"): expected one tensor of each name, got \"y\" again");
}

TEST_CASE("tensors of ONNX have as many values as their shape says") {
  onnx::Parts parts = one_node(onnx::node("Add", {"x", "w"}, {"y"}));
  parts.initializers = {onnx::floats("w", {5}, {1, 2, 3, 4})};
  CHECK(onnx_refusal(onnx::model(parts)).ends_with("expected 20 bytes, got 16"));
  parts.initializers = {onnx::number(1, 4) + onnx::number(2, 1) + onnx::bytes(8, "w") + onnx::real(4, 1)};
  CHECK(onnx_refusal(onnx::model(parts)).ends_with("expected 4 values, got fewer"));
  const std::string packed("\0\0\x80\x3f\0\0\0\x40\0\0\x40\x40\0\0\x80\x40", 16);
  parts.initializers = {onnx::number(1, 4) + onnx::number(2, 1) + onnx::bytes(8, "w") + onnx::bytes(4, packed)};
  CHECK(same(load_onnx(onnx::model(parts))(zeros({1, 4})), tensor<float>({{1, 2, 3, 4}})));
  parts.initializers = {onnx::number(1, 1) + onnx::number(2, onnx::kText) + onnx::bytes(8, "w") + onnx::bytes(6, "a")};
  CHECK(unsupported(onnx::model(parts)).ends_with("expected a dtype that Teff has, got STRING"));
}

TEST_CASE("external data of ONNX comes from the file's own folder and from nowhere else") {
  const TempFolder folder;
  const auto external = [](const std::string& location) {
    const auto entry = [](std::string_view key, std::string_view value) {
      return onnx::bytes(13, onnx::bytes(1, key) + onnx::bytes(2, value));
    };
    onnx::Parts parts = one_node(onnx::node("Add", {"x", "w"}, {"y"}));
    parts.initializers = {onnx::number(1, 4) + onnx::number(2, 1) + onnx::bytes(8, "w") + entry("location", location) +
                          entry("offset", "4") + entry("length", "16") + onnx::number(14, 1)};
    return onnx::model(parts);
  };
  const std::string path = folder / "net.onnx";
  const auto write = [&](const std::string& name, const std::string& bytes) {
    std::ofstream(folder / name, std::ios::binary) << bytes;
  };
  write("net.onnx", external("weights.bin"));
  CHECK(contains(error_of<IoError>([&] { load_model(path); }), "weights.bin"));
  write("weights.bin", std::string("\0\0\0\0\0\0\x80\x3f\0\0\0\x40\0\0\x40\x40\0\0\x80\x40", 20));
  CHECK(same(load_model(path)(zeros({1, 4})), tensor<float>({{1, 2, 3, 4}})));
  write("weights.bin", "short");
  CHECK(contains(error_of<FormatError>([&] { load_model(path); }), "expected 16 bytes at offset 4 of \"weights.bin\""));
  for (const std::string location : {"../weights.bin", "/etc/passwd", "..", "", "a/b"}) {
    write("net.onnx", external(location));
    CHECK(contains(error_of<UnsupportedError>([&] { load_model(path); }),
                   "expected the name of a file in the same folder, got \"" + location + '"'));
  }
  CHECK(contains(unsupported(external("weights.bin")), "load it by its path"));
}

TEST_CASE("protocol buffers that are cut or not well formed are refused with the offset") {
  const std::string file = onnx::model(small_network());
  for (std::size_t size = 3; size < file.size(); size += 7) {
    CHECK_THROWS_AS(load_onnx(file.substr(0, size)), FormatError);
  }
  CHECK(contains(onnx_refusal(std::string("\x08\x08\x3a\x7f", 4)), "at offset 2: expected at most 0 bytes"));
  CHECK(contains(onnx_refusal(std::string("\x08\x08\x3a\x02\x0b\x0c", 6)), "expected a number or bytes"));
  const std::string endless(11, '\xff');
  CHECK(contains(onnx_refusal("\x08\x08\x1a" + endless), "expected a number of at most 64 bits"));
  CHECK(contains(onnx_refusal("\x08\x08\x12\x01x"), "expected a graph, got none"));
}

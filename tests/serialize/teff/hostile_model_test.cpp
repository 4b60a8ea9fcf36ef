// SPDX-License-Identifier: MIT

// Model files with right checksums whose parts do not fit each other: refused, before anything is computed.

#include <functional>
#include <sstream>

#include "serialize/file_fixture.h"
#include "serialize/sample_models.h"
#include "support/temp_file.h"
#include "teff/serialize/io/byte_sink.h"
#include "teff/serialize/teff/model_file.h"
#include "teff/serialize/teff/teff_file.h"

using namespace teff;
using namespace teff::testing;

namespace {

using Kind = GraphNode::Kind;

struct ConvNet : nn::Module {
  nn::Conv2d conv{1, 2, 3};
  nn::MaxPool2d pool{2};
  nn::Linear fc{2 * 3 * 3, 2};
  TEFF_MODULE(ConvNet, conv, pool, fc)
  Tensor forward(const Tensor& x) override { return fc(pool(relu(conv(x))).view({x.size(0), -1})); }
};

serialize::ModelContent content_of(nn::Module& module, const Tensor& input) {
  const nn::GraphModule captured = nn::capture(module, input);
  return {captured.data(), serialize::make_self_test(captured, {&input, 1})};
}

std::string refusal_of(const serialize::ModelContent& content) {
  std::ostringstream stream;
  serialize::StreamSink sink(stream);
  serialize::write_teff(sink, serialize::FileKind::model, {},
                        [&](serialize::HeaderWriter& archive) { archive(content); });
  return model_refusal(stream.str());
}

/// A good model, to be made bad.
struct Model {
  Model() { manual_seed(0); }

  ConvNet net;
  serialize::ModelContent content = content_of(net, ones({2, 1, 8, 8}));

  std::vector<GraphNode>& nodes() { return content.module.graph.nodes; }
  std::vector<nn::GraphState>& state() { return content.module.state; }
  /// The first call of that op.
  GraphNode& call(std::string_view op) {
    for (GraphNode& node : nodes()) {
      if (node.kind == Kind::call && node.target == op) return node;
    }
    FAIL("no call of " << op);
    return nodes().front();
  }
  GraphNode& first(Kind kind) {
    for (GraphNode& node : nodes()) {
      if (node.kind == kind) return node;
    }
    FAIL("no such node");
    return nodes().front();
  }
  std::string refusal() const { return refusal_of(content); }
};

void check_refused(const std::string& what, const std::function<void(Model&)>& damage, const std::string& part) {
  Model model;
  damage(model);
  const std::string text = model.refusal();
  CAPTURE(what);
  CHECK_MESSAGE(text != "loaded", text);
  CHECK_MESSAGE(contains(text, "load_model: x.teff: "), text);
  CHECK_MESSAGE(contains(text, part), text);
}

}  // namespace

TEST_CASE("the model that the tests below vary is good") { CHECK(Model().refusal() == "loaded"); }

TEST_CASE("a graph whose references do not fit is refused") {
  check_refused(
      "forward reference", [](Model& m) { m.nodes().back().inputs[0] = 99; }, "expected inputs among the earlier");
  check_refused(
      "reference to itself",
      [](Model& m) { m.nodes().back().inputs[0] = static_cast<std::int64_t>(m.nodes().size()) - 1; },
      "expected inputs among the earlier nodes");
  check_refused(
      "negative reference", [](Model& m) { m.nodes().back().inputs[0] = -1; }, "got %-1");
  check_refused(
      "output beyond", [](Model& m) { m.content.module.graph.outputs[0] = 1000; }, "expected outputs among");
  check_refused(
      "negative output", [](Model& m) { m.content.module.graph.outputs[0] = -1; }, "expected outputs among");
  check_refused(
      "no outputs", [](Model& m) { m.content.module.graph.outputs.clear(); }, "self-test");
  check_refused(
      "no nodes", [](Model& m) { m.nodes().clear(); }, "");
  check_refused(
      "a name twice", [](Model& m) { m.nodes()[1].name = m.nodes()[0].name; }, "expected a name of its own");
  check_refused(
      "unknown tensor", [](Model& m) { m.first(Kind::get_attr).target = "none"; }, "expected a tensor named \"none\"");
  check_refused(
      "tensor of another shape", [](Model& m) { m.state()[0].tensor = ones({7}); }, "");
  check_refused(
      "tensor of another dtype", [](Model& m) { m.state()[0].tensor = m.state()[0].tensor.to(DType::float64); }, "");
  check_refused(
      "placeholder last", [](Model& m) { m.nodes().back().kind = Kind::placeholder; }, "");
  check_refused(
      "placeholder not first",
      [](Model& m) {
        GraphNode late;
        late.name = "late";
        m.nodes().push_back(late);
        m.content.self_test.inputs.push_back(ones({1}));
      },
      "expected placeholders before all other nodes");
  check_refused(
      "placeholder with inputs", [](Model& m) { m.nodes()[0].inputs = {0}; }, "expected inputs among");
  check_refused(
      "get_attr with inputs", [](Model& m) { m.first(Kind::get_attr).inputs = {0}; }, "expected no inputs");
  check_refused(
      "version 0", [](Model& m) { m.call("relu").version = 0; }, "expected versions from 1, got 0");
  check_refused(
      "get_attr with attributes", [](Model& m) { m.first(Kind::get_attr).attributes["x"] = 1; },
      "expected a node of kind get_attr without version and attributes");
  check_refused(
      "placeholder with a target", [](Model& m) { m.nodes()[0].target = "x"; },
      "expected a node of kind placeholder without target");
  check_refused(
      "unknown kind", [](Model& m) { m.nodes()[1].kind = static_cast<Kind>(4); },
      "expected a number from 0 to 3, got 4");
}

TEST_CASE("calls of several results that do not fit them are refused") {
  Gated net;
  const serialize::ModelContent good = content_of(net, ones({2, 3}));
  CHECK(refusal_of(good) == "loaded");
  const auto check = [&](const std::string& what, const std::function<void(std::vector<GraphNode>&)>& damage,
                         const std::string& part) {
    serialize::ModelContent content = good;
    damage(content.module.graph.nodes);
    CAPTURE(what);
    CHECK(contains(refusal_of(content), "load_model: x.teff: "));
    CHECK_MESSAGE(contains(refusal_of(content), part), refusal_of(content));
  };
  using Nodes = std::vector<GraphNode>;
  const std::size_t split = 4, maximum = 8;  // places of the calls
  REQUIRE(good.module.graph.nodes[split].target == "split");
  REQUIRE(good.module.graph.nodes[maximum].target == "max_with_indices");
  REQUIRE(good.module.graph.nodes.size() == maximum + 2);
  check(
      "fewer results", [=](Nodes& nodes) { nodes[split].attributes["split_size"] = 8; },
      "split: expected 2 results, as the graph has, got 1");
  check(
      "more results", [=](Nodes& nodes) { nodes[split].attributes["split_size"] = 3; },
      "split: expected 2 results, as the graph has, got 3");
  check(
      "a missing result", [](Nodes& nodes) { nodes.pop_back(); },
      "max_with_indices: expected 1 results, as the graph has, got 2");
  check(
      "a result of a call of one", [=](Nodes& nodes) { nodes[split].target = "relu", nodes[split].attributes = {}; },
      "relu: expected 2 results, as the graph has, got 1");
  check(
      "a result of no call", [](Nodes& nodes) { nodes[1] = nodes.back(), nodes[1].inputs = {0}; },
      "expected a call right before its other results");
  check(
      "a result of another call", [=](Nodes& nodes) { nodes[maximum + 1].inputs = {static_cast<std::int64_t>(split)}; },
      "expected as its only input the call before it, %8");
  check(
      "another type", [=](Nodes& nodes) { nodes[maximum + 1].type.dtype = DType::float32; },
      "expected a result float32 [2], got int64 [2]");
  for (const auto& damage : std::vector<std::function<void(GraphNode&)>>{
           [](GraphNode& node) { node.target = "split"; }, [](GraphNode& node) { node.version = 2; },
           [](GraphNode& node) { node.attributes["index"] = 1; }}) {
    check(
        "a result with what a call has", [&](Nodes& nodes) { damage(nodes.back()); },
        "expected a node of kind result without target, version and attributes, got one with them");
  }
}

TEST_CASE("the feature of several results is named by the files that use it, and by no others") {
  Gated gated;
  const std::string with = saved_model(gated, ones({2, 3})),
                    without = saved_model(*std::make_unique<TinyNet>(), ones({1, 2}));
  REQUIRE(word_at(with, 16) == 1);
  REQUIRE(word_at(without, 16) == 0);
  const auto with_features = [](std::string file, std::uint64_t features) {
    file.replace(16, 8, word(features));
    return model_refusal(repaired(file));
  };
  CHECK(with_features(with, 1) == "loaded");
  CHECK(contains(with_features(with, 0), "expected the preamble to name feature 0, which is used here"));
  CHECK(contains(with_features(without, 1),
                 "expected the file to use feature 0, as its preamble says, got one that does not"));
  CHECK(contains(with_features(with, 9), "the file uses feature 3, which this program does not know"));
  CHECK(contains(refusal(file_of(header_of({0, 0, 0}), {}, {.features = 1})),
                 "expected the file to use feature 0, as its preamble says, got one that does not"));
}

TEST_CASE("free sizes and attributes that follow sizes are refused where they do not fit") {
  const auto with = [](std::vector<FreeSize> free) {
    return [free](Model& m) { m.content.module.graph.free_sizes = free; };
  };
  check_refused("no dimension", with({FreeSize()}), "expected a free size to have a dimension, got one without");
  check_refused("different sizes", with({{{{0, 0}, {0, 2}}}}), "got dimension 2 of input 0");
  check_refused("twice", with({{{{0, 0}}}, {{{0, 0}}}}), "got dimension 0 of input 0");
  const auto follows = [](Dict size) {
    return [size](Model& m) {
      m.content.module.graph.free_sizes = {{{{0, 0}}}};
      m.call("view").attributes["shape"] = List{size, -1};
    };
  };
  check_refused("later node", follows({{"size", List{1000, 0}}}), "to follow the size of an earlier node");
  check_refused("no such dimension", follows({{"size", List{0, 4}}}), "to follow a dimension of [2, 1, 8, 8]");
  check_refused("over nothing", follows({{"size", List{0, 0}}, {"over", 0}}), "\"over\" >= 1");
  check_refused("beyond 63 bits", follows({{"size", List{0, 0}}, {"times", std::int64_t{1} << 62}}), "below 2^63");
  check_refused("unknown key", follows({{"size", List{0, 0}}, {"minus", 1}}), "as an attribute that follows a size");
  check_refused("no list", follows({{"size", "all"}}), "");
  check_refused("another number", follows({{"size", List{0, 0}}, {"plus", 1}}), "");
  check_refused(
      "without free sizes",
      [](Model& m) {
        m.call("view").attributes["shape"] = List{Dict{{"size", List{0, 0}}}, -1};
      },
      "expected a graph that lists its free sizes");
}

TEST_CASE("calls that the ops do not take are refused") {
  check_refused(
      "unknown op", [](Model& m) { m.call("relu").target = "system"; }, "system");
  check_refused(
      "op without name", [](Model& m) { m.call("relu").target = ""; }, "");
  check_refused(
      "newer version", [](Model& m) { m.call("conv2d").version = 99; }, "99");
  check_refused(
      "too few inputs", [](Model& m) { m.call("conv2d").inputs.resize(1); }, "conv2d");
  check_refused(
      "no inputs", [](Model& m) { m.call("conv2d").inputs.clear(); }, "conv2d");
  check_refused(
      "too many inputs", [](Model& m) { m.call("relu").inputs.push_back(0); }, "relu");
  check_refused(
      "a million inputs", [](Model& m) { m.call("relu").inputs.assign(1000000, 0); }, "relu");
  check_refused(
      "inputs swapped", [](Model& m) { std::swap(m.call("conv2d").inputs[0], m.call("conv2d").inputs[1]); }, "conv2d");
  check_refused(
      "unknown attribute", [](Model& m) { m.call("conv2d").attributes["evil"] = 1; }, "evil");
  check_refused(
      "wrong type recorded", [](Model& m) { m.call("relu").type.shape[1] = 5; }, "expected a result");
  check_refused(
      "wrong dtype recorded", [](Model& m) { m.call("relu").type.dtype = DType::float64; }, "expected a result");
}

TEST_CASE("attributes that make no sense are refused") {
  struct Bad {
    const char* op;
    const char* attribute;
    Value value;
  };
  const std::int64_t huge = std::int64_t{1} << 62;
  const Bad cases[] = {
      {"conv2d", "stride", List{0, 0}},
      {"conv2d", "stride", List{-1, 1}},
      {"conv2d", "stride", List{huge, huge}},
      {"conv2d", "stride", List{1}},
      {"conv2d", "stride", List{}},
      {"conv2d", "stride", "1"},
      {"conv2d", "stride", nullptr},
      {"conv2d", "stride", List{1.5, 1.5}},
      {"conv2d", "stride", Dict{{"x", 1}}},
      {"conv2d", "stride", List{List{1}, 1}},
      {"conv2d", "padding", List{-1, -1}},
      {"conv2d", "padding", List{huge, huge}},
      {"conv2d", "padding", tensor<std::int32_t>({1, 1})},
      {"conv2d", "dilation", List{0, 0}},
      {"conv2d", "dilation", List{huge, 1}},
      {"conv2d", "dilation", List{100, 100}},
      {"conv2d", "groups", 0},
      {"conv2d", "groups", -1},
      {"conv2d", "groups", 3},
      {"conv2d", "groups", huge},
      {"conv2d", "groups", true},
      {"max_pool2d", "kernel_size", List{0, 0}},
      {"max_pool2d", "kernel_size", List{9, 9}},
      {"max_pool2d", "kernel_size", List{huge, huge}},
      {"max_pool2d", "kernel_size", List{-2, 2}},
      {"max_pool2d", "stride", List{-1, -1}},
      {"max_pool2d", "padding", List{huge, huge}},
      {"max_pool2d", "padding", List{5, 5}},
      {"view", "shape", List{-1, -1}},
      {"view", "shape", List{huge, huge}},
      {"view", "shape", List{7, 7}},
      {"view", "shape", List{-5, 18}},
      {"view", "shape", List(9, Value(1))},
      {"view", "shape", List{Dict{{"batch", huge}}, -1}},
      {"view", "shape", List{Dict{{"batch", 0}}, -1}},
      {"view", "shape", List{Dict{{"batch", "x"}}, -1}},
      {"view", "shape", List{Dict{{"batch", -1}}, -1}},
      {"view", "shape", List{Dict{{"other", 1}}, -1}},
  };
  for (const Bad& bad : cases) {
    CAPTURE(bad.attribute);
    check_refused(
        bad.op,
        [&](Model& m) {
          REQUIRE_MESSAGE(m.call(bad.op).attributes.contains(bad.attribute), bad.attribute);
          m.call(bad.op).attributes[bad.attribute] = bad.value;
        },
        "");
  }
}

TEST_CASE("inputs of impossible size are refused") {
  const std::int64_t large = std::int64_t{1} << 40;
  check_refused(
      "huge batch", [=](Model& m) { m.nodes()[0].type.shape[0] = large * 1024; }, "");
  check_refused(
      "huge image",
      [=](Model& m) {
        m.nodes()[0].type.shape = {1, 1, large, large};
      },
      "expected at most 2^59");
  check_refused(
      "huge channels", [=](Model& m) { m.nodes()[0].type.shape[1] = large; }, "conv2d");
  check_refused(
      "kernel larger than the input",
      [](Model& m) {
        m.nodes()[0].type.shape = {2, 1, 2, 2};
      },
      "conv2d");
  check_refused(
      "negative size", [](Model& m) { m.nodes()[0].type.shape[0] = -1; }, "expected sizes of at least 0");
}

TEST_CASE("a model that would take more than LoadOptions allow is refused, before it computes anything") {
  Model model;
  std::vector<GraphNode>& nodes = model.nodes();
  model.content.module.graph.nodes.resize(1);
  nodes[0].type.shape = {2, 1};
  for (std::int64_t i = 1; i <= 56; ++i) {
    GraphNode node;
    node.kind = Kind::call;
    node.name = "n" + std::to_string(i);
    node.target = "cat";
    node.inputs = {i - 1, i - 1};
    node.attributes = {{"dim", 1}};
    node.type = {{2, std::int64_t{1} << i}, DType::float32};
    nodes.push_back(node);
  }
  model.content.module.state.clear();
  model.content.module.graph.constants.clear();
  model.content.module.graph.outputs = {56};
  model.content.self_test.inputs = {ones({2, 1})};
  model.content.self_test.outputs = {ones({1})};
  CHECK(model.refusal() ==
        "too much: load_model: x.teff: graph: node \"n31\": expected a model of which a run takes at most 1.71799e+10 "
        "bytes, got at least 3.43597e+10; LoadOptions::max_bytes allows more");
}

TEST_CASE("state and constants that do not fit each other are refused") {
  check_refused(
      "a key twice", [](Model& m) { m.state().push_back(m.state()[0]); }, "second time");
  check_refused(
      "a constant with the name of a parameter",
      [](Model& m) { m.content.module.graph.constants.emplace_back("conv.weight", ones({1})); },
      "expected constants with names of their own");
  check_refused(
      "an integer parameter",
      [](Model& m) {
        m.state().push_back({"n", tensor<std::int64_t>({1}), true});
      },
      "");
  check_refused(
      "a self-test without inputs", [](Model& m) { m.content.self_test.inputs.clear(); }, "self-test");
  check_refused(
      "a self-test without outputs", [](Model& m) { m.content.self_test.outputs.clear(); }, "self-test");
}

TEST_CASE("names in a refusal, and in print, cannot drive a terminal") {
  const std::string name = "a\x1b[31m\xc2\x9b\n\x7f", shown = "a\\x1b[31m\\xc2\\x9b\\x0a\\x7f";
  const auto check_shown = [&](const std::function<void(Model&)>& damage) {
    Model model;
    damage(model);
    const std::string text = model.refusal();
    CHECK_MESSAGE(contains(text, shown), text);
    CHECK_MESSAGE(text.find_first_of("\x1b\n\x7f") == std::string::npos, text);
  };
  check_shown([&](Model& m) { m.call("relu").target = name; });
  check_shown([&](Model& m) { m.first(Kind::get_attr).target = name; });
  check_shown([&](Model& m) {
    m.call("relu").name = name;
    m.call("relu").type.shape[1] = 5;
  });
  check_shown([&](Model& m) { m.call("conv2d").attributes[name] = 1; });

  Model model;
  model.content.module.summary.children[0].name = name;
  model.call("relu").scope = name;
  nn::GraphModule module(model.content.module);
  std::ostringstream printed;
  printed << module << module.graph();
  CHECK_MESSAGE(contains(printed.str(), "a\\x1b[31m\\xc2\\x9b"), printed.str());
  CHECK_MESSAGE(printed.str().find_first_of("\x1b\x7f") == std::string::npos, printed.str());
}

TEST_CASE("what is too large or too deep for the format is refused when it is written") {
  const auto refused = [](const std::function<void(Model&)>& damage) {
    Model model;
    damage(model);
    return error_of<ValueError>([&] { static_cast<void>(model.refusal()); });
  };
  CHECK(contains(refused([](Model& m) { m.nodes().resize(70000); }), "expected at most 65536 nodes"));
  CHECK(contains(refused([](Model& m) {
                   nn::ModuleSummary summary;
                   for (int i = 0; i < 70; ++i) summary = {"x", "Block", "", {summary}};
                   m.content.module.summary = summary;
                 }),
                 "deeper than 64"));
  CHECK(contains(refused([](Model& m) { m.nodes()[0].name.assign(70000, 'n'); }), "at most 65535 bytes"));
}

// SPDX-License-Identifier: MIT

// What a model may cost, and graphs of many nodes: no file makes a program work without end.

#include <doctest/doctest.h>

#include <limits>

#include "support/error_of.h"
#include "support/same.h"
#include "teff/engine/autograd.h"
#include "teff/engine/error.h"
#include "teff/engine/ops.h"
#include "teff/engine/random.h"
#include "teff/engine/testing.h"
#include "teff/nn/graph/graph_module.h"
#include "teff/nn/graph/inference_session.h"
#include "teff/nn/layers/batch_norm.h"

using namespace teff;
using teff::testing::error_of;
using teff::testing::same;

namespace {

/// A model, written node by node.
struct Written {
  nn::GraphModuleData data;

  Written() {
    data.summary.type_name = "Written";
    data.training = false;
  }
  std::int64_t input(const Shape& shape) { return add(GraphNode::Kind::placeholder, "", {}, shape); }
  std::int64_t tensor(const std::string& name, const Tensor& value) {
    data.state.push_back({name, value, false});
    const std::int64_t place = add(GraphNode::Kind::get_attr, name, {}, value.shape());
    data.graph.nodes.back().type.dtype = value.dtype();
    return place;
  }
  std::int64_t call(const std::string& op, std::vector<std::int64_t> inputs, const Shape& shape, Dict attributes = {}) {
    const std::int64_t place = add(GraphNode::Kind::call, op, std::move(inputs), shape);
    data.graph.nodes.back().attributes = std::move(attributes);
    return place;
  }
  nn::GraphModule module(std::int64_t output, const GraphCost& limit = {}) {
    data.graph.outputs = {output};
    data.limit = limit;
    return nn::GraphModule(data);
  }

 private:
  std::int64_t add(GraphNode::Kind kind, const std::string& target, std::vector<std::int64_t> inputs,
                   const Shape& shape) {
    GraphNode node;
    node.kind = kind;
    node.name = "n" + std::to_string(data.graph.nodes.size());
    node.target = target;
    node.inputs = std::move(inputs);
    node.type = {shape, DType::float32};
    data.graph.nodes.push_back(std::move(node));
    return static_cast<std::int64_t>(data.graph.nodes.size()) - 1;
  }
};

/// [rows, 1] becomes [rows, 2^times].
nn::GraphModule doubling(int times, const GraphCost& limit) {
  Written model;
  std::int64_t last = model.input({2, 1});
  for (int i = 1; i <= times; ++i) last = model.call("cat", {last, last}, {2, std::int64_t{1} << i}, {{"dim", 1}});
  return model.module(last, limit);
}

nn::GraphModule chain(const char* op, std::size_t count, const Dict& attributes) {
  Written model;
  std::int64_t last = model.input({1, 3});
  for (std::size_t i = 0; i < count; ++i) last = model.call(op, {last}, {1, 3}, attributes);
  return model.module(last);
}

}  // namespace

TEST_SUITE("model cost") {
  TEST_CASE("a model that asks for more than its limit is refused, with the node that exceeds it") {
    CHECK(error_of<ResourceError>([] {
            doubling(56, {1e12, 1e9});
          }) ==
          "graph: node \"n26\": expected a model of which a run takes at most 1e+09 bytes, got at least 1.07374e+09; "
          "LoadOptions::max_bytes allows more");
    CHECK(error_of<ResourceError>([] {
            doubling(40, {1e6, 1e18});
          }) == "graph: node \"n17\": expected a model of which a run takes at most 1e+06 operations, got at least "
                "1.57285e+06; "
                "LoadOptions::max_work allows more");
    CHECK_NOTHROW(doubling(10, {1e6, 1e6}));
    CHECK_NOTHROW(doubling(40, {}));  // types alone: without a limit it is the caller's affair
  }

  TEST_CASE("larger inputs may cost as much more as they are larger, in a run and in a session") {
    nn::GraphModule model = doubling(10, {1e5, 1e5});
    CHECK(model(ones({2, 1})).shape() == Shape{2, 1024});
    CHECK(model(ones({10, 1})).shape() == Shape{10, 1024});
    const std::string text = error_of<ResourceError>([&] { model(ones({30, 1})); });
    CHECK(text ==
          "graph: node \"n9\": expected a model of which a run takes at most 100000 bytes, got at least 122760; "
          "LoadOptions::max_bytes allows more");
    CHECK(error_of<ResourceError>([&] { nn::InferenceSession(model, {{30, 1}}); }) == text);
    CHECK_NOTHROW(nn::InferenceSession(model, {{10, 1}}));
    nn::GraphModule small = doubling(4, {1e6, 1e6});  // 124 bytes a row; of 1000 rows on, more of them
    CHECK_NOTHROW(small(ones({20'000, 1})));
  }

  TEST_CASE("sessions of many nodes are made without looking at all of them for each") {
    const Tensor x = tensor<float>({{1, -2, 3}});
    struct Call {
      const char* op;
      Dict attributes;
    };
    for (const Call& call : {Call{"relu", {}}, Call{"view", {{"shape", IntList{1, 3}}}}, Call{"neg", {}},
                             Call{"dropout", {{"p", 0.5}, {"training", false}}}}) {
      CAPTURE(call.op);
      const nn::GraphModule model = chain(call.op, 40'000, call.attributes);
      nn::InferenceSession session(model, {{1, 3}});
      assert_close(session.run(x), std::string_view(call.op) == "relu" ? relu(x) : x);
      CHECK(session.memory_bytes() <= 128);
    }
  }

  TEST_CASE("a session of many values that live at once gives each its place") {
    Written model;
    const std::int64_t x = model.input({1, 3});
    std::vector<std::int64_t> parts;
    for (int i = 0; i < 5000; ++i) {
      parts.push_back(model.call("mul_scalar", {x}, {1, 3}, {{"value", static_cast<double>(i % 7)}}));
    }
    std::int64_t sum = parts[0];
    for (std::size_t i = 1; i < parts.size(); ++i) sum = model.call("add", {sum, parts[i]}, {1, 3});
    nn::InferenceSession session(model.module(sum), {{1, 3}});
    double factor = 0;
    for (int i = 0; i < 5000; ++i) factor += i % 7;
    assert_close(session.run(tensor<float>({{1, 2, 3}})), tensor<float>({{1, 2, 3}}) * factor);
    CHECK(session.memory_bytes() <= 64 * 5002);
  }

  TEST_CASE("batch norms after a convolution are folded a few times, each makes its weights anew") {
    Written model;
    std::int64_t last =
        model.call("conv2d", {model.input({1, 1, 1, 1}), model.tensor("w", full({1, 1, 1, 1}, 3))}, {1, 1, 1, 1});
    const std::int64_t mean = model.tensor("mean", zeros({1})), variance = model.tensor("variance", full({1}, 0.25));
    const Dict attributes{{"training", false}, {"eps", 0.0}, {"has_weight", false}, {"has_bias", false}};
    for (int i = 0; i < 6; ++i) last = model.call("batch_norm", {last, mean, variance}, {1, 1, 1, 1}, attributes);
    nn::InferenceSession session(model.module(last), {{1, 1, 1, 1}});
    assert_close(session.run(ones({1, 1, 1, 1})), full({1, 1, 1, 1}, 3 * 64));
  }

  TEST_CASE("the count of batches stays at the last number that there is") {
    nn::BatchNorm2d layer(1);
    *layer.num_batches_tracked.data<std::int64_t>() = std::numeric_limits<std::int64_t>::max();
    layer(ones({2, 1, 2, 2}));
    CHECK(layer.num_batches_tracked.item<std::int64_t>() == std::numeric_limits<std::int64_t>::max());

    nn::GraphModule captured = nn::capture(layer, ones({2, 1, 2, 2}));
    captured.train();
    captured(ones({2, 1, 2, 2}));
    CHECK(captured.state_dict().at("num_batches_tracked").as_tensor().item<std::int64_t>() ==
          std::numeric_limits<std::int64_t>::max());
  }

  TEST_CASE("statistics that are a part of the caller's input are not written to") {
    Written model;
    const std::int64_t x = model.input({2, 2});
    const Dict first{{"dim", 0}, {"index", 0}}, second{{"dim", 0}, {"index", 1}};
    const std::int64_t mean = model.call("select", {x}, {2}, first), variance = model.call("select", {x}, {2}, second);
    nn::GraphModule module =
        model.module(model.call("batch_norm", {x, mean, variance}, {2, 2},
                                {{"training", false}, {"has_weight", false}, {"has_bias", false}, {"momentum", 0.5}}));
    module.train();
    const Tensor input = tensor<float>({{1, 2}, {3, 4}}), before = input.clone();
    module(input);
    CHECK(same(input, before));
  }

  TEST_CASE("dropout whose file leaves out whether it trains follows train() and eval()") {
    nn::GraphModule module = chain("dropout", 1, {{"p", 0.5}});
    manual_seed(0);
    module.eval();
    CHECK(same(module(ones({1, 3})), ones({1, 3})));
    CHECK_NOTHROW(nn::InferenceSession(module, {{1, 3}}));
    module.train();
    CHECK(module.graph().nodes[1].attributes.at("training").as_bool());
    bool differs = false;
    for (int i = 0; i < 20; ++i) differs = differs || !same(module(ones({1, 3})), ones({1, 3}));
    CHECK(differs);
  }
}

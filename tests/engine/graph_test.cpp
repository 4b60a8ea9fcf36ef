// SPDX-License-Identifier: MIT
#include "teff/engine/graph.h"

#include <doctest/doctest.h>

#include <sstream>

#include "support/same.h"
#include "teff/engine/autograd.h"
#include "teff/engine/error.h"
#include "teff/engine/ops.h"
#include "teff/engine/testing.h"

using namespace teff;
using teff::testing::same;

namespace {

using Kind = GraphNode::Kind;
using Tensors = std::vector<Tensor>;
using Inputs = std::span<const Tensor>;

std::string printed(const Graph& graph) {
  std::ostringstream out;
  out << graph;
  return out.str();
}

const Tensor& weight() {
  static const Tensor w = tensor<float>({{1, -2, 3}, {-4, 5, 6}});
  return w;
}

/// linear, relu and a view that follows the batch
Tensors small_net(Inputs x) {
  const Tensor y = relu(linear(x[0], weight()));
  return {y.view({y.size(0) * 2})};
}

Graph small_graph() { return capture(small_net, Tensors{ones({4, 3})}, {{"fc.weight", weight()}}); }

Tensors run(const Graph& graph, const NamedTensors& attributes, const Tensors& inputs) {
  return GraphExecutor(graph, attributes).run(inputs);
}

/// What the executor says of the small graph after `damage`.
template <class Damage>
std::string refusal(Damage&& damage) {
  Graph graph = small_graph();
  damage(graph);
  try {
    GraphExecutor(graph, {{"fc.weight", weight()}});
  } catch (const Error& error) {
    return error.what();
  }
  return "accepted";
}

Graph captured(const GraphFunction& function, const Tensors& inputs) { return capture(function, inputs, {}); }

}  // namespace

TEST_SUITE("graph") {
  TEST_CASE("a graph is printed one node a line") {
    CHECK(printed(small_graph()) == "%0 placeholder input -> float32 [4, 3]\n"
                                    "%1 get_attr fc.weight -> float32 [2, 3]\n"
                                    "%2 linear(%0, %1) -> float32 [4, 2]\n"
                                    "%3 relu(%2) -> float32 [4, 2]\n"
                                    "%4 view(%3) {'shape': [{'batch': 2}]} -> float32 [8]\n"
                                    "return %4\n");
  }

  TEST_CASE("a captured graph computes the same at every batch size") {
    const GraphExecutor executor(small_graph(), {{"fc.weight", weight()}});
    for (const std::int64_t batch : {1, 4, 9}) {
      const Tensors x{randn({batch, 3})};
      CHECK(same(executor.run(x)[0], small_net(x)[0]));
    }
  }

  TEST_CASE("gradients flow through a graph as in the original") {
    const Tensor w = weight().clone().requires_grad_(), x = randn({2, 3});
    sum(run(small_graph(), {{"fc.weight", w}}, {x})[0]).backward();
    const Tensor direct = weight().clone().requires_grad_();
    sum(relu(linear(x, direct))).backward();
    CHECK(same(w.grad(), direct.grad()));
  }

  TEST_CASE("several inputs and outputs keep their order") {
    const Graph graph = captured(
        [](Inputs x) {
          return Tensors{x[1] - x[0], x[0], x[0] * 2.0};
        },
        {ones({2}), ones({2})});
    const Tensor a = tensor<float>({1, 2, 3}), b = tensor<float>({5, 5, 5});
    const Tensors results = run(graph, {}, {a, b});
    REQUIRE(results.size() == 3);
    CHECK(same(results[0], tensor<float>({4, 3, 2})));
    CHECK(same(results[1], a));
    CHECK(same(results[2], a * 2.0));
  }

  TEST_CASE("an input that is not used stays an input") {
    const Graph graph = captured([](Inputs x) { return Tensors{x[1] + 1.0}; }, {ones({2}), ones({2})});
    CHECK(run(graph, {}, {ones({3}), ones({3})}).size() == 1);
    CHECK_THROWS_WITH_AS(run(graph, {}, {ones({2})}), "graph: expected 2 inputs, got 1", ShapeError);
  }

  TEST_CASE("work whose result nobody uses is not in the graph") {
    const Graph graph = captured(
        [](Inputs x) {
          static_cast<void>(exp(x[0]));
          return Tensors{relu(x[0])};
        },
        {ones({2})});
    CHECK(graph.nodes.size() == 2);
  }

  TEST_CASE("a value that the code makes is kept as a constant") {
    const Graph graph = captured([](Inputs x) { return Tensors{x[0] + tensor<float>({1, 2})}; }, {ones({3, 2})});
    REQUIRE(graph.constants.size() == 1);
    CHECK(same(run(graph, {}, {zeros({2, 2})})[0], tensor<float>({{1, 2}, {1, 2}})));
  }

  TEST_CASE("an attribute is known by its tensor, whatever alias the code uses") {
    const Graph graph = small_graph();
    CHECK(graph.constants.empty());
    CHECK(graph.nodes[1].target == "fc.weight");
  }

  TEST_CASE("reading a value is refused while a graph is captured") {
    CHECK_THROWS_AS(captured([](Inputs x) { return Tensors{x[0] * sum(x[0]).item<double>()}; }, {ones({2})}), Error);
    CHECK_FALSE(is_capturing());
  }

  TEST_CASE("a change in place is refused while a graph is captured") {
    CHECK_THROWS_AS(captured(
                        [](Inputs x) {
                          x[0].add_(x[0]);
                          return Tensors{x[0]};
                        },
                        {ones({2})}),
                    Error);
  }

  TEST_CASE("an attribute that follows the batch in a line, rounded or not, is written as such") {
    using Function = std::function<std::int64_t(std::int64_t)>;
    const auto rows = [](const Function& count) {
      return [count](Inputs x) { return Tensors{slice(x[0], 0, 0, count(x[0].size(0)))}; };
    };
    const std::pair<Function, Value> cases[] = {
        {[](std::int64_t n) { return n - 1; }, Dict{{"size", IntList{0, 0}}, {"plus", -1}}},
        {[](std::int64_t n) { return n / 2; }, Dict{{"size", IntList{0, 0}}, {"over", 2}}},
        {[](std::int64_t n) { return (n + 1) / 2; }, Dict{{"size", IntList{0, 0}}, {"plus", 1}, {"over", 2}}},
        {[](std::int64_t n) { return 3 * n / 4; }, Dict{{"size", IntList{0, 0}}, {"times", 3}, {"over", 4}}}};
    for (const std::int64_t captured_at : {1, 2, 4}) {
      for (const auto& [count, written] : cases) {
        CAPTURE(captured_at);
        const Graph graph = captured(rows(count), {ones({captured_at, 3})});
        CHECK(graph.nodes[1].attributes.at("end") == written);
        for (const std::int64_t batch : {1, 2, 7, 12}) {
          CHECK(run(graph, {}, {ones({batch, 3})})[0].size(0) == count(batch));
        }
      }
    }
  }

  TEST_CASE("a size that follows the batch in no line cannot be captured") {
    const auto bits = [](std::int64_t n) {
      std::int64_t count = 0;
      for (; n > 1; n /= 2) ++count;
      return count;
    };
    CHECK_THROWS_WITH_AS(
        captured([&](Inputs x) { return Tensors{slice(x[0], 0, 0, bits(x[0].size(0)))}; }, {ones({4, 3})}),
        "capture: expected forward to do the same at every batch size, but \"end\" of slice changes in a way that "
        "follows no size",
        Error);
  }

  TEST_CASE("different operations at different batch sizes cannot be captured") {
    CHECK_THROWS_AS(
        captured([](Inputs x) { return Tensors{x[0].size(0) == 2 ? relu(x[0]) : exp(x[0])}; }, {ones({2, 3})}), Error);
    CHECK_THROWS_AS(
        captured([](Inputs x) { return Tensors{x[0].size(0) == 2 ? relu(x[0]) : relu(relu(x[0]))}; }, {ones({2, 3})}),
        Error);
  }

  TEST_CASE("random values cannot be captured as constants") {
    CHECK_THROWS_AS(captured([](Inputs x) { return Tensors{x[0] + randn({3})}; }, {ones({2, 3})}), Error);
  }

  TEST_CASE("a batch size that is written as a number is noticed") {
    CHECK_THROWS_WITH_AS(
        captured(
            [](Inputs x) {
              return Tensors{x[0].view({2, 3})};
            },
            {ones({2, 3})}),
        doctest::Contains("capture: expected forward to take any batch size, but it takes 2 and not 3"), Error);
  }

  TEST_CASE("a number that only happens to equal the batch stays a number") {
    const Graph graph = captured([](Inputs x) { return Tensors{x[0].view({-1, 3})}; }, {ones({3, 3})});
    CHECK(graph.nodes[1].attributes == Dict{{"shape", IntList{-1, 3}}});
    CHECK(run(graph, {}, {ones({5, 3})})[0].shape() == Shape{5, 3});
  }

  TEST_CASE("a graph without a batch is captured at one size") {
    const Graph graph = captured([](Inputs x) { return Tensors{x[0] * 2.0}; }, {scalar_tensor(1.f)});
    CHECK(run(graph, {}, {scalar_tensor(3.f)})[0].item<float>() == 6);
  }

  TEST_CASE("set_training reaches every operation that has it") {
    const GraphFunction dropped = [](Inputs x) { return Tensors{dropout(x[0], 0.5, false)}; };
    GraphExecutor executor(captured(dropped, {ones({2, 100})}), {});
    const Tensors x{ones({2, 100})};
    CHECK(same(executor.run(x)[0], x[0]));
    const GraphExecutor before = executor;
    executor.set_training(true);
    CHECK_FALSE(same(executor.run(x)[0], x[0]));
    CHECK(same(before.run(x)[0], x[0]));  // copies have a mode of their own
  }

  TEST_CASE("scopes name the module that made a call") {
    const int owner = 0;
    const Graph graph = capture(
        [&](Inputs x) {
          const ScopeGuard scope(&owner);
          return Tensors{relu(x[0])};
        },
        Tensors{ones({2})}, {}, {{&owner, "features.0"}});
    CHECK(graph.nodes[1].scope == "features.0");
    CHECK(printed(graph).find("%1 relu(%0) -> float32 [2]  # features.0\n") != std::string::npos);
  }
}

TEST_SUITE("graph executor") {
  TEST_CASE("a forward reference is refused") {
    CHECK(refusal([](Graph& graph) { graph.nodes[2].inputs[0] = 3; }) ==
          "graph: node 2 (call \"linear\"): expected inputs among the earlier nodes, got %3");
    CHECK(refusal([](Graph& graph) { graph.nodes[2].inputs[0] = 2; }).starts_with("graph: node 2"));
    CHECK(refusal([](Graph& graph) { graph.nodes[2].inputs[0] = -1; }).starts_with("graph: node 2"));
    CHECK(refusal([](Graph& graph) { graph.nodes[2].inputs[0] = std::int64_t{1} << 40; }).starts_with("graph: node 2"));
  }

  TEST_CASE("outputs beyond the nodes are refused") {
    CHECK(refusal([](Graph& graph) { graph.outputs = {5}; }) == "graph: expected outputs among its nodes, got %5");
    CHECK(refusal([](Graph& graph) { graph.outputs = {-1}; }) == "graph: expected outputs among its nodes, got %-1");
  }

  TEST_CASE("an unknown operation is refused by name") {
    CHECK(refusal([](Graph& graph) {
            graph.nodes[3].target = "rm_rf";
          }).starts_with("graph: node \"relu\": make_op: expected the name of a registered op, got \"rm_rf\""));
  }

  TEST_CASE("a newer version and an unknown attribute are refused") {
    CHECK(refusal([](Graph& graph) { graph.nodes[3].version = 2; }) ==
          "graph: node \"relu\": relu: expected version 1 to 1 of the operation, got version 2");
    CHECK(refusal([](Graph& graph) { graph.nodes[3].attributes["inplace"] = true; }) ==
          "graph: node \"relu\": relu: expected attributes among (), got \"inplace\"");
  }

  TEST_CASE("a missing tensor is refused by name") {
    CHECK(refusal([](Graph& graph) { graph.nodes[1].target = "fc.bias"; }) ==
          "graph: node 1 (get_attr \"fc_weight\"): expected a tensor named \"fc.bias\", got none");
  }

  TEST_CASE("a name that occurs twice is refused") {
    CHECK(refusal([](Graph& graph) { graph.nodes[3].name = "linear"; }) ==
          "graph: node 3 (call \"linear\"): expected a name of its own");
  }

  TEST_CASE("a wrong number of inputs is refused") {
    CHECK(refusal([](Graph& graph) {
            graph.nodes[3].inputs = {2, 2};
          }) == "graph: node \"relu\": relu: expected 1 inputs, got 2");
    CHECK(refusal([](Graph& graph) { graph.nodes[2].inputs = {}; }) != "accepted");
    CHECK(refusal([](Graph& graph) { graph.nodes[1].inputs = {0}; }) ==
          "graph: node 1 (get_attr \"fc_weight\"): expected no inputs");
  }

  TEST_CASE("a type that does not follow from the inputs is refused") {
    CHECK(refusal([](Graph& graph) {
            graph.nodes[3].type.shape = {4, 3};
          }) == "graph: node \"relu\": expected a result float32 [4, 3], got float32 [4, 2]");
    CHECK(refusal([](Graph& graph) { graph.nodes[0].type.shape = {4, 5}; }) != "accepted");
    CHECK(refusal([](Graph& graph) { graph.nodes[0].type.dtype = DType::int64; }) != "accepted");
    CHECK(refusal([](Graph& graph) { graph.nodes[0].type.shape = {-4, 3}; }) != "accepted");
  }

  TEST_CASE("a placeholder after other nodes is refused") {
    CHECK(refusal([](Graph& graph) {
            GraphNode late = graph.nodes[0];
            late.name = "late";
            graph.nodes.push_back(late);
          }) == "graph: node 5 (placeholder \"late\"): expected placeholders before all other nodes");
  }

  TEST_CASE("attributes that follow nodes are refused without a list of free sizes, and where they are malformed") {
    const auto with = [](const Value& size) {
      return refusal([&](Graph& graph) {
        graph.free_sizes = {{{{0, 0}}}};
        graph.nodes[4].attributes["shape"] = List{size};
      });
    };
    CHECK(with(Dict{{"size", IntList{3, 0, 1}}}) == "accepted");
    CHECK(with(Dict{{"size", IntList{3, 0}}, {"times", 4}, {"plus", 1}, {"over", 2}}) == "accepted");
    CHECK(with(Dict{{"size", IntList{2, 0, 1}}, {"over", 0}})
              .starts_with("graph: node \"view\": graph: expected {\"size\": [place, dim, ...], "));
    for (const Value& size :
         {Value(Dict{{"size", IntList{4, 0}}}), Value(Dict{{"size", IntList{-1, 0}}}),
          Value(Dict{{"size", IntList{3}}}), Value(Dict{{"size", IntList{3, 2}}}),
          Value(Dict{{"size", IntList{3, -1}}}), Value(Dict{{"size", 3}}),
          Value(Dict{{"size", IntList{3, 0, 1}}, {"over", -1}}), Value(Dict{{"size", IntList{3, 0, 1}}, {"minus", 0}}),
          Value(Dict{{"size", IntList{3, 0, 1}}, {"times", std::int64_t{1} << 62}}),
          Value(Dict{{"size", IntList{3, 0, 1}}, {"plus", "one"}})}) {
      std::ostringstream text;
      text << size;
      INFO(text.str());
      CHECK(with(size) != "accepted");
    }
    CHECK(refusal([](Graph& graph) {
            graph.nodes[4].attributes["shape"] = List{Dict{{"size", IntList{3, 0, 1}}}};
          }) == "graph: node \"view\": expected a graph that lists its free sizes where an attribute follows one");
  }

  TEST_CASE("free sizes that are no dimensions of inputs, or stand twice, are refused") {
    const auto with = [](std::vector<FreeSize> free) {
      return refusal([&](Graph& graph) { graph.free_sizes = std::move(free); });
    };
    CHECK(with({{{{0, 0}}}, {{{0, 1}}, 3}}) == "accepted");
    CHECK(with({FreeSize()}) == "graph: expected a free size to have a dimension, got one without");
    CHECK(with({{{{0, 0}, {0, 1}}}}) ==
          "graph: expected as a free size dimensions of inputs, each once, of one size, got dimension 1 of input 0");
    for (const InputDim& place : {InputDim{1, 0}, InputDim{-1, 0}, InputDim{0, 2}, InputDim{0, -1}}) {
      CHECK(with({{{place}}}) != "accepted");
    }
    CHECK(with({{{{0, 0}}}, {{{0, 0}}}}) != "accepted");
    CHECK(with({{{{0, 1}}, 4}}) == "graph: expected the least of a free size from 0 to the captured 3, got 4");
    CHECK(with({{{{0, 1}}, -1}}) == "graph: expected the least of a free size from 0 to the captured 3, got -1");
  }

  TEST_CASE("malformed sizes that follow the batch are refused") {
    for (const Value& size : {Value(Dict{{"batch", "two"}}), Value(Dict{{"batch", std::int64_t{1} << 62}}),
                              Value(Dict{{"batch", -3}}), Value(Dict{{"rows", 1}})}) {
      std::ostringstream text;
      text << size;
      INFO(text.str());
      CHECK(refusal([&](Graph& graph) { graph.nodes[4].attributes["shape"] = List{size}; }) != "accepted");
    }
  }

  TEST_CASE("inputs of other types than those of the capture are refused") {
    const GraphExecutor executor(small_graph(), {{"fc.weight", weight()}});
    CHECK(executor.input_types() == std::vector<TensorType>{{{-1, 3}, DType::float32}});
    CHECK_THROWS_WITH_AS(
        executor.run(Tensors{ones({2, 4})}),
        "graph: expected as \"input\" float32 [-1, 3], where -1 is any size, got float32 [2, 4]; it was "
        "not captured for others",
        ShapeError);
    CHECK_THROWS_AS(executor.run(Tensors{ones({2, 3, 1})}), ShapeError);
    CHECK_THROWS_AS(executor.run(Tensors{ones({2, 3}, {.dtype = DType::float64})}), TypeError);
    CHECK_THROWS_AS(executor.run(Tensors{Tensor()}), TypeError);
    CHECK_THROWS_AS(static_cast<void>(executor.output_types(std::vector<TensorType>{{{2, 4}, DType::float32}})),
                    ShapeError);
  }

  TEST_CASE("a graph without nodes runs") { CHECK(run(Graph(), {}, {}).empty()); }
}

// SPDX-License-Identifier: MIT

// Graphs with calls of several results.

#include <doctest/doctest.h>

#include <algorithm>
#include <sstream>

#include "support/same.h"
#include "teff/engine/autograd.h"
#include "teff/engine/error.h"
#include "teff/engine/graph.h"
#include "teff/engine/ops.h"

using namespace teff;
using testing::same;

namespace {

using Kind = GraphNode::Kind;
using Tensors = std::vector<Tensor>;
using Inputs = std::span<const Tensor>;

bool all_same(const Tensors& a, const Tensors& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const Tensor& x, const Tensor& y) { return same(x, y); });
}

std::string text_of_graph(const Graph& graph) {
  std::ostringstream out;
  out << graph;
  return out.str();
}

Graph captured_results(const GraphFunction& function, const Tensors& inputs) { return capture(function, inputs, {}); }

Tensors run(const Graph& graph, const Tensors& inputs) { return GraphExecutor(graph, {}).run(inputs); }

/// The middle piece is not used.
Tensors pieces_and_maximum(Inputs x) {
  const Tensors pieces = split(x[0], {2, 1, 2}, 1);
  const auto [values, indices] = max(pieces[2] * pieces[0], 1);
  return {values, indices};
}

Graph good_graph() { return captured_results(pieces_and_maximum, {ones({4, 5})}); }

/// What the executor says of the good graph after `damage`.
template <class Damage>
std::string refusal_of_results(Damage&& damage) {
  Graph graph = good_graph();
  damage(graph);
  try {
    GraphExecutor executor(graph, {});
  } catch (const Error& error) {
    return error.what();
  }
  return "accepted";
}

}  // namespace

TEST_SUITE("graphs of calls with several results") {
  TEST_CASE("a call and its results are printed on one line") {
    CHECK(text_of_graph(good_graph()) ==
          "%0 placeholder input -> float32 [4, 5]\n"
          "%1, %2, %3 split_with_sizes(%0) {'sizes': [2, 1, 2], 'dim': 1} -> float32 [4, 2], float32 [4, 1], float32 "
          "[4, 2]\n"
          "%4 mul(%3, %1) -> float32 [4, 2]\n"
          "%5, %6 max_with_indices(%4) {'dim': 1, 'keepdim': False} -> float32 [4], int64 [4]\n"
          "return %5, %6\n");
    CHECK(result_count(good_graph(), 0) == 1);
    CHECK(result_count(good_graph(), 1) == 3);
    CHECK(result_count(good_graph(), 3) == 1);
    CHECK(result_count(good_graph(), 5) == 2);
  }

  TEST_CASE("a graph gives what the function gives, whichever results are used, at every batch size") {
    const std::vector<GraphFunction> functions{
        pieces_and_maximum,
        [](Inputs x) { return Tensors{max(x[0], 1).indices}; },
        [](Inputs x) { return Tensors{min(x[0], -1, true).values + 1.0}; },
        [](Inputs x) { return x[0].split(2, 1); },
        [](Inputs x) {
          Tensors pieces = x[0].chunk(2, -1);
          return Tensors{pieces[1], pieces[0], pieces[1]};
        },
    };
    for (const GraphFunction& function : functions) {
      const GraphExecutor executor(captured_results(function, {randn({4, 5})}), {});
      for (const std::int64_t batch : {1, 4, 7}) {
        const Tensors x{randn({batch, 5})};
        CHECK(all_same(executor.run(x), function(x)));
        std::vector<TensorType> types;
        for (const Tensor& output : function(x)) types.push_back(output.type());
        CHECK(executor.output_types(std::vector{x[0].type()}) == types);
      }
    }
  }

  TEST_CASE("gradients flow through a graph as in the original") {
    const Graph graph = good_graph();
    const Tensor x = randn({3, 5}).requires_grad_(), y = x.detach().clone().requires_grad_();
    run(graph, {x})[0].sum().backward();
    pieces_and_maximum(std::vector{y})[0].sum().backward();
    CHECK(same(x.grad(), y.grad()));
  }

  TEST_CASE("a graph that was captured can be captured again") {
    const Graph once = good_graph();
    const GraphExecutor executor(once, {});
    const Graph twice = captured_results([&](Inputs x) { return executor.run(x); }, {ones({4, 5})});
    CHECK(text_of_graph(twice) == text_of_graph(once));
  }

  TEST_CASE("sizes that follow the batch are stored so") {
    const Graph graph = captured_results(
        [](Inputs x) {
          const Tensor both = cat({x[0], x[0] * 2.0}, 0);
          return Tensors{split(both, x[0].size(0))[1]};
        },
        {ones({4, 2})});
    CHECK(text_of_graph(graph).find("split(%2) {'split_size': {'batch': 1}, 'dim': 0} -> ") != std::string::npos);
    const Tensors rows{randn({7, 2})};
    CHECK(same(run(graph, rows)[0], rows[0] * 2.0));
    const Graph sizes = captured_results(
        [](Inputs x) {
          const std::int64_t n = x[0].size(0);
          return Tensors{split(cat({x[0], x[0], x[0]}), {n, 2 * n})[1]};
        },
        {ones({4, 2})});
    CHECK(run(sizes, rows)[0].shape() == Shape{14, 2});
  }

  TEST_CASE("a split that makes another number of pieces at another batch size is refused at capture") {
    CHECK_THROWS_WITH_AS(
        captured_results([](Inputs x) { return Tensors{split(x[0], 2)[0]}; }, {ones({4, 2})}),
        "capture: expected forward to do the same at every batch size, but it makes 3 nodes for float32 [4, 2] and 4 "
        "for float32 [5, 2]",
        Error);
    CHECK_THROWS_WITH_AS(captured_results([](Inputs x) { return Tensors{chunk(x[0], 2)[0]}; }, {ones({4, 2})}),
                         "capture: expected forward to take any batch size, but it takes 4 and not 1: graph: node "
                         "\"split\": split: expected 2 results, as the graph has, got 1; write sizes as x.size(0), or "
                         "-1 in view",
                         Error);
  }

  TEST_CASE("a graph for one number of pieces refuses inputs for another") {
    Graph graph = captured_results([](Inputs x) { return split(x[0], 2, 1); }, {ones({3, 4})});
    CHECK(graph.free_sizes.empty());
    graph.free_sizes = {{{{0, 0}}}, {{{0, 1}}}};  // as somebody may write it
    const GraphExecutor executor(graph, {});
    CHECK(executor.run(Tensors{ones({1, 3})}).size() == 2);
    CHECK_THROWS_WITH_AS(executor.run(Tensors{ones({3, 5})}), "split: expected 2 results, as the graph has, got 3",
                         ShapeError);
    CHECK_THROWS_WITH_AS(executor.output_types(std::vector{TensorType{{3, 2}, DType::float32}}),
                         "graph: node \"split\": split: expected 2 results, as the graph has, got 1", ShapeError);
  }
}

TEST_SUITE("graph executor and several results") {
  TEST_CASE("the graph that the tests below vary is good") {
    CHECK(refusal_of_results([](Graph&) {}) == "accepted");
  }

  TEST_CASE("too few and too many results are refused") {
    CHECK(refusal_of_results([](Graph& graph) {
            graph.nodes.resize(3);
            graph.outputs = {1};
          }) == "graph: node \"split_with_sizes\": split_with_sizes: expected 2 results, as the graph has, got 3");
    CHECK(refusal_of_results([](Graph& graph) {
            GraphNode more = graph.nodes[6];
            more.name = "more";
            graph.nodes.push_back(more);
          }) == "graph: node \"max_with_indices\": max_with_indices: expected 3 results, as the graph has, got 2");
    CHECK(refusal_of_results([](Graph& graph) {
            graph.nodes[4].kind = Kind::result;
            graph.nodes[4].inputs = {1};
          }) == "graph: node \"split_with_sizes\": split_with_sizes: expected 4 results, as the graph has, got 3");
  }

  TEST_CASE("a result behind a call of one is refused") {
    CHECK(refusal_of_results([](Graph& graph) {
            graph.nodes[5].kind = Kind::result;
            graph.nodes[5].inputs = {4};
            graph.nodes[6].inputs = {4};
          }) == "graph: node \"mul\": mul: expected 3 results, as the graph has, got 1");
  }

  TEST_CASE("a result without a call before it is refused") {
    CHECK(refusal_of_results([](Graph& graph) { graph.nodes[0].kind = Kind::result; }) ==
          "graph: node 0 (result \"input\"): expected a call right before its other results");
    CHECK(refusal_of_results([](Graph& graph) {
            graph.nodes[1].kind = Kind::result;
            graph.nodes[1].inputs = {0};
          }) == "graph: node 1 (result \"split_with_sizes\"): expected a call right before its other results");
  }

  TEST_CASE("a result of another node than the call before it is refused") {
    const auto says = [](std::vector<std::int64_t> inputs) {
      return refusal_of_results([&](Graph& graph) { graph.nodes[3].inputs = std::move(inputs); });
    };
    const std::string expected =
        "graph: node 3 (result \"split_with_sizes_2\"): expected as its only input the call before it, %1";
    CHECK(says({0}) == expected);
    CHECK(says({2}) == expected);
    CHECK(says({}) == expected);
    CHECK(says({1, 1}) == expected);
    CHECK(says({3}) ==
          "graph: node 3 (result \"split_with_sizes_2\"): expected inputs among the earlier nodes, got %3");
    CHECK(says({-1}) ==
          "graph: node 3 (result \"split_with_sizes_2\"): expected inputs among the earlier nodes, got %-1");
  }

  TEST_CASE("results of other types are refused") {
    CHECK(refusal_of_results([](Graph& graph) { graph.nodes[6].type.dtype = DType::int32; }) ==
          "graph: node \"max_with_indices_1\": expected a result int32 [4], got int64 [4]");
    CHECK(refusal_of_results([](Graph& graph) {
            graph.nodes[2].type.shape = {4, 2};
          }) == "graph: node \"split_with_sizes_1\": expected a result float32 [4, 2], got float32 [4, 1]");
  }

  TEST_CASE("as many pieces as a file can ask for are refused before they are made") {
    CHECK(refusal_of_results([](Graph& graph) {
            const std::int64_t huge = std::int64_t{1} << 50;
            graph.nodes.resize(2);
            graph.nodes[0].type.shape = {huge};
            graph.nodes[1].target = "split";
            graph.nodes[1].attributes = {{"split_size", 1}, {"dim", 0}};
            graph.outputs = {1};
          }) == "graph: node \"split_with_sizes\": split: expected 1 results, as the graph has, got 1125899906842624");
  }
}

// SPDX-License-Identifier: MIT
#include "engine/ops/op_test.h"
#include "teff/engine/graph.h"
#include "teff/engine/testing.h"

using namespace teff;
using namespace teff::indexing;

TEST_SUITE("index") {
  TEST_CASE("numbers, slices, new dimensions and dots are those of Python") {
    const Tensor x = counting({2, 3, 4});
    CHECK(show(x.index({1, 2, -1})) == "float32 []: 24");
    CHECK(show(x.index({0, Slice(1), Slice(None, None, 3)})) == "float32 [2, 2]: 5 8 9 12");
    CHECK(show(x.index({Ellipsis, 0})) == "float32 [2, 3]: 1 5 9 13 17 21");
    CHECK(show(x.index({"...", 0})) == show(x.index({Ellipsis, 0})));
    CHECK(x.index({None, 0, Ellipsis, None}).shape() == Shape{1, 3, 4, 1});
    CHECK(x.index({Slice(1, 2)}).shares_memory_with(x));
    CHECK(show(x.index({Slice(), 1, Slice(-2, 100)})) == "float32 [2, 2]: 7 8 19 20");
    CHECK(x.index({}).shape() == x.shape());
  }

  TEST_CASE("tensors of indices stand where the first stood, or in front") {
    const Tensor x = counting({2, 3, 4}), rows = tensor<std::int64_t>({1, 0, 1}),
                 last = tensor<std::int64_t>({-1, 0, 2});
    CHECK(show(x.index({rows, last})) == "float32 [3, 4]: 21 22 23 24 1 2 3 4 21 22 23 24");
    CHECK(show(x.index({0, rows, last})) == "float32 [3]: 8 1 7");
    CHECK(x.index({Slice(), rows, last}).shape() == Shape{2, 3});
    CHECK(show(x.index({rows, Slice(0, 2), last})) == "float32 [3, 2]: 16 20 1 5 15 19");
    CHECK(show(x.index({rows, 1, last})) == "float32 [3]: 20 5 19");
    CHECK(show(x.index({Slice(), Slice(), tensor<std::int64_t>({0, 3}, {2, 1})})[0]) ==
          "float32 [3, 2, 1]: 1 4 5 8 9 12");
  }

  TEST_CASE("masks stand for their dimensions") {
    const Tensor x = counting({2, 3});
    CHECK(show(x.index({x > 3.0})) == "float32 [3]: 4 5 6");
    CHECK(show(x.index({tensor({false, true})})) == "float32 [1, 3]: 4 5 6");
    CHECK(show(x.index({Slice(), tensor({true, false, true})})) == "float32 [2, 2]: 1 3 4 6");
    CHECK(show(x.index({tensor({true, true}), tensor<std::int64_t>({2})})) == "float32 [2]: 3 6");
  }

  TEST_CASE("the gradient goes to where the values came from") {
    gradcheck(
        [](std::span<const Tensor> x) {
          return x[0].index({tensor<std::int64_t>({1, -1, 1}), Slice(0, 2), tensor<std::int64_t>({0, 2, 0})});
        },
        {counting({2, 3, 4}, DType::float64).requires_grad_()});
    const Tensor x = leaf({1, -2, 3, -4}, {2, 2});
    (x.index({x.detach() > 0.0}) * counting({2})).sum().backward();
    CHECK(show(x.grad()) == "float32 [2, 2]: 1 0 2 0");
  }

  TEST_CASE("is part of a graph whose batch is free") {
    const GraphFunction function = [](std::span<const Tensor> inputs) {
      return std::vector<Tensor>{inputs[0].index({Slice(), tensor<std::int64_t>({2, 0}), Slice(1)})};
    };
    const Graph graph = capture(function, std::vector<Tensor>{counting({2, 3, 4})}, {});
    const Tensor x = counting({5, 3, 4});
    CHECK(show(GraphExecutor(graph, {}).run(std::vector<Tensor>{x})[0]) == show(function(std::vector<Tensor>{x})[0]));
  }

  TEST_CASE("refuses what is not there") {
    const Tensor x = zeros({2, 3});
    CHECK_THROWS_WITH_AS(x.index({0, 0, 0}), "index: expected at most 2 indices for input [2, 3], got 3", IndexError);
    CHECK_THROWS_WITH_AS(x.index({Ellipsis, Ellipsis}), "index: expected at most one Ellipsis, got 2", IndexError);
    CHECK_THROWS_WITH_AS(x.index({2}), "index: expected an index in [-2, 2) for dimension 0 of input [2, 3], got 2",
                         IndexError);
    CHECK_THROWS_WITH_AS(x.index({Slice(), tensor<std::int64_t>({0, -4})}),
                         "index: expected indices in [-3, 3) for dimension 1 of input [2, 3], got -4 at place 1",
                         IndexError);
    CHECK_THROWS_WITH_AS(
        x.index({tensor({true, false, true})}),
        "index: expected a mask of the sizes of the dimensions from 0 of input [2, 3] on, got mask [3]", IndexError);
    CHECK_THROWS_WITH_AS(
        x.index({zeros({2})}),
        "index: expected indices of int64, got float32 [2]; convert them with to(DType::int64), a mask "
        "with nonzero",
        TypeError);
    CHECK_THROWS_WITH_AS(x.index({Slice(None, None, -1)}), "index: expected a step of at least 1, got -1", ValueError);
    CHECK_THROWS_WITH_AS(x.index({".."}), "index: expected \"...\", got \"..\"", ValueError);
  }
}

TEST_SUITE("index_put") {
  TEST_CASE("in place: boxes, places and masks, of tensors and numbers") {
    const Tensor x = zeros({3, 4});
    CHECK(x.index_put_({1, Slice(None, None, 2)}, 5).is(x));
    CHECK(show(x) == "float32 [3, 4]: 0 0 0 0 5 0 5 0 0 0 0 0");
    x.index_put_({Slice(), -1}, counting({3}));
    CHECK(show(x) == "float32 [3, 4]: 0 0 0 1 5 0 5 2 0 0 0 3");
    x.index_put_({x == 0.0}, -1);
    CHECK(show(x) == "float32 [3, 4]: -1 -1 -1 1 5 -1 5 2 -1 -1 -1 3");
    x.index_put_({tensor<std::int64_t>({0, 2}), tensor<std::int64_t>({0, 1})}, tensor<std::int64_t>({7, 8}));
    CHECK(show(x) == "float32 [3, 4]: 7 -1 -1 1 5 -1 5 2 -1 8 -1 3");
    x.index_put_({Slice(0, 1), tensor<std::int64_t>({1, 1})}, ones({2}), true);
    CHECK(show(x[0]) == "float32 [4]: 7 1 -1 1");
    x.index_put_({Ellipsis}, x.t().reshape({3, 4}));
    CHECK(show(x[0]) == "float32 [4]: 7 5 -1 1");
    x.index_put_({0, None}, zeros({1, 4}));
    CHECK(show(x[0]) == "float32 [4]: 0 0 0 0");
  }

  TEST_CASE("a slice assigned from itself") {
    const Tensor x = counting({4});
    x.index_put_({Slice(1)}, x.slice(0, 0, 3));
    CHECK(show(x) == "float32 [4]: 1 1 2 3");
  }

  TEST_CASE("gradients go to both") {
    const Tensor x = counting({2, 3, 2}, DType::float64).requires_grad_(),
                 v = counting({2, 2}, DType::float64).requires_grad_();
    for (const bool accumulate : {false, true}) {
      gradcheck(
          [=](std::span<const Tensor> in) {
            return index_put(in[0], {Slice(), tensor<std::int64_t>({2, 0})}, in[1], accumulate);
          },
          {x, v});
      gradcheck(
          [=](std::span<const Tensor> in) {
            return index_put(in[0], {1, tensor<std::int64_t>({2, 0})}, in[1], accumulate);
          },
          {x, v});
      gradcheck(
          [=](std::span<const Tensor> in) {
            return index_put(in[0], {Ellipsis, Slice(1)}, in[1].sum(), accumulate);
          },
          {x, v});
    }
  }

  TEST_CASE("refuses what does not fit, and changes nothing then") {
    const Tensor x = zeros({2, 3});
    CHECK_THROWS_WITH_AS(x.index_put_({0}, zeros({2})), doctest::Contains("index_put_: expected"), ShapeError);
    CHECK_THROWS_AS(x.index_put_({tensor<std::int64_t>({0, 2})}, 1), IndexError);
    CHECK_THROWS_AS(x.index_put_({2}, 1), IndexError);
    CHECK_THROWS_AS(x.index_put_({0}, ones({3}).requires_grad_()), Error);
    CHECK_THROWS_AS(ones({2}).requires_grad_().index_put_({0}, 1), Error);
    CHECK(x.sum().item<float>() == 0);
  }
}

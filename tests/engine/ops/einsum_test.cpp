// SPDX-License-Identifier: MIT
#include "engine/ops/op_test.h"
#include "teff/engine/graph.h"

using namespace teff;

TEST_SUITE("einsum and its kin") {
  TEST_CASE("refuse equations that are none") {
    const Tensor x = zeros({2, 3}), y = zeros({4, 2});
    CHECK_THROWS_WITH_AS(einsum("i1,jk", {x, y}),
                         "einsum: expected letters and at most one \"...\" for an operand, got \"i1\"", ValueError);
    CHECK_THROWS_WITH_AS(einsum("ij", {x, y}), "einsum: expected 1 operands, as many as the equation names, got 2",
                         ValueError);
    CHECK_THROWS_WITH_AS(einsum("ijk->i", {x}),
                         "einsum: expected 3 dimensions of operand 0, as its letters say, got [2, 3]", ShapeError);
    CHECK_THROWS_WITH_AS(einsum("ij,jk->ik", {x, y}),
                         "einsum: expected one size for a letter (or 1), got 3 and 4 in operand [4, 2]", ShapeError);
    CHECK_THROWS_WITH_AS(einsum("ij->iz", {x}),
                         "einsum: expected letters of the operands in the result, each once, got 'z'", ValueError);
    CHECK_THROWS_WITH_AS(einsum("ii", {x}),
                         "einsum: expected one size for a letter (or 1), got 2 and 3 in operand [2, 3]", ShapeError);
    CHECK_THROWS_AS(einsum("ij->ii", {x}), ValueError);
    CHECK_THROWS_AS(einsum("ij", {Tensor()}), TypeError);
  }

  TEST_CASE("einsum is part of a graph whose batch is free") {
    const GraphFunction function = [](std::span<const Tensor> x) {
      return std::vector<Tensor>{einsum("bqhd,bkhd->bhqk", {x[0], x[1]})};
    };
    const Tensor q = counting({2, 3, 2, 4}), k = counting({2, 5, 2, 4});
    const Graph graph = capture(function, std::vector<Tensor>{q, k}, {});
    const std::vector<Tensor> other{counting({3, 3, 2, 4}), counting({3, 5, 2, 4})};
    CHECK(show(GraphExecutor(graph, {}).run(other)[0]) == show(function(other)[0]));
  }

  TEST_CASE("products insist on their shapes") {
    CHECK_THROWS_WITH_AS(mm(zeros({2, 3}), zeros({3})), "mm: expected matrices [n, k] and [k, m], got [2, 3] and [3]",
                         ShapeError);
    CHECK_THROWS_WITH_AS(bmm(zeros({2, 2, 3}), zeros({1, 3, 2})),
                         "bmm: expected batches of equal size, got [2, 2, 3] and [1, 3, 2]", ShapeError);
    CHECK_THROWS_WITH_AS(dot(zeros({2}), zeros({3})), doctest::Contains("dot: expected"), ShapeError);
    CHECK_THROWS_WITH_AS(addmm(zeros({3}), zeros({2, 3}), zeros({3, 2})), doctest::Contains("addmm: expected"),
                         ShapeError);
    CHECK_THROWS_WITH_AS(cross(zeros({2}), zeros({2})), "cross: expected a dimension of size 3, got [2]", ShapeError);
  }

  TEST_CASE("near rows have exact distances although those of many rows come from a product") {
    Tensor x = full({40, 8}, 1000, {.dtype = DType::float32}).clone();
    const Tensor far = cdist(x, zeros({40, 8}));
    CHECK(far.data<float>()[0] == doctest::Approx(2828.4271));
    x.data<float>()[8] += 0.5f;
    const Tensor near = cdist(x, x);
    CHECK(near.data<float>()[0] == 0);
    CHECK(near.data<float>()[1] == 0.5f);
  }
}

TEST_SUITE("moved elements") {
  TEST_CASE("refuse what is not there") {
    const Tensor x = zeros({2, 3});
    CHECK_THROWS_WITH_AS(flip(x, {0, -2}), "flip: expected each dimension once, got dims [0, -2]", ValueError);
    CHECK_THROWS_WITH_AS(narrow(x, 1, 2, 2),
                         "narrow: expected start and length within [0, 3] of dimension 1 of input [2, 3], got start 2 "
                         "and length 2",
                         IndexError);
    CHECK_THROWS_WITH_AS(diagonal(x, 0, 1, -1),
                         "diagonal: expected two different dimensions of input [2, 3], got 1 and -1", ValueError);
    CHECK_THROWS_WITH_AS(tril(zeros({2})), "tril: expected matrices [..., n, m], got input [2]", ShapeError);
    CHECK_THROWS_WITH_AS(x.unfold(1, 4, 1),
                         "unfold: expected windows not larger than dimension 1 of input [2, 3], got size 4 with "
                         "dilation 1",
                         ShapeError);
    CHECK_THROWS_WITH_AS(repeat(x, {2}), "repeat: expected a count for each dimension of input [2, 3], got [2]",
                         ShapeError);
    CHECK_THROWS_AS(pixel_shuffle(zeros({1, 3, 2, 2}), 2), ShapeError);
    CHECK_THROWS_AS(grid_sample(zeros({1, 1, 2, 2}), zeros({2, 1, 1, 2})), ShapeError);
    CHECK_THROWS_AS(diag_embed(x, kHuge), ValueError);
  }

  TEST_CASE("grid_sample takes NaN and infinite places for places outside") {
    const Tensor grid = tensor<float>({float(kNan), 0, float(kInfinity), 0}, {1, 1, 2, 2});
    CHECK(show(grid_sample(ones({1, 1, 3, 3}), grid)) == "float32 [1, 1, 1, 2]: 0 0");
  }

  TEST_CASE("like another tensor, and multinomial of rows") {
    const Tensor x = zeros({2, 3}, {.dtype = DType::float64});
    CHECK(show(full_like(x, 2)) == "float64 [2, 3]: 2 2 2 2 2 2");
    CHECK(rand_like(x, DType::float32).type() == TensorType{{2, 3}, DType::float32});
    CHECK(randn_like(x).type() == x.type());
    CHECK(empty_like(x).type() == x.type());
    CHECK(show(eye(2, 3)) == "float32 [2, 3]: 1 0 0 0 1 0");
    CHECK(show(multinomial(tensor<float>({0, 1, 0, 0, 0, 5}, {2, 3}), 1)) == "int64 [2, 1]: 1 2");
    CHECK_THROWS_AS(linspace(0, 1, -1), ValueError);
  }
}

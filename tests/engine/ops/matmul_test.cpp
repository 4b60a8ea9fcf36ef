// SPDX-License-Identifier: MIT
#include "engine/ops/op_test.h"

using namespace teff;

TEST_SUITE("matmul") {
  TEST_CASE("vectors, matrices and broadcast batches") {
    const Tensor v = tensor<float>({1, 2}), m = tensor<float>({1, 2, 3, 4}, {2, 2});
    CHECK(show(matmul(v, v)) == "float32 []: 5");
    CHECK(show(matmul(m, v)) == "float32 [2]: 5 11");
    CHECK(show(matmul(v, m)) == "float32 [2]: 7 10");
    CHECK(show(matmul(m, m)) == "float32 [2, 2]: 7 10 15 22");
    const Tensor batch = tensor<float>({1, 0, 0, 1, 0, 1, 1, 0}, {2, 2, 2});  // the identity, and an exchange
    CHECK(show(matmul(batch, m)) == "float32 [2, 2, 2]: 1 2 3 4 3 4 1 2");
    CHECK(show(matmul(m, batch)) == "float32 [2, 2, 2]: 1 2 3 4 2 1 4 3");
    CHECK(matmul(zeros({5, 1, 2, 3}), zeros({4, 3, 6})).shape() == Shape{5, 4, 2, 6});
  }

  TEST_CASE("a product over nothing is 0") {
    CHECK(show(matmul(zeros({2, 0}), zeros({0, 1}))) == "float32 [2, 1]: 0 0");
    CHECK(show(matmul(zeros({0, 2}), zeros({2, 3}))) == "float32 [0, 3]:");
  }

  TEST_CASE("gradients are summed over the broadcast batch") {
    const Tensor a = leaf({1, 2}, {1, 2}), b = leaf({1, 2, 3, 4, 5, 6}, {3, 2, 1});
    matmul(a, b).sum().backward();
    CHECK(show(a.grad()) == "float32 [1, 2]: 9 12");
    CHECK(show(b.grad()) == "float32 [3, 2, 1]: 1 2 1 2 1 2");
  }

  TEST_CASE("refuses what does not fit") {
    CHECK_THROWS_WITH_AS(matmul(zeros({2, 3}), zeros({4, 5})),
                         "matmul: expected [..., n, k] x [..., k, m] with equal k, got [2, 3] x [4, 5]", ShapeError);
    CHECK_THROWS_WITH_AS(matmul(zeros({}), zeros({2})),
                         "matmul: expected tensors of at least 1 dimension, got [] and [2]; use mul for a number",
                         ShapeError);
    CHECK_THROWS_AS(matmul(zeros({2, 2, 3}), zeros({3, 3, 4})), ShapeError);
  }
}

TEST_SUITE("linear") {
  TEST_CASE("takes any number of leading dimensions") {
    const Tensor weight = tensor<float>({1, 2, 3, 4, 5, 6}, {3, 2}), bias = tensor<float>({10, 20, 30});
    CHECK(show(linear(tensor<float>({1, 1}), weight, bias)) == "float32 [3]: 13 27 41");
    CHECK(show(linear(tensor<float>({1, 1}, {1, 1, 2}), weight)) == "float32 [1, 1, 3]: 3 7 11");
    CHECK(show(linear(zeros({0, 2}), weight, bias)) == "float32 [0, 3]:");
    CHECK(show(linear(zeros({2, 0}), zeros({3, 0}), bias)) == "float32 [2, 3]: 10 20 30 10 20 30");
  }

  TEST_CASE("only the gradients that are asked for") {
    const Tensor x = tensor<float>({1, 2, 3, 4}, {2, 2}), weight = leaf({1, 1}, {1, 2}), bias = leaf({0}, {1});
    linear(x, weight, bias).sum().backward();
    CHECK(show(weight.grad()) == "float32 [1, 2]: 4 6");
    CHECK(show(bias.grad()) == "float32 [1]: 2");
    CHECK_FALSE(x.grad().defined());
  }

  TEST_CASE("refuses what does not fit") {
    CHECK_THROWS_WITH_AS(linear(zeros({4, 100}), zeros({84, 120})),
                         "linear: expected input [..., 120] to match weight [84, 120], got input [4, 100]", ShapeError);
    CHECK_THROWS_WITH_AS(linear(zeros({4, 2}), zeros({3, 2}), zeros({2})),
                         "linear: expected bias [3] to match weight [3, 2], got bias [2]", ShapeError);
    CHECK_THROWS_WITH_AS(linear(zeros({4, 2}), zeros({2})), "linear: expected weight [out, in], got weight [2]",
                         ShapeError);
  }
}

// SPDX-License-Identifier: MIT
#include "engine/ops/op_test.h"

using namespace teff;

TEST_SUITE("embedding") {
  TEST_CASE("an index gives a row, and each use of a row adds to its gradient") {
    const Tensor weight = counting({3, 2}).requires_grad_();
    const Tensor y = embedding(tensor<std::int64_t>({2, 0, 2}), weight);
    CHECK(show(y) == "float32 [3, 2]: 5 6 1 2 5 6");
    y.sum().backward();
    CHECK(show(weight.grad()) == "float32 [3, 2]: 1 1 0 0 2 2");
  }

  TEST_CASE("the row padding_idx gets no gradient, counted from either end") {
    for (const std::int64_t padding : {2, -1}) {
      const Tensor weight = counting({3, 1}).requires_grad_();
      embedding(tensor<std::int64_t>({0, 2}), weight, padding).sum().backward();
      CHECK(show(weight.grad()) == "float32 [3, 1]: 1 0 0");
    }
  }

  TEST_CASE("what is no index is refused") {
    const Tensor weight = zeros({3, 2});
    CHECK_THROWS_WITH_AS(embedding(tensor<std::int64_t>({0, 3}), weight),
                         "embedding: expected indices in [0, 3) for weight [3, 2], got 3 at index 1", IndexError);
    CHECK_THROWS_AS(embedding(tensor<std::int64_t>({-1}), weight), IndexError);
    CHECK_THROWS_WITH_AS(embedding(zeros({1}), weight),
                         "embedding: expected indices of int64, got float32; convert them with to(DType::int64)",
                         TypeError);
    CHECK_THROWS_WITH_AS(embedding(tensor<std::int64_t>({0}), zeros({3})),
                         "embedding: expected weight [V, D], got weight [3]", ShapeError);
    CHECK_THROWS_WITH_AS(embedding(tensor<std::int64_t>({0}), weight, 3),
                         "embedding: expected padding_idx in [-3, 3) for weight [3, 2], got 3", IndexError);
    CHECK_THROWS_AS(embedding(tensor<std::int64_t>({0}), weight, kHuge), IndexError);
    CHECK_THROWS_AS(embedding(zeros({1, 1, 1, 1, 1, 1, 1, 1}, {.dtype = DType::int64}), weight), ShapeError);
  }
}

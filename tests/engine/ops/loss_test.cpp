// SPDX-License-Identifier: MIT
#include "op_test.h"

using namespace teff;

TEST_SUITE("losses") {
  TEST_CASE("nll_loss picks the target's entry of each row") {
    const Tensor x = tensor<float>({-1, -2, -3, -4, -5, -6}, {2, 3});
    const Tensor target = tensor<std::int64_t>({2, 0});
    CHECK(show(nll_loss(x, target, Reduction::none)) == "float32 [2]: 3 4");
    CHECK(show(nll_loss(x, target, Reduction::sum)) == "float32 []: 7");
    CHECK(show(nll_loss(x, target)) == "float32 []: 3.5");
  }

  TEST_CASE("nll_loss takes dimensions after the classes") {
    const Tensor x = leaf({-1, -2, -3, -4}, {1, 2, 2});
    const Tensor loss = nll_loss(x, tensor<std::int64_t>({1, 0}, {1, 2}));
    CHECK(show(loss) == "float32 []: 2.5");
    loss.backward();
    CHECK(show(x.grad()) == "float32 [1, 2, 2]: 0 -0.5 -0.5 0");
  }

  TEST_CASE("a target that is no class is named before anything is computed") {
    CHECK_THROWS_WITH_AS(nll_loss(zeros({2, 10}), tensor<std::int64_t>({9, 10})),
                         "nll_loss: expected targets in [0, 10), got 10 at index 1", IndexError);
    CHECK_THROWS_WITH_AS(cross_entropy(zeros({1, 10}), tensor<std::int64_t>({-1})),
                         "nll_loss: expected targets in [0, 10), got -1 at index 0", IndexError);
  }

  TEST_CASE("shapes and dtypes must fit") {
    const Tensor logits = zeros({2, 10});
    CHECK_THROWS_WITH_AS(
        cross_entropy(logits, zeros({2})),
        "cross_entropy: expected target of int64 class indices, got float32; convert it with "
        "to(DType::int64)",
        TypeError);
    CHECK_THROWS_WITH_AS(cross_entropy(logits, tensor<std::int64_t>({1, 2, 3})),
                         "cross_entropy: expected target [2] to match input [2, 10], got target [3]",
                         ShapeError);
    CHECK_THROWS_WITH_AS(nll_loss(zeros({10}), tensor<std::int64_t>({1})),
                         "nll_loss: expected input [N, C, ...], got input [10]", ShapeError);
    CHECK_THROWS_WITH_AS(mse_loss(zeros({2, 1}), zeros({2})),
                         "mse_loss: expected target [2, 1] to match input [2, 1], got target [2]",
                         ShapeError);
  }

  TEST_CASE("mse_loss") {
    const Tensor a = leaf({1, 2}, {2}), b = leaf({3, 5}, {2});
    CHECK(show(mse_loss(a, b, Reduction::none)) == "float32 [2]: 4 9");
    CHECK(show(mse_loss(a, b, Reduction::sum)) == "float32 []: 13");
    mse_loss(a, b).backward();
    CHECK(show(a.grad()) == "float32 [2]: -2 -3");
    CHECK(show(b.grad()) == "float32 [2]: 2 3");
  }

  TEST_CASE("the mean over nothing is NaN") {
    CHECK(show(mse_loss(zeros({0}), zeros({0}))) == "float32 []: nan");
    CHECK(show(nll_loss(zeros({0, 3}), zeros({0}, {.dtype = DType::int64}))) == "float32 []: nan");
  }

  TEST_CASE("a reduction has a name in files") {
    const auto op = make_op("mse_loss", {{"reduction", "sum"}});
    CHECK(op->attributes() == Dict{{"reduction", "sum"}});
    CHECK_THROWS_WITH(make_op("mse_loss", {{"reduction", "median"}}),
                      doctest::Contains("expected \"none\", \"mean\" or \"sum\", got \"median\""));
  }
}

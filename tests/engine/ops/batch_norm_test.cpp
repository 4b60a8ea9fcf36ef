// SPDX-License-Identifier: MIT
#include "engine/ops/op_test.h"

using namespace teff;

TEST_SUITE("batch_norm") {
  TEST_CASE("evaluation uses the running statistics and leaves them") {
    const Tensor x = tensor<float>({1, 3, 5, 7}, {2, 2}), mean = tensor<float>({1, 3}), var = tensor<float>({4, 16});
    const Tensor y = batch_norm(x, mean, var, tensor<float>({1, 10}), tensor<float>({0, 5}), {.eps = 0});
    CHECK(show(y) == "float32 [2, 2]: 0 5 2 15");
    CHECK(show(mean) == "float32 [2]: 1 3");
  }

  TEST_CASE("training uses the batch and moves the running statistics, the variance unbiased") {
    const Tensor x = tensor<float>({1, 5}, {2, 1}), mean = tensor<float>({1}), var = tensor<float>({4});
    const Tensor y = batch_norm(x, mean, var, {}, {}, {.training = true, .momentum = 0.5, .eps = 0});
    CHECK(show(y) == "float32 [2, 1]: -1 1");
    CHECK(show(mean) == "float32 [1]: 2");
    CHECK(show(var) == "float32 [1]: 6");
  }

  TEST_CASE("weight, bias and, in training, the running statistics may be left out") {
    const Tensor x = tensor<float>({1, 5}, {2, 1}), weight = tensor<float>({3}), bias = tensor<float>({7});
    const BatchNormOptions options{.training = true, .eps = 0};
    CHECK(show(batch_norm(x, {}, {}, weight, {}, options)) == "float32 [2, 1]: -3 3");
    CHECK(show(batch_norm(x, {}, {}, {}, bias, options)) == "float32 [2, 1]: 6 8");
    CHECK_THROWS_WITH_AS(batch_norm(x, {}, {}),
                         "batch_norm: expected running_mean and running_var both, or neither in training, got neither "
                         "in evaluation",
                         ValueError);
  }

  TEST_CASE("a changed running statistic is noticed by a backward that needs it") {
    const Tensor x = leaf({1, 5}, {2, 1}), mean = tensor<float>({0}), var = tensor<float>({1});
    const Tensor first = batch_norm(x, mean, var).sum();
    batch_norm(x, mean, var, {}, {}, {.training = true});
    CHECK_THROWS_AS(first.backward(), Error);
  }

  TEST_CASE("a training backward does not mind that the statistics moved on") {
    const Tensor x = leaf({1, 5}, {2, 1}), mean = tensor<float>({0}), var = tensor<float>({1});
    const Tensor first = batch_norm(x, mean, var, {}, {}, {.training = true}).sum();
    batch_norm(x, mean, var, {}, {}, {.training = true});
    CHECK_NOTHROW(first.backward());
  }

  TEST_CASE("refuses what does not fit") {
    const Tensor s = ones({3});
    CHECK_THROWS_WITH_AS(batch_norm(zeros({1, 3, 1, 1}), s, s, {}, {}, {.training = true}),
                         "batch_norm: expected more than 1 value per channel when training, got input size "
                         "[1, 3, 1, 1]",
                         ShapeError);
    CHECK_THROWS_WITH_AS(batch_norm(zeros({2, 4}), s, s),
                         "batch_norm: expected running_mean [4] to match input [2, 4], got running_mean [3]",
                         ShapeError);
    CHECK_THROWS_WITH_AS(batch_norm(zeros({2, 3}), s, s, {}, zeros({2})),
                         "batch_norm: expected bias [3] to match input [2, 3], got bias [2]", ShapeError);
    CHECK_THROWS_WITH_AS(batch_norm(zeros({3}), s, s), "batch_norm: expected input [N, C, ...], got input [3]",
                         ShapeError);
    CHECK_THROWS_WITH_AS(batch_norm(zeros({2, 3}), s, s, {}, {}, {.eps = -1}),
                         "batch_norm: expected a finite eps of at least 0, got -1", ValueError);
    CHECK_THROWS_AS(batch_norm(zeros({2, 3}), s, s, {}, {}, {.momentum = kNan}), ValueError);
    CHECK(batch_norm(zeros({0, 3}), s, s, {}, {}, {.training = true}).shape() == Shape{0, 3});
  }
}

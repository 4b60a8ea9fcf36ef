// SPDX-License-Identifier: MIT
#include "engine/ops/op_test.h"

using namespace teff;

TEST_SUITE("reductions") {
  TEST_CASE("any dimensions, counted from either end, with and without keepdim") {
    const Tensor x = counting({2, 3, 2});
    CHECK(show(sum(x)) == "float32 []: 78");
    CHECK(show(sum(x, {0, 2})) == "float32 [3]: 18 26 34");
    CHECK(show(sum(x, {0, -1}, true)) == "float32 [1, 3, 1]: 18 26 34");
    CHECK(show(amax(x, 1)) == "float32 [2, 2]: 5 6 11 12");
    CHECK(show(mean(x, {1, 2})) == "float32 [2]: 3.5 9.5");
  }

  TEST_CASE("a tensor without dimensions counts as having one") {
    CHECK(show(sum(scalar_tensor(3.0f), 0)) == "float32 []: 3");
    CHECK(show(argmax(scalar_tensor(3.0f), -1)) == "int64 []: 0");
  }

  TEST_CASE("the sum of nothing is 0, its mean NaN, its maximum an error") {
    const Tensor none = zeros({0, 2});
    CHECK(show(sum(none, 0)) == "float32 [2]: 0 0");
    CHECK(show(mean(none)) == "float32 []: nan");
    CHECK(show(amax(none, 1)) == "float32 [0]:");
    CHECK_THROWS_WITH_AS(
        amax(none, 0), "max: expected at least one element to choose from, got input [0, 2] and dimension 0 to reduce",
        ShapeError);
    CHECK_THROWS_AS(argmax(none), ShapeError);
  }

  TEST_CASE("integers and bools sum to int64; their mean needs a conversion") {
    CHECK(show(sum(tensor<std::uint8_t>({200, 100}))) == "int64 []: 300");
    CHECK(show(sum(tensor<std::int64_t>({1, 2, 3, 4}, {2, 2}), 0)) == "int64 [2]: 4 6");
    CHECK(show(sum(counting({3}) > 1.0)) == "int64 []: 2");
    CHECK(show(max(tensor<std::int64_t>({4, -9, 2}))) == "int64 []: 4");
    CHECK_THROWS_WITH_AS(mean(tensor<std::int64_t>({1})),
                         "mean: expected float32 or float64, got int64; convert with to(DType::float32)", TypeError);
  }

  TEST_CASE("dimensions must exist, each once") {
    CHECK_THROWS_WITH_AS(sum(zeros({2, 3}), 2), "sum: expected a dimension in [-2, 2) for input [2, 3], got 2",
                         IndexError);
    CHECK_THROWS_WITH_AS(sum(zeros({2, 3}), {1, -1}),
                         "sum: expected every dimension once, got dims [1, -1] for input [2, 3]", ValueError);
  }

  TEST_CASE("equal maxima share the gradient") {
    const Tensor x = leaf({1, 3, 3, 2, 0, 1}, {2, 3});
    amax(x, 1).sum().backward();
    CHECK(show(x.grad()) == "float32 [2, 3]: 0 0.5 0.5 1 0 0");
  }

  TEST_CASE("NaN is the maximum and the minimum, and gets the gradient") {
    const Tensor x = leaf({1, float(kNan), 3}, {3});
    const Tensor y = max(x);
    y.backward();
    CHECK(std::isnan(y.item<float>()));
    CHECK(std::isnan(min(x).item<float>()));
    CHECK(show(argmax(x)) == "int64 []: 1");
    CHECK(show(x.grad()) == "float32 [3]: 0 1 0");
  }

  TEST_CASE("argmax gives the first of equals, of the flattened tensor if no dimension is given") {
    const Tensor x = tensor<float>({1, 5, 5, 7, 0, 7}, {2, 3});
    CHECK(show(argmax(x)) == "int64 []: 3");
    CHECK(show(argmax(x, 1)) == "int64 [2]: 1 0");
    CHECK(show(argmax(x, 0, true)) == "int64 [1, 3]: 1 0 1");
    CHECK(show(argmax(x, {}, true)) == "int64 [1, 1]: 3");
    CHECK(show(argmax(tensor<std::int64_t>({3, 9, 9}))) == "int64 []: 1");
  }
}

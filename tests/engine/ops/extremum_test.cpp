// SPDX-License-Identifier: MIT
#include "engine/ops/op_test.h"

using namespace teff;

TEST_SUITE("max and min with indices") {
  TEST_CASE("values and places along a dimension, counted from either end, with and without keepdim") {
    const Tensor x = tensor<float>({3, 1, 2, 6, 5, 4}, {2, 3});
    const auto [values, indices] = max(x, 1);
    CHECK(show(values) == "float32 [2]: 3 6");
    CHECK(show(indices) == "int64 [2]: 0 0");
    CHECK(show(x.min(-1, true).values) == "float32 [2, 1]: 1 4");
    CHECK(show(x.min(-1, true).indices) == "int64 [2, 1]: 1 2");
    CHECK(show(x.max(0).values) == "float32 [3]: 6 5 4");
    CHECK(show(x.min(0).indices) == "int64 [3]: 0 0 0");
    const Tensor y = counting({2, 3, 2});
    CHECK(show(y.max(1).values) == "float32 [2, 2]: 5 6 11 12");
    CHECK(show(y.max(1).indices) == "int64 [2, 2]: 2 2 2 2");
  }

  TEST_CASE("the first of equals, float64 and int64 too") {
    CHECK(show(max(tensor<double>({1, 7, 7}), 0).indices) == "int64 []: 1");
    CHECK(show(min(tensor<double>({2, 1, 1, 5}), 0).indices) == "int64 []: 1");
    const auto [values, indices] = max(tensor<std::int64_t>({4, -9, 9, 9}, {2, 2}), 0);
    CHECK(show(values) == "int64 [2]: 9 9");
    CHECK(show(indices) == "int64 [2]: 1 1");
    CHECK(show(max(tensor<float>({-0.0f, 0.0f}), 0).indices) == "int64 []: 0");
  }

  TEST_CASE("the first NaN is maximum and minimum") {
    const Tensor x = tensor<float>({1, float(kNan), 3, float(kNan)}, {4});
    CHECK(show(max(x, 0).indices) == "int64 []: 1");
    CHECK(show(min(x, 0).indices) == "int64 []: 1");
    CHECK(std::isnan(max(x, 0).values.item<float>()));
    CHECK(std::isnan(min(x.view({2, 2}), 0).values.span<float>()[1]));
    CHECK(show(min(x.view({2, 2}), 0).indices) == "int64 [2]: 0 0");
  }

  TEST_CASE("a tensor without dimensions counts as having one, and no rows have no maxima") {
    CHECK(show(max(scalar_tensor(3.0f), -1).values) == "float32 []: 3");
    CHECK(show(max(scalar_tensor(3.0f), 0).indices) == "int64 []: 0");
    CHECK(show(max(zeros({0, 2}), 1).values) == "float32 [0]:");
    CHECK(show(max(zeros({2, 0, 3}), 0, true).indices) == "int64 [1, 0, 3]:");
    CHECK_THROWS_WITH_AS(max(zeros({0, 2}), 0),
                         "max_with_indices: expected at least one element to choose from, got input [0, 2] and "
                         "dimension 0 to reduce",
                         ShapeError);
    CHECK_THROWS_WITH_AS(min(zeros({2, 3}), 2),
                         "min_with_indices: expected a dimension in [-2, 2) for input [2, 3], got 2", IndexError);
    CHECK_THROWS_AS(max(zeros({2}, {.dtype = DType::uint16}), 0), TypeError);
  }

  TEST_CASE("the gradient goes to the element that was taken, and the indices have none") {
    const Tensor x = leaf({1, 3, 3, 2, 0, 1}, {2, 3});
    const auto [values, indices] = max(x, 1);
    CHECK(values.requires_grad());
    CHECK_FALSE(indices.requires_grad());
    CHECK(indices.is_leaf());
    (values * values).sum().backward();
    CHECK(show(x.grad()) == "float32 [2, 3]: 0 6 0 4 0 0");
    const Tensor y = leaf({1, 3, 3, 2, 0, 1}, {2, 3});
    min(y, 0, true).values.backward(tensor<float>({5, 6, 7}, {1, 3}));
    CHECK(show(y.grad()) == "float32 [2, 3]: 5 0 0 0 6 7");
  }

  TEST_CASE("max and min of the whole tensor are one number") {
    const Tensor x = counting({2, 3});
    CHECK(show(max(x)) == "float32 []: 6");
    CHECK(show(x.min()) == "float32 []: 1");
    CHECK(show(x.amax({0, 1})) == "float32 []: 6");
    CHECK(show(x.amin(-1, true)) == "float32 [2, 1]: 1 4");
  }
}

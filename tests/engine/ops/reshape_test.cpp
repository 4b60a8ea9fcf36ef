// SPDX-License-Identifier: MIT
#include "engine/ops/op_test.h"

using namespace teff;

TEST_SUITE("view") {
  TEST_CASE("shares elements, and finds the size that is -1") {
    const Tensor x = counting({2, 3, 4});
    CHECK(x.view({4, -1}).shape() == Shape{4, 6});
    CHECK(x.view(-1).shares_memory_with(x));
    CHECK(zeros({0, 3}).view({-1, 3}).shape() == Shape{0, 3});
    CHECK(zeros({0, 3}).view({2, -1}).shape() == Shape{2, 0});
  }

  TEST_CASE("refuses shapes for another number of elements") {
    const Tensor x = zeros({2, 3, 4});
    CHECK_THROWS_WITH_AS(x.view({5, -1}), "view: expected a shape for 24 elements, got [5, -1]", ShapeError);
    CHECK_THROWS_WITH_AS(x.view({25}), "view: expected a shape for 24 elements, got [25]", ShapeError);
    CHECK_THROWS_WITH_AS(x.view({-1, -1}), "view: expected a shape for 24 elements, got [-1, -1]", ShapeError);
    CHECK_THROWS_WITH_AS(x.view({-2, -12}), "view: expected a shape for 24 elements, got [-2, -12]", ShapeError);
    CHECK_THROWS_WITH_AS(x.view({0, -1}), "view: expected a shape for 24 elements, got [0, -1]", ShapeError);
    CHECK_THROWS_AS(x.view({kHuge, kHuge}), ShapeError);
    CHECK_THROWS_WITH_AS(zeros({0, 3}).view({0, -1}),
                         "view: expected a shape for 0 elements whose other sizes are not 0, so that -1 can be told, "
                         "got [0, -1]",
                         ShapeError);
  }

  TEST_CASE("flatten, squeeze and unsqueeze are views") {
    const Tensor x = zeros({2, 1, 3, 1});
    CHECK(flatten(x).shape() == Shape{6});
    CHECK(flatten(x, 1, -2).shape() == Shape{2, 3, 1});
    CHECK(flatten(scalar_tensor(1.0f)).shape() == Shape{1});
    CHECK(squeeze(x).shape() == Shape{2, 3});
    CHECK(squeeze(x, -1).shape() == Shape{2, 1, 3});
    CHECK(squeeze(x, 0).shape() == Shape{2, 1, 3, 1});
    CHECK(unsqueeze(x, -1).shape() == Shape{2, 1, 3, 1, 1});
    CHECK(unsqueeze(scalar_tensor(1.0f), 0).shape() == Shape{1});
    CHECK(flatten(x).shares_memory_with(x));
  }

  TEST_CASE("their dimensions must exist") {
    const Tensor x = zeros({2, 3});
    CHECK_THROWS_WITH_AS(flatten(x, 2), "flatten: expected a dimension in [-2, 2) for input [2, 3], got 2", IndexError);
    CHECK_THROWS_WITH_AS(flatten(x, 1, 0),
                         "flatten: expected start_dim not after end_dim, got 1 and 0 for input [2, 3]", ValueError);
    CHECK_THROWS_WITH_AS(unsqueeze(x, 3), "unsqueeze: expected a dimension in [-3, 3) for input [2, 3], got 3",
                         IndexError);
    CHECK_THROWS_AS(squeeze(x, 2), IndexError);
  }
}

TEST_SUITE("permute") {
  TEST_CASE("moves elements of every size") {
    const Tensor x = counting({2, 3});
    CHECK(show(x.t()) == "float32 [3, 2]: 1 4 2 5 3 6");
    CHECK(show(x.to(DType::int8).t()) == "int8 [3, 2]: 1 4 2 5 3 6");
    CHECK(show(x.to(DType::float16).t()) == "float16 [3, 2]: 1 4 2 5 3 6");
    CHECK(show(x.to(DType::int64).t()) == "int64 [3, 2]: 1 4 2 5 3 6");
    CHECK(show(permute(counting({1, 2, 1, 3}), {3, 2, 1, 0})) == "float32 [3, 1, 2, 1]: 1 4 2 5 3 6");
  }

  TEST_CASE("larger than a tile, with a batch before and a block behind") {
    const Tensor x = counting({3, 70, 45, 2}), y = transpose(x, 1, 2);
    bool equal = true;
    for (std::int64_t n = 0; n < 3; ++n)
      for (std::int64_t i = 0; i < 70; ++i)
        for (std::int64_t j = 0; j < 45; ++j)
          for (std::int64_t k = 0; k < 2; ++k)
            equal = equal && x.data<float>()[((n * 70 + i) * 45 + j) * 2 + k] ==
                                 y.data<float>()[((n * 45 + j) * 70 + i) * 2 + k];
    CHECK(equal);
  }

  TEST_CASE("the gradient moves back") {
    const Tensor x = leaf({1, 2, 3, 4, 5, 6}, {1, 2, 3});
    (permute(x, {2, 0, -2}) * counting({3, 1, 2})).sum().backward();
    CHECK(show(x.grad()) == "float32 [1, 2, 3]: 1 3 5 2 4 6");
  }

  TEST_CASE("needs every dimension once") {
    const Tensor x = zeros({2, 3});
    for (const IntList& dims : {IntList{0}, IntList{0, 0}, IntList{0, 2}, IntList{0, -2}, IntList{0, 1, 2}}) {
      CHECK_THROWS_WITH_AS(
          permute(x, dims),
          ("permute: expected every dimension of input [2, 3] once, got dims " + to_string(dims)).c_str(), ShapeError);
    }
    CHECK_THROWS_WITH_AS(transpose(x, 0, 2), "transpose: expected a dimension in [-2, 2) for input [2, 3], got 2",
                         IndexError);
    CHECK_THROWS_AS(zeros({1, 2, 3}).t(), ShapeError);
  }
}

TEST_SUITE("expand") {
  TEST_CASE("repeats sizes of 1, and adds dimensions in front") {
    const Tensor x = tensor<float>({1, 2}, {2, 1});
    CHECK(show(expand(x, {-1, 2})) == "float32 [2, 2]: 1 1 2 2");
    CHECK(show(expand(x, {2, 2, 1})) == "float32 [2, 2, 1]: 1 2 1 2");
    CHECK(show(expand(x, {2, 0})) == "float32 [2, 0]:");
  }

  TEST_CASE("the gradient is the sum over the copies") {
    const Tensor x = leaf({1, 2}, {2, 1});
    expand(x, {5, 2, 3}).sum().backward();
    CHECK(show(x.grad()) == "float32 [2, 1]: 15 15");
  }

  TEST_CASE("refuses what would lose elements or has no size") {
    const Tensor x = zeros({2, 1});
    for (const Shape& shape : {Shape{3, 1}, Shape{1}, Shape{-1, 2, 1}, Shape{2, -2}, Shape{0, 1}}) {
      CHECK_THROWS_WITH_AS(expand(x, shape),
                           ("expand: expected a shape that repeats sizes of 1 of input [2, 1] and keeps the "
                            "others (or -1), got " +
                            to_string(shape))
                               .c_str(),
                           ShapeError);
    }
    CHECK_THROWS_AS(expand(x, {kHuge, 2, 1}), ShapeError);
  }
}

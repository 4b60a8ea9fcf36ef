// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <type_traits>

#include "support/same.h"
#include "teff/engine/autograd.h"
#include "teff/engine/error.h"
#include "teff/engine/ops.h"

using namespace teff;
using teff::testing::same;

TEST_SUITE("creation") {
  TEST_CASE("creation fills as its name says") {
    CHECK(same(ones({2}), tensor<float>({1, 1})));
    CHECK(same(full({2}, 2.5), tensor<float>({2.5, 2.5})));
    CHECK(same(eye(2), tensor<float>({{1, 0}, {0, 1}})));
    CHECK(same(arange(3), tensor<std::int64_t>({0, 1, 2})));
    CHECK(same(arange(1, 2, 0.25, {.dtype = DType::float32}), tensor<float>({1, 1.25, 1.5, 1.75})));
    CHECK(same(arange(3, 0, -1), tensor<std::int64_t>({3, 2, 1})));
    CHECK(arange(0).shape() == Shape{0});
    CHECK(same(zeros_like(ones({2}, {.dtype = DType::bool_})), tensor<bool>({false, false})));
    CHECK(tensor<float>({{1, 2, 3}, {4, 5, 6}}).shape() == Shape{2, 3});
    CHECK(scalar_tensor(3.f).shape() == Shape{});
    CHECK(zeros({2}, {.requires_grad = true}).requires_grad());
  }

  TEST_CASE("a tensor of values has their type, or the one that is named") {
    CHECK(same(tensor({1.5, 2.0}), tensor<float>({1.5, 2})));
    CHECK(same(tensor({1, 2}), tensor<std::int64_t>({1, 2})));
    CHECK(same(tensor({true, false}), tensor<bool>({true, false})));
    CHECK(same(tensor({1, 2.5}), tensor<float>({1, 2.5})));  // as Python does
    CHECK(same(tensor({true, 2}), tensor<std::int64_t>({1, 2})));
    CHECK(same(tensor({{1, 2}, {3, 4}}), tensor<std::int64_t>({1, 2, 3, 4}, {2, 2})));
    CHECK(same(tensor({{1, 2}, {3, 4.5}}), tensor<float>({1, 2, 3, 4.5}, {2, 2})));
    CHECK(same(tensor({1.F, 2.F}, {2, 1}), tensor<float>({{1}, {2}})));
    CHECK(tensor({{{1, 2}, {3, 4}}, {{5, 6}, {7, 8}}, {{9, 0}, {1, 2}}}).type() == TensorType{{3, 2, 2}, DType::int64});
    CHECK(tensor({9007199254740993}).item<std::int64_t>() == 9007199254740993);
    CHECK(tensor({}).type() == TensorType{{0}, DType::float32});
    CHECK(tensor<std::int8_t>({}).type() == TensorType{{0}, DType::int8});
    CHECK(tensor(std::vector<double>{0.1}).data<double>()[0] == 0.1);  // vectors keep their type
    CHECK(tensor(std::vector<std::int32_t>{1}).dtype() == DType::int32);
    CHECK(tensor<double>({0.1}).data<double>()[0] == 0.1);
    CHECK(scalar_tensor(1.5).type() == TensorType{{}, DType::float32});
    CHECK(scalar_tensor(2).type() == TensorType{{}, DType::int64});
    CHECK(scalar_tensor(true).type() == TensorType{{}, DType::bool_});
    CHECK(scalar_tensor<double>(1.5).type() == TensorType{{}, DType::float64});
    CHECK(tensor<float>({1, 2}).dtype() == DType::float32);
    CHECK(tensor<double>({{1}, {2}}).type() == TensorType{{2, 1}, DType::float64});  // not two numbers in braces
  }

  TEST_CASE("creation refuses what cannot be, in exact words") {
    CHECK_THROWS_WITH_AS(zeros({2, -1}), "zeros: expected sizes of at least 0, got [2, -1]", ShapeError);
    CHECK_THROWS_AS(zeros({std::int64_t{1} << 40, std::int64_t{1} << 40}), ShapeError);
    CHECK_THROWS_WITH_AS(tensor<float>({1, 2, 3}, Shape{2, 2}), "tensor: expected 4 values for shape [2, 2], got 3",
                         ShapeError);
    CHECK_THROWS_WITH_AS(tensor<float>({{1, 2}, {3}}), "tensor: expected rows of 2 values, got one of 1", ShapeError);
    CHECK_THROWS_WITH_AS(tensor({{{1, 2}}, {{3}}}), "tensor: expected parts of equal shape, got [1, 2] and [1, 1]",
                         ShapeError);
    CHECK_THROWS_AS(tensor({{1, 2}, 3}), ShapeError);
    CHECK_THROWS_WITH_AS(tensor<std::int8_t>({300}), "tensor: expected whole numbers of 8 bits, got 300", ValueError);
    CHECK_THROWS_WITH_AS(tensor<std::uint8_t>({-1}), "tensor: expected whole numbers of 8 bits without a sign, got -1",
                         ValueError);
    CHECK_THROWS_WITH_AS(randn({2}, {.dtype = DType::int64}), "randn: expected dtype float32 or float64, got int64",
                         TypeError);
    CHECK_THROWS_AS(zeros(Shape{1, 1, 1, 1, 1, 1, 1, 1, 1}), ShapeError);
  }

  TEST_CASE("arange has the dtype of its arguments") {
    CHECK(same(arange(1, 4), tensor({1, 2, 3})));
    CHECK(same(arange(0, 1, 0.25), tensor<float>({0, 0.25, 0.5, 0.75})));
    CHECK(same(arange(1.5, 3.5), tensor<float>({1.5, 2.5})));
    CHECK(same(arange(2.5), tensor<float>({0, 1, 2})));
    CHECK(same(arange(3.0), tensor<float>({0, 1, 2})));
    CHECK(arange(0, 1, 0.1).type() == TensorType{{10}, DType::float32});
    CHECK(arange(0, 1, 0.1).data<float>()[9] == 0.9F);
    CHECK(arange(0, 1, 0.3).numel() == 4);  // ceil, in double
    CHECK(arange(0., 1., 0.1, {.dtype = DType::float64}).data<double>()[3] == 0.1 * 3);
    CHECK(same(arange(1.0, 4.0, 1, {.dtype = DType::int64}), tensor({1, 2, 3})));
    CHECK(same(arange(1, 4, 1, {.dtype = DType::uint8}), tensor<std::uint8_t>({1, 2, 3})));
    CHECK(same(arange(10, 0, -4), tensor({10, 6, 2})));
    CHECK(same(arange(0, -1, -0.5), tensor<float>({0, -0.5})));
    CHECK(arange(5, 5).numel() == 0);
    CHECK(same(arange(INT64_MAX - 2, INT64_MAX), tensor({INT64_MAX - 2, INT64_MAX - 1})));
    CHECK(same(arange(INT64_MIN, INT64_MAX, INT64_MAX), tensor({INT64_MIN, std::int64_t{-1}, INT64_MAX - 1})));
    CHECK(arange(0, 2, 1, {.dtype = DType::float32, .requires_grad = true}).requires_grad());
  }

  TEST_CASE("arange refuses what has no end, no place or no such numbers") {
    CHECK_THROWS_WITH_AS(
        arange(0, 1, -1),
        "arange: expected finite numbers with a step from start towards end, got start 0, end 1, step -1", ValueError);
    CHECK_THROWS_AS(arange(1, 0), ValueError);
    CHECK_THROWS_AS(arange(-1), ValueError);
    CHECK_THROWS_AS(arange(0, 1, 0), ValueError);
    CHECK_THROWS_AS(arange(0, 1, 0.0), ValueError);
    CHECK_THROWS_AS(arange(0, 1, -0.5), ValueError);
    CHECK_THROWS_AS(arange(0, INFINITY, 1), ValueError);
    CHECK_THROWS_AS(arange(NAN, 1, 1), ValueError);
    CHECK_THROWS_AS(arange(0, 1, NAN), ValueError);
    CHECK_THROWS_AS(arange(-1.7e308, 1.7e308, 1.0), ShapeError);
    CHECK_THROWS_AS(arange(0, 1, 1e-300), ShapeError);
    CHECK_THROWS_AS(arange(std::int64_t{1} << 49), ShapeError);
    CHECK_THROWS_WITH_AS(arange(0, 1, 0.1, {.dtype = DType::int64}),
                         "arange: expected whole numbers below 2^53 for int64, got start 0.000000, end 1.000000, step "
                         "0.100000",
                         ValueError);
    CHECK_THROWS_WITH_AS(arange(250, 260, 1, {.dtype = DType::uint8}),
                         "arange: expected numbers in the range of uint8, got 256", ValueError);
    CHECK_THROWS_WITH_AS(arange(0, 2, 1, {.dtype = DType::bool_}), "arange: expected a dtype of numbers, got bool",
                         TypeError);
  }

  TEST_CASE("a number for all elements is what was given, or is refused") {
    const std::int64_t odd = 9007199254740993;  // no double
    CHECK(full({1}, odd, {.dtype = DType::int64}).item<std::int64_t>() == odd);
    CHECK(zeros({1}, {.dtype = DType::int64}).fill_(odd).item<std::int64_t>() == odd);
    CHECK(full({1}, 2.7, {.dtype = DType::int64}).item<int>() == 2);  // as in PyTorch
    CHECK(full({1}, -2.7, {.dtype = DType::int8}).item<int>() == -2);
    CHECK(full({1}, -0.5, {.dtype = DType::uint8}).item<int>() == 0);
    CHECK(full({1}, 0.5, {.dtype = DType::bool_}).item<bool>());
    CHECK(full({1}, 255.9, {.dtype = DType::uint8}).item<int>() == 255);
    CHECK_THROWS_WITH_AS(full({1}, 300, {.dtype = DType::uint8}),
                         "full: expected a value in the range of uint8, got 300", ValueError);
    CHECK_THROWS_WITH_AS(full({1}, -1, {.dtype = DType::uint8}), "full: expected a value in the range of uint8, got -1",
                         ValueError);
    CHECK_THROWS_WITH_AS(full({1}, 1e30, {.dtype = DType::int64}),
                         "full: expected a value in the range of int64, got 1e+30", ValueError);
    CHECK_THROWS_WITH_AS(full({1}, NAN, {.dtype = DType::int32}),
                         "full: expected a value in the range of int32, got nan", ValueError);
    const Tensor x = zeros({2}, {.dtype = DType::int8});
    CHECK_THROWS_WITH_AS(x.fill_(128), "fill_: expected a value in the range of int8, got 128", ValueError);
    CHECK_THROWS_AS(x.fill_(INFINITY), ValueError);
    CHECK(same(x, zeros({2}, {.dtype = DType::int8})));
    CHECK_THROWS_WITH_AS(pad(x, {1, 1}, 200), "pad: expected a value in the range of int8, got 200", ValueError);
  }
}

// SPDX-License-Identifier: MIT
#include "engine/ops/op_test.h"

using namespace teff;

TEST_SUITE("binary operations") {
  TEST_CASE("shapes broadcast from the last dimension on") {
    const Tensor row = tensor<float>({1, 2, 3}), column = tensor<float>({10, 20}, {2, 1});
    CHECK(show(row + column) == "float32 [2, 3]: 11 12 13 21 22 23");
    CHECK(show(row * scalar_tensor(2.0f)) == "float32 [3]: 2 4 6");
    CHECK(show(zeros({0, 3}) + zeros({1, 3})) == "float32 [0, 3]:");
    CHECK(show(zeros({2, 0}) + zeros({1})) == "float32 [2, 0]:");
  }

  TEST_CASE("shapes that do not broadcast are named") {
    const char* text = "add: expected shapes that broadcast (from the last dimension on equal, or one of them 1), "
                       "got [2, 3] and [4]";
    CHECK_THROWS_WITH_AS(zeros({2, 3}) + zeros({4}), text, ShapeError);
    CHECK_THROWS_AS(zeros({0, 3}) + zeros({2, 3}), ShapeError);
  }

  TEST_CASE("dtypes must be equal") {
    const Tensor f = zeros({2}), i = zeros({2}, {.dtype = DType::int64});
    CHECK_THROWS_WITH_AS(f + i, "add: expected tensors of one dtype, got float32 and int64; convert one with to()",
                         TypeError);
    CHECK_THROWS_WITH_AS(i / i, "div: expected float32 or float64, got int64; convert with to(DType::float32)",
                         TypeError);
  }

  TEST_CASE("int64 adds, multiplies and compares, and wraps around") {
    const Tensor a = tensor<std::int64_t>({7, -2, std::numeric_limits<std::int64_t>::max()});
    const Tensor b = tensor<std::int64_t>({2, 5, 1});
    CHECK(show(a + b) == "int64 [3]: 9 3 -9223372036854775808");
    CHECK(show(a * b) == "int64 [3]: 14 -10 9223372036854775807");
    CHECK(show(maximum(a, b)) == "int64 [3]: 7 5 9223372036854775807");
    CHECK(show(minimum(a, b)) == "int64 [3]: 2 -2 1");
    CHECK(show(10 - b) == "int64 [3]: 8 5 9");
  }

  TEST_CASE("a number with int64 must be whole") {
    CHECK_THROWS_WITH_AS(zeros({1}, {.dtype = DType::int64}) + 2.5,
                         "add: expected a whole number to go with int64, got 2.5; convert the tensor with "
                         "to(DType::float32)",
                         TypeError);
    CHECK_THROWS_AS(zeros({1}, {.dtype = DType::int64}) * kNan, TypeError);
  }

  TEST_CASE("gradients are summed over what was broadcast") {
    const Tensor a = leaf({1, 2, 3}, {3}), b = leaf({10, 20}, {2, 1}), c = leaf({5}, {});
    ((a - b) * c).sum().backward();
    CHECK(show(a.grad()) == "float32 [3]: 10 10 10");
    CHECK(show(b.grad()) == "float32 [2, 1]: -15 -15");
    CHECK(show(c.grad()) == "float32 []: -78");
  }

  TEST_CASE("equal values share the gradient of maximum and minimum") {
    const Tensor a = leaf({1, 3, 5}, {3}), b = leaf({2, 3, 4}, {3});
    maximum(a, b).sum().backward();
    CHECK(show(a.grad()) == "float32 [3]: 0 0.5 1");
    CHECK(show(b.grad()) == "float32 [3]: 1 0.5 0");
  }

  TEST_CASE("pow has PyTorch's gradients at 0") {
    const Tensor base = leaf({0, 2, 0}, {3}), exponent = leaf({2, 0, 0}, {3});
    pow(base, exponent).sum().backward();
    CHECK(show(base.grad()) == "float32 [3]: 0 0 0");
    CHECK(show(exponent.grad()) == "float32 [3]: 0 0.693147 0");
  }

  TEST_CASE("one tensor may be both operands") {
    const Tensor x = leaf({3}, {1});
    (x * x + x).sum().backward();
    CHECK(show(x.grad()) == "float32 [1]: 7");
  }
}

// SPDX-License-Identifier: MIT
#include <array>

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
    CHECK_THROWS_WITH_AS(i + i.to(kInt32),
                         "add: expected tensors of one dtype, got int64 and int32; convert one with to()", TypeError);
    CHECK_THROWS_WITH_AS(pow(i, i), "pow: expected float32 or float64, got int64; convert with to(DType::float32)",
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

  TEST_CASE("a number of a higher kind makes the result one of that kind, as it was written") {
    const Tensor whole = tensor<std::int64_t>({3, 4}), boolean = tensor<bool>({true, false});
    CHECK(show(whole + 2) == "int64 [2]: 5 6");
    CHECK(show(whole + 2.0) == "float32 [2]: 5 6");
    CHECK(show(2.5 * whole) == "float32 [2]: 7.5 10");
    CHECK(show(whole + true) == "int64 [2]: 4 5");
    CHECK(show(boolean + 2) == "int64 [2]: 3 2");
    CHECK(show(boolean * 0.5) == "float32 [2]: 0.5 0");
    CHECK(show(whole.to(kUInt8) - 5) == "uint8 [2]: 254 255");
    CHECK(show(whole.to(kHalf) * 0.1) == "float16 [2]: 0.300049 0.399902");
    CHECK(show(zeros({1}, {.dtype = kDouble}) + 0.1f) == "float64 [1]: 0.1");
    constexpr std::int64_t kBeyondDouble = (std::int64_t{1} << 53) + 1;
    CHECK(show(zeros({1}, {.dtype = kLong}) + kBeyondDouble) == "int64 [1]: 9007199254740993");
    CHECK(show(full({1}, kBeyondDouble, {.dtype = kLong}) == kBeyondDouble - 1) == "bool [1]: 0");
  }

  TEST_CASE("an operation of a file that was given a fraction refuses whole numbers") {
    const auto op = make_op("add_scalar", {{"value", 2.5}});
    CHECK_THROWS_WITH_AS(teff::apply(op, std::array{zeros({1}, {.dtype = DType::int64})}),
                         "add: expected a whole number to go with int64, got 2.5; convert the tensor with "
                         "to(DType::float32)",
                         TypeError);
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

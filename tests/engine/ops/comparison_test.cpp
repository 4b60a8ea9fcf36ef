// SPDX-License-Identifier: MIT
#include "engine/ops/op_test.h"

using namespace teff;

TEST_SUITE("comparisons") {
  TEST_CASE("give bools, of broadcast shapes and without gradient") {
    const Tensor a = leaf({1, 2, 3}, {3}), b = tensor<float>({2, 3}, {2, 1});
    CHECK(show(a < b) == "bool [2, 3]: 1 0 0 1 1 0");
    CHECK(show(a >= 2.0) == "bool [3]: 0 1 1");
    CHECK_FALSE((a == a).requires_grad());
  }

  TEST_CASE("NaN is unequal to everything") {
    const Tensor x = tensor<float>({float(kNan), 1});
    CHECK(show(x == x) == "bool [2]: 0 1");
    CHECK(show(x != x) == "bool [2]: 1 0");
  }

  TEST_CASE("a number is rounded to the elements' type if that is floating-point, and not if it is not") {
    CHECK(show(tensor<float>({0.1f}) == 0.1) == "bool [1]: 1");
    CHECK(show(tensor<std::int64_t>({2, 3}) > 2.5) == "bool [2]: 0 1");
    CHECK(show(tensor<std::int64_t>({(std::int64_t{1} << 53) + 1}) == 0x1p53) == "bool [1]: 0");
    CHECK(show(tensor<std::uint8_t>({44}) == 300) == "bool [1]: 0");
    CHECK(show(tensor<std::int64_t>({1}) < kInfinity) == "bool [1]: 1");
  }

  TEST_CASE("work for small integers, bools and half precision, not for larger unsigned ones") {
    CHECK(show(tensor<std::int8_t>({-1, 1}) < tensor<std::int8_t>({0, 0})) == "bool [2]: 1 0");
    const Tensor half = zeros({1}, {.dtype = DType::float16});
    CHECK(show(half < 1) == "bool [1]: 1");
    CHECK(show(eq(half, half)) == "bool [1]: 1");
    const Tensor large = zeros({1}, {.dtype = DType::uint16});
    CHECK_THROWS_WITH_AS(eq(large, large),
                         "eq: expected a dtype that is compared (float32, float64, bool, uint8 or a signed integer), "
                         "got uint16; convert with to(DType::int64)",
                         TypeError);
  }
}

// SPDX-License-Identifier: MIT
#include "engine/ops/op_test.h"

using namespace teff;

TEST_SUITE("pad") {
  TEST_CASE("the modes differ in what is around") {
    const Tensor x = counting({1, 4});
    CHECK(show(pad(x, {2, 1}, 9)) == "float32 [1, 7]: 9 9 1 2 3 4 9");
    CHECK(show(pad(x, {2, 1}, PadMode::constant)) == "float32 [1, 7]: 0 0 1 2 3 4 0");
    CHECK(show(pad(x, {2, 1}, PadMode::reflect)) == "float32 [1, 7]: 3 2 1 2 3 4 3");
    CHECK(show(pad(x, {2, 1}, PadMode::replicate)) == "float32 [1, 7]: 1 1 1 2 3 4 4");
    CHECK(show(pad(x, {2, 1}, PadMode::circular)) == "float32 [1, 7]: 3 4 1 2 3 4 1");
  }

  TEST_CASE("every value gets the gradients of its copies") {
    const Tensor x = counting({2, 2}).requires_grad_();
    pad(x, {1, 0, 0, 1}, PadMode::replicate).sum().backward();
    CHECK(show(x.grad()) == "float32 [2, 2]: 2 1 4 2");
  }

  TEST_CASE("every dtype can be padded with its own values") {
    CHECK(show(pad(tensor<std::int64_t>({1, 2, 3}), {1, 1}, PadMode::reflect)) == "int64 [5]: 2 1 2 3 2");
  }

  TEST_CASE("a single number has nothing to pad") {
    CHECK(show(pad(scalar_tensor(2.0f), {}, PadMode::reflect)) == "float32 []: 2");
  }

  TEST_CASE("there is no more to repeat than there is") {
    const Tensor x = zeros({1, 3});
    CHECK_THROWS_WITH_AS(pad(x, {3, 0}, PadMode::reflect),
                         "pad: expected padding of at least 0 and below the dimension's size for mode reflect, got "
                         "padding [3, 0] for input [1, 3]",
                         ValueError);
    CHECK_THROWS_WITH_AS(pad(x, {0, -1}, PadMode::replicate),
                         "pad: expected padding of at least 0 around a dimension that is not empty for mode "
                         "replicate, got padding [0, -1] for input [1, 3]",
                         ValueError);
    CHECK_THROWS_AS(pad(zeros({1, 0}), {1, 0}, PadMode::replicate), ValueError);
    CHECK_THROWS_AS(pad(x, {4, 0}, PadMode::circular), ValueError);
    CHECK_THROWS_WITH(make_op("pad", {{"mode", "mirror"}}),
                      doctest::Contains("expected \"constant\", \"reflect\", \"replicate\" or \"circular\", got "
                                        "\"mirror\""));
  }

  TEST_CASE("padding without bounds is refused") {
    CHECK_THROWS_WITH_AS(pad(zeros({2}), {kHuge, 0}, PadMode::replicate),
                         "pad: expected padding between -2^31 and 2^31, got [4611686018427387904, 0]", ValueError);
    CHECK_THROWS_AS(pad(zeros({2}), {1, 1, 1, 1}, PadMode::reflect), ShapeError);
  }
}

// SPDX-License-Identifier: MIT
#include "engine/ops/op_test.h"

using namespace teff;

TEST_SUITE("softmax") {
  TEST_CASE("over a dimension, safe for large numbers") {
    const Tensor x = tensor<float>({1000, 1000, -1000, 0}, {2, 2});
    CHECK(show(softmax(x, 1)) == "float32 [2, 2]: 0.5 0.5 0 1");
    CHECK(show(softmax(x, 0)) == "float32 [2, 2]: 1 1 0 0");
    CHECK(show(log_softmax(zeros({1, 4}), -1)) == "float32 [1, 4]: -1.38629 -1.38629 -1.38629 -1.38629");
  }

  TEST_CASE("of one number and of nothing") {
    CHECK(show(softmax(scalar_tensor(3.0f), 0)) == "float32 []: 1");
    CHECK(show(log_softmax(zeros({0, 3}), 0)) == "float32 [0, 3]:");
  }

  TEST_CASE("refuses a dimension that is not there, and integers") {
    CHECK_THROWS_WITH_AS(softmax(zeros({2, 3}), -3),
                         "softmax: expected a dimension in [-2, 2) for input [2, 3], got -3", IndexError);
    CHECK_THROWS_AS(log_softmax(tensor<std::int64_t>({1}), 0), TypeError);
  }
}

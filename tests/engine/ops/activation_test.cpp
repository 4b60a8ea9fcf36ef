// SPDX-License-Identifier: MIT
#include "engine/ops/op_test.h"

using namespace teff;

TEST_SUITE("activations") {
  TEST_CASE("relu6 is hardtanh from 0 to 6, whose gradient stops at the bounds") {
    const Tensor x = leaf({-1, 0, 3, 6, 7}, {5});
    const Tensor y = relu6(x);
    CHECK(show(y) == "float32 [5]: 0 0 3 6 6");
    y.sum().backward();
    CHECK(show(x.grad()) == "float32 [5]: 0 0 1 0 0");
  }

  TEST_CASE("gelu knows both its forms by their words") {
    const Tensor x = tensor<double>({-1, 2});
    CHECK(show(gelu(x)) == show(gelu(x, GeluApproximation::none)));
    CHECK(show(gelu(x)) != show(gelu(x, GeluApproximation::tanh)));
  }

  TEST_CASE("prelu has one weight for each channel, or one for all") {
    const Tensor x = leaf({-1, 2, -3, 4}, {1, 2, 2}), weight = leaf({0.5, 0.25}, {2});
    const Tensor y = prelu(x, weight);
    CHECK(show(y) == "float32 [1, 2, 2]: -0.5 2 -0.75 4");
    y.sum().backward();
    CHECK(show(x.grad()) == "float32 [1, 2, 2]: 0.5 1 0.25 1");
    CHECK(show(weight.grad()) == "float32 [2]: -1 -3");
    CHECK(show(prelu(tensor<float>({-2, 2}), tensor<float>({0.5}))) == "float32 [2]: -1 2");
    CHECK_THROWS_WITH_AS(prelu(x, zeros({3})),
                         "prelu: expected weight of one element, or [C] with input [N, C, ...], got weight [3] and "
                         "input [1, 2, 2]",
                         ShapeError);
    CHECK_THROWS_WITH_AS(apply(*make_op("prelu", {}), {zeros({2}), zeros({3, 2})}),
                         "prelu: expected weight that broadcasts to input [2], got weight [3, 2]", ShapeError);
  }

  TEST_CASE("options that make no sense are refused") {
    const Tensor x = zeros({2});
    CHECK_THROWS_WITH_AS(hardtanh(x, 1, 1), "hardtanh: expected min < max, got 1 and 1", ValueError);
    CHECK_THROWS_WITH_AS(hardtanh(x, kNan, 1), "hardtanh: expected min < max, got nan and 1", ValueError);
    CHECK_THROWS_WITH_AS(softplus(x, 0), "softplus: expected beta > 0, got 0", ValueError);
    CHECK_THROWS_WITH_AS(silu(tensor<std::int64_t>({1})),
                         "silu: expected float32 or float64, got int64; convert with to(DType::float32)", TypeError);
  }
}

// SPDX-License-Identifier: MIT
#include "engine/ops/op_test.h"

using namespace teff;

TEST_SUITE("group_norm and layer_norm") {
  TEST_CASE("each group, and each row, has mean 0 and variance 1") {
    const Tensor x = tensor<double>({1, 3, 10, 30}, {1, 4});
    CHECK(show(group_norm(x, 2, {}, {}, 0)) == "float64 [1, 4]: -1 1 -1 1");
    CHECK(show(layer_norm(x.view({2, 2}), 2, {}, {}, 0)) == "float64 [2, 2]: -1 1 -1 1");
    CHECK(show(group_norm(x, 2, counting({4}, DType::float64), counting({4}, DType::float64), 0)) ==
          "float64 [1, 4]: 0 4 0 8");
  }

  TEST_CASE("a single group is the layer norm of an image") {
    const Tensor x = randn({2, 3, 4}, {.dtype = DType::float64});
    CHECK((group_norm(x, 1) - layer_norm(x, {3, 4})).abs().max().item<double>() < 1e-12);
  }

  TEST_CASE("what does not fit is refused") {
    const Tensor x = zeros({2, 6, 3});
    CHECK_THROWS_WITH_AS(
        group_norm(x, 4),
        "group_norm: expected num_groups that divide the 6 channels of input [2, 6, 3], got num_groups = 4",
        ValueError);
    CHECK_THROWS_AS(group_norm(x, 0), ValueError);
    CHECK_THROWS_AS(group_norm(x, kHuge), ValueError);
    CHECK_THROWS_WITH_AS(group_norm(zeros({6}), 2), "group_norm: expected input [N, C, ...], got input [6]",
                         ShapeError);
    CHECK_THROWS_WITH_AS(group_norm(x, 2, zeros({3})),
                         "group_norm: expected weight [6] to match input [2, 6, 3], got weight [3]", ShapeError);
    CHECK_THROWS_WITH_AS(group_norm(x, 2, {}, {}, -1), "group_norm: expected a finite eps of at least 0, got -1",
                         ValueError);
    CHECK_THROWS_AS(layer_norm(x, 3, {}, {}, kNan), ValueError);
    CHECK_THROWS_WITH_AS(layer_norm(x, {6, 2}),
                         "layer_norm: expected input [..., [6, 2]] as normalized_shape says, got input [2, 6, 3]",
                         ShapeError);
    CHECK_THROWS_AS(layer_norm(x, {}), ShapeError);
    CHECK_THROWS_AS(layer_norm(x, {1, 2, 6, 3}), ShapeError);
    CHECK_THROWS_WITH_AS(layer_norm(x, 3, {}, zeros({6})),
                         "layer_norm: expected bias [3] to match input [2, 6, 3], got bias [6]", ShapeError);
  }
}

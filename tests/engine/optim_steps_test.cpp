// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include "support/error_of.h"
#include "teff/engine/dict.h"
#include "teff/engine/error.h"
#include "teff/engine/ops.h"
#include "teff/engine/optim_steps.h"

using namespace teff;
using testing::error_of;

TEST_CASE("steps of optimisers check every tensor, and change nothing if one does not fit") {
  const Tensor p = ones({3}), g = ones({3}), two = ones({2}), d = ones({3}, {.dtype = DType::float64});
  CHECK(error_of<TypeError>([&] { sgd_step_(arange(3), arange(3), {}, {}); }) ==
        "sgd_step_: expected a parameter of float32 or float64, got int64 [3]");
  CHECK(error_of<ShapeError>([&] { sgd_step_(p, two, {}, {.lr = 1}); }) ==
        "sgd_step_: expected a gradient float32 [3] as the parameter, got float32 [2]");
  CHECK(error_of<TypeError>([&] { sgd_step_(p, g, {}, {.lr = 1, .momentum = 0.5}); }) ==
        "sgd_step_: expected a momentum buffer float32 [3] as the parameter, got an undefined tensor");
  CHECK(error_of<TypeError>([&] { adam_step_(p, g, {.exp_avg = g, .exp_avg_sq = d}, {.lr = 1}); }) ==
        "adam_step_: expected exp_avg_sq float32 [3] as the parameter, got float64 [3]");
  CHECK(error_of<ShapeError>([&] {
          adam_step_(p, g, {g, g, two}, {.lr = 1});
        }) == "adam_step_: expected max_exp_avg_sq float32 [3] as the parameter, got float32 [2]");
  CHECK(error_of<ValueError>([&] {
          adam_step_(p, g, {g, g, {}}, {.t = 0, .lr = 1});
        }) == "adam_step_: expected a step count >= 1, got 0");
  CHECK(error_of<ShapeError>([&] { rmsprop_step_(p, g, {.square_avg = g, .grad_avg = two}, {.lr = 1}); }) ==
        "rmsprop_step_: expected grad_avg float32 [3] as the parameter, got float32 [2]");
  CHECK(error_of<TypeError>([&] { rmsprop_step_(p, g, {.square_avg = g}, {.lr = 1, .momentum = 0.5}); }) ==
        "rmsprop_step_: expected a momentum buffer float32 [3] as the parameter, got an undefined tensor");
  CHECK(error_of<ShapeError>([&] { adagrad_step_(p, g, two, {.lr = 1}); }) ==
        "adagrad_step_: expected sum float32 [3] as the parameter, got float32 [2]");
  CHECK(error_of<ValueError>([&] { adagrad_step_(p, g, g, {.t = -1, .lr = 1}); }) ==
        "adagrad_step_: expected a step count >= 1, got -1");
  CHECK(Value(p) == Value(ones({3})));
}

TEST_CASE("steps of optimisers count as changes in place, of the state as well") {
  const Tensor p = ones({2}, {.requires_grad = true}), m = ones({2}), v = ones({2});
  const Tensor of_parameter = (p * p).sum();
  Tensor x = ones({2}, {.requires_grad = true});
  const Tensor of_state = (x * m).sum();
  adam_step_(p, ones({2}), {.exp_avg = m, .exp_avg_sq = v}, {.lr = 0.5, .eps = 1});
  CHECK_THROWS_AS(of_parameter.backward(), Error);
  CHECK_THROWS_AS(of_state.backward(), Error);
}

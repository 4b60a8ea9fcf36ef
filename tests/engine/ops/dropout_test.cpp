// SPDX-License-Identifier: MIT
#include "engine/ops/op_test.h"
#include "teff/engine/random.h"

using namespace teff;

TEST_SUITE("dropout") {
  TEST_CASE("draws the mask that PyTorch draws") {
    manual_seed(0);  // torch.manual_seed(0); F.dropout(torch.ones(8), 0.5)
    CHECK(show(dropout(ones({8}))) == "float32 [8]: 0 0 2 0 0 0 2 2");
  }

  TEST_CASE("the gradient passes where the value did") {
    manual_seed(0);
    const Tensor x = ones({64}).requires_grad_();
    const Tensor y = dropout(x, 0.25);
    y.sum().backward();
    CHECK(show(x.grad()) == show(y));
  }

  TEST_CASE("draws nothing, and shares elements, where all are kept") {
    const Tensor x = counting({3});
    const auto before = default_generator().get_state();
    CHECK(dropout(x, 0.5, false).shares_memory_with(x));
    CHECK(dropout(x, 0).shares_memory_with(x));
    CHECK(show(dropout(x, 1)) == "float32 [3]: 0 0 0");
    CHECK(default_generator().get_state() == before);
  }

  TEST_CASE("p must be a probability") {
    CHECK_THROWS_WITH_AS(dropout(ones({1}), 1.5), "dropout: expected a probability p in [0, 1], got 1.5", ValueError);
    CHECK_THROWS_AS(dropout(ones({1}), kNan), ValueError);
    CHECK_THROWS_AS(dropout(ones({1}), -0.1, false), ValueError);
  }
}

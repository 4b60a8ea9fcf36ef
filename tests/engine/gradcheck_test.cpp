// SPDX-License-Identifier: MIT

// Gradients of whole functions, beyond those of single operations in op_registry_test.cpp.

#include <doctest/doctest.h>

#include "teff/engine/ops.h"
#include "teff/engine/random.h"
#include "teff/engine/testing.h"

using namespace teff;

namespace {

using Inputs = std::span<const Tensor>;

Tensor input(const Shape& shape, std::uint64_t seed) {
  Generator generator(seed);
  return randn(shape, generator, {.dtype = DType::float64, .requires_grad = true});
}

}  // namespace

TEST_SUITE("gradcheck") {
  TEST_CASE("a small convolutional network") {
    const Tensor labels = tensor<std::int64_t>({1, 0});
    gradcheck(
        [&](Inputs x) {
          const Tensor y = avg_pool2d(tanh(conv2d(x[0], x[1], x[2], {.padding = 1})), 2);
          return cross_entropy(linear(y.flatten(1), x[3], x[4]), labels);
        },
        {input({2, 2, 4, 4}, 1), input({3, 2, 3, 3}, 2), input({3}, 3), input({2, 12}, 4), input({2}, 5)});
  }

  TEST_CASE("batch norm in training between two products") {
    gradcheck(
        [](Inputs x) {
          return sigmoid(matmul(batch_norm(matmul(x[0], x[1]), {}, {}, x[2], x[3], {.training = true}), x[1]));
        },
        {input({5, 3}, 1), input({3, 3}, 2), input({3}, 3), input({3}, 4)});
  }

  TEST_CASE("a residual connection with broadcast scale") {
    gradcheck([](Inputs x) { return x[0] + tanh(x[0] * x[1]) / (2.0 + exp(x[1])); }, {input({3, 4}, 1), input({4}, 2)});
  }

  TEST_CASE("a softmax attention") {
    gradcheck([](Inputs x) { return matmul(softmax(matmul(x[0], x[1].transpose(-2, -1)) * 0.5, -1), x[2]); },
              {input({2, 3, 4}, 1), input({2, 5, 4}, 2), input({2, 5, 2}, 3)});
  }

  TEST_CASE("slices, concatenation and selection of one tensor") {
    gradcheck(
        [](Inputs x) {
          const Tensor left = x[0].slice(1, 0, 2), right = x[0].slice(1, 1, 5, 2);
          return cat({left * right, x[0][1].view({1, -1}).slice(1, 0, 2)}) * stack({x[1], x[1] * x[1]}, 1);
        },
        {input({3, 5}, 1), input({4}, 2)});
  }
}

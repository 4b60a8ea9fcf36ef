// SPDX-License-Identifier: MIT
#include "op_test.h"

using namespace teff;

TEST_SUITE("unary operations") {
  TEST_CASE("neg and abs take integers, and keep the smallest as PyTorch does") {
    constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();
    const Tensor x = tensor<std::int64_t>({3, -4, kLeast});
    CHECK(show(-x) == "int64 [3]: -3 4 " + std::to_string(kLeast));
    CHECK(show(abs(x)) == "int64 [3]: 3 4 " + std::to_string(kLeast));
  }

  TEST_CASE("the others refuse integers and name the cure") {
    const Tensor x = tensor<std::int64_t>({1});
    CHECK_THROWS_WITH_AS(
        relu(x), "relu: expected float32 or float64, got int64; convert with to(DType::float32)", TypeError);
    CHECK_THROWS_WITH_AS(neg(x.to(DType::uint8)),
                         "neg: expected float32, float64 or int64, got uint8; convert with "
                         "to(DType::float32) or to(DType::int64)",
                         TypeError);
  }

  TEST_CASE("derivatives at the corners are those of PyTorch") {
    const auto gradient = [](const Tensor& x, Tensor (*f)(const Tensor&)) {
      f(x).sum().backward();
      return show(x.grad());
    };
    CHECK(gradient(leaf({-1, 0, 2}, {3}), relu) == "float32 [3]: 0 0 1");
    CHECK(gradient(leaf({-1, 0, 2}, {3}), abs) == "float32 [3]: -1 0 1");
    const Tensor x = leaf({-1, 0, 1, 2}, {4});
    clamp(x, 0, 1).sum().backward();
    CHECK(show(x.grad()) == "float32 [4]: 0 1 1 0");
  }

  TEST_CASE("clamp needs a bound, and takes one alone") {
    const Tensor x = tensor<float>({-2, 0, 2});
    CHECK(show(clamp(x, -1)) == "float32 [3]: -1 0 2");
    CHECK(show(clamp(x, {}, 1)) == "float32 [3]: -2 0 1");
    CHECK_THROWS_WITH_AS(clamp(x, {}), "clamp: expected a minimum or a maximum, got neither", ValueError);
  }

  TEST_CASE("relu keeps its result for backward, not its input") {
    const Tensor x = leaf({-1, 2}, {2});
    const Tensor h = mul(x, 1);
    const Tensor y = relu(h);
    {
      NoGradGuard no_grad;
      h.fill_(7);
    }
    y.sum().backward();
    CHECK(show(x.grad()) == "float32 [2]: 0 1");
  }

  TEST_CASE("to converts, gives the tensor itself for its own dtype, and passes gradients between floats") {
    const Tensor x = tensor<float>({-1.5f, 300, float(kNan)});
    CHECK(x.to(DType::float32).is(x));
    CHECK(show(x.to(DType::int8)) == "int8 [3]: -1 127 0");
    CHECK(show(x.to(DType::bool_)) == "bool [3]: 1 1 1");
    const Tensor y = leaf({1, 2}, {2});
    y.to(DType::float64).sum().backward();
    CHECK(show(y.grad()) == "float32 [2]: 1 1");
    CHECK_FALSE(y.to(DType::float16).requires_grad());
  }

  TEST_CASE("tensors without elements stay so") { CHECK(show(exp(zeros({2, 0}))) == "float32 [2, 0]:"); }
}

// SPDX-License-Identifier: MIT
#include <utility>

#include "engine/ops/op_test.h"

using namespace teff;

TEST_SUITE("unary operations") {
  TEST_CASE("neg and abs take integers, and keep the smallest as PyTorch does") {
    constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();
    const Tensor x = tensor<std::int64_t>({3, -4, kLeast});
    CHECK(show(-x) == "int64 [3]: -3 4 " + std::to_string(kLeast));
    CHECK(show(abs(x)) == "int64 [3]: 3 4 " + std::to_string(kLeast));
  }

  TEST_CASE("relu and clamp keep whole numbers, roots and the like are float32, the others refuse and name the cure") {
    const Tensor x = tensor<std::int64_t>({4, -9});
    CHECK(show(relu(x)) == "int64 [2]: 4 0");
    CHECK(show(clamp(x, -2, 3)) == "int64 [2]: 3 -2");
    CHECK(show(clamp(x, 0.5)) == "float32 [2]: 4 0.5");
    CHECK(show(sqrt(x)) == "float32 [2]: 2 nan");
    CHECK(show(neg(x.to(DType::uint8))) == "uint8 [2]: 252 0");
    CHECK_THROWS_WITH_AS(leaky_relu(x),
                         "leaky_relu: expected float32 or float64, got int64; convert with to(DType::float32)",
                         TypeError);
    CHECK_THROWS_WITH_AS(neg(x.to(DType::uint16)),
                         "neg: expected float32, float64 or int64, got uint16; convert with "
                         "to(DType::float32) or to(DType::int64)",
                         TypeError);
  }

  TEST_CASE("derivatives at the corners are those of PyTorch") {
    const auto gradient = [](const Tensor& x, Tensor (*f)(Tensor)) {
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
    CHECK_THROWS_WITH_AS(clamp(x, std::nullopt), "clamp: expected a minimum or a maximum, got neither", ValueError);
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

  TEST_CASE("a result takes the memory of a temporary that nobody else holds") {
    const Tensor x = leaf({-1, 2}, {2});
    Tensor h = mul(x, 3);
    const float* elements = h.data<float>();
    const Tensor y = relu(std::move(h));
    CHECK(y.data<float>() == elements);
    CHECK(show(y) == "float32 [2]: 0 6");
    y.sum().backward();
    CHECK(show(x.grad()) == "float32 [2]: 0 3");
  }

  TEST_CASE("what somebody holds, or backward needs, keeps its values") {
    const Tensor h = tensor<float>({-1, 2});
    CHECK(show(relu(h)) == "float32 [2]: 0 2");
    CHECK(show(relu(h.view({1, 2}))) == "float32 [1, 2]: 0 2");
    CHECK(show(relu(h.detach())) == "float32 [2]: 0 2");
    CHECK(show(h) == "float32 [2]: -1 2");

    float elements[] = {-1, 2};
    CHECK(show(relu(Tensor::from_external(elements, {2}))) == "float32 [2]: 0 2");
    CHECK(elements[0] == -1);

    const Tensor a = leaf({-2, 3}, {2});
    abs(mul(a, 1)).sum().backward();  // the derivative of abs is one of its input
    CHECK(show(a.grad()) == "float32 [2]: -1 1");
    const Tensor b = leaf({0, 0}, {2});
    neg(sigmoid(b)).sum().backward();  // and that of sigmoid one of its result
    CHECK(show(b.grad()) == "float32 [2]: -0.25 -0.25");
  }

  TEST_CASE("a gradient is overwritten only if nobody else gets it") {
    const Tensor a = leaf({-1, 2}, {2}), b = leaf({1, 1}, {2});
    const Tensor gradient = tensor<float>({5, 7});
    (relu(mul(a, 1)) + b).backward(gradient);  // b gets the same gradient, unchanged
    CHECK(show(a.grad()) == "float32 [2]: 0 7");
    CHECK(show(b.grad()) == "float32 [2]: 5 7");
    CHECK(show(gradient) == "float32 [2]: 5 7");
    const Tensor c = leaf({-1, 2}, {2});
    const Tensor h = mul(c, 1);
    (neg(h) + relu(h) + h).backward(gradient);
    CHECK(show(c.grad()) == "float32 [2]: 0 7");
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

// SPDX-License-Identifier: MIT

// create_graph: gradients of gradients.

#include <doctest/doctest.h>

#include <cmath>
#include <map>

#include "golden/gradient_golden.h"
#include "support/error_of.h"
#include "support/op_samples.h"
#include "support/same.h"
#include "teff/engine/autograd.h"
#include "teff/engine/error.h"
#include "teff/engine/gradient.h"
#include "teff/engine/op.h"
#include "teff/engine/op_registry.h"
#include "teff/engine/ops.h"
#include "teff/engine/random.h"
#include "teff/engine/testing.h"

using namespace teff;
using namespace teff::testing;

namespace {

/// Operations without second derivative, and why.
const std::map<std::string, std::string>& without_second_derivative() {
  static const std::map<std::string, std::string> reasons = {
      {"grid_sample", "nor has PyTorch's"},
      {"recurrent_layer", "its gradient goes through all steps in one kernel"},
  };
  return reasons;
}

Tensor wave(const Shape& shape, double seed) {
  const Tensor result = empty(shape, {.dtype = DType::float64});
  std::int64_t i = 0;
  for (double& value : result.span<double>()) value = std::sin(1.7 * static_cast<double>(i++) + seed);
  return result.requires_grad_();
}

/// All results as one.
GradcheckFunction function_of(const OpSample& sample) {
  return [op = make_op(sample.op, sample.attributes)](std::span<const Tensor> inputs) {
    manual_seed(5);
    std::vector<Tensor> parts;
    for (const Tensor& output : apply_all(op, inputs)) parts.push_back(output.to(DType::float64).view({-1}));
    return cat(parts);
  };
}

void check_golden(const std::vector<Tensor>& actual, const std::vector<double>& expected) {
  std::vector<Tensor> parts;
  for (const Tensor& tensor : actual) parts.push_back(tensor.detach().view({-1}));
  CHECK_NOTHROW(assert_close(cat(parts), tensor(expected), {1e-9, 1e-9}));
}

/// y = 3 x, whose backward computes with values.
class ThreeTimes : public OpWith<ThreeTimes> {
 public:
  static constexpr std::string_view kName = "test_triple";
  TensorType output_type(std::span<const TensorType> inputs) const override { return inputs[0]; }
  Tensor forward(const ForwardContext& context) const override { return context.inputs[0] * 3.0; }
  TensorList backward(const BackwardContext& context) const override { return {context.grad * 3.0}; }
};

}  // namespace

TEST_SUITE("second_derivatives") {
  TEST_CASE("every operation has second derivatives, which equal central differences, or says that it has none") {
    for (const OpSample& sample : op_samples()) {
      if (!make_op(sample.op, sample.attributes)->differentiable()) continue;
      INFO(sample);
      const std::vector<Tensor> leaves = sample.leaves(DType::float64);
      if (!function_of(sample)(leaves).requires_grad()) continue;  // whole numbers
      if (!without_second_derivative().contains(sample.op)) {
        // A new operation needs a formula in engine/gradients/, or a line above.
        CHECK_NOTHROW(gradgradcheck(function_of(sample), leaves));
        continue;
      }
      CHECK(contains(error_of<Error>([&] { gradgradcheck(function_of(sample), leaves); }), "got " + sample.op + ","));
    }
  }

  TEST_CASE("every operation's recorded gradient is the gradient") {
    for (const OpSample& sample : op_samples()) {
      if (!make_op(sample.op, sample.attributes)->differentiable()) continue;
      if (without_second_derivative().contains(sample.op)) continue;
      INFO(sample);
      std::vector<Tensor> wanted;
      const std::vector<Tensor> leaves = sample.leaves(DType::float64);
      for (const Tensor& leaf : leaves) {
        if (leaf.requires_grad()) wanted.push_back(leaf);
      }
      if (wanted.empty()) continue;
      const Tensor y = function_of(sample)(leaves), weights = wave(y.shape(), 0.25).detach();
      const auto plain =
          autograd::grad({y}, wanted, {.grad_outputs = {weights}, .retain_graph = true, .allow_unused = true});
      const auto recorded =
          autograd::grad({y}, wanted, {.grad_outputs = {weights}, .create_graph = true, .allow_unused = true});
      for (std::size_t i = 0; i < wanted.size(); ++i) {
        REQUIRE(recorded[i].defined() == plain[i].defined());
        if (plain[i].defined()) CHECK_NOTHROW(assert_close(recorded[i].detach(), plain[i], {1e-10, 1e-12}));
      }
    }
  }

  TEST_CASE("a gradient penalty of a network has PyTorch's gradients") {
    const Tensor x = wave({2, 3, 7, 6}, 1), w = wave({4, 3, 3, 3}, 2), b = wave({4}, 3), v = wave({2, 16}, 4);
    const Tensor y = max_pool2d(softplus(conv2d(x, w, b, {.stride = {2, 1}, .padding = 1})), 2);
    const Tensor features = flatten(mean(layer_norm(y, {y.size(1), y.size(2), y.size(3)}), 3), 1).slice(1, 0, 8);
    const Tensor loss = cross_entropy(linear(features, v.slice(1, 0, 8)), tensor<std::int64_t>({1, 0}));
    const Tensor g = autograd::grad({loss}, {x}, {.create_graph = true})[0];
    CHECK(g.requires_grad());
    check_golden(autograd::grad({(g * g).sum()}, {x, w, b, v}), golden::kPenalty);
    CHECK_FALSE(x.grad().defined());
  }

  TEST_CASE("a third derivative is PyTorch's") {
    const Tensor x = wave({5}, 0.5);
    Tensor y = (sigmoid(x) * exp(neg(x)) + gelu(x) + silu(x)).sum();
    for (int i = 0; i < 2; ++i) y = autograd::grad({y}, {x}, {.create_graph = true})[0].sum();
    check_golden(autograd::grad({y}, {x}), golden::kThird);
  }

  TEST_CASE("backward with create_graph leaves a recorded gradient in grad()") {
    const Tensor x = tensor({3.0F}).requires_grad_();
    autograd::backward({(x * x * x).sum()}, {.create_graph = true});
    const Tensor first = x.grad();
    CHECK(first.item<float>() == 27);
    REQUIRE(first.requires_grad());
    x.set_grad({});
    first.sum().backward();
    CHECK(x.grad().item<float>() == 18);
    x.set_grad({});
  }

  TEST_CASE("a gradient that nothing depends on is unused the second time") {
    const Tensor x = tensor({1.0F, 2.0F}).requires_grad_();
    const Tensor g = autograd::grad({(x * 3.0).sum()}, {x}, {.create_graph = true})[0];
    CHECK_FALSE(g.requires_grad());
  }

  TEST_CASE("an operation of one's own has none until its formula is registered") {
    const Tensor x = tensor({1.0F, 2.0F}).requires_grad_();
    const auto second = [&] {
      const Tensor y = apply(ThreeTimes(), {x});
      const Tensor g = autograd::grad({(y * y).sum()}, {x}, {.create_graph = true})[0];
      return autograd::grad({g.sum()}, {x})[0];
    };
    CHECK(error_of<Error>(second) ==
          "create_graph: expected operations whose gradients can be recorded, got test_triple, which has no second "
          "derivative; detach() what comes before it, or see register_gradient");
    register_gradient("test_triple", [](const RecordedCall& call) -> TensorList { return {call.grad() * 3.0}; });
    CHECK(same(second(), tensor({18.0F, 18.0F})));
  }
}

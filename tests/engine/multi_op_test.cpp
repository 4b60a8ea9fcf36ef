// SPDX-License-Identifier: MIT

// Operations of several results, by one that a user might write.

#include <doctest/doctest.h>

#include <cmath>

#include "teff/engine/autograd.h"
#include "teff/engine/error.h"
#include "teff/engine/op.h"
#include "teff/engine/op_registry.h"
#include "teff/engine/ops.h"
#include "teff/engine/testing.h"

using namespace teff;

namespace {

/// s = sin(x), c = cos(x), and where s > c; dX = dS * c - dC * s
class SinCos : public OpWith<SinCos, NoOptions, MultiOp> {
 public:
  static constexpr std::string_view kName = "test_sincos";
  static inline int backwards = 0;
  static inline std::vector<bool> came;  // by result: whether a gradient did, in the last backward

  std::vector<TensorType> output_types(std::span<const TensorType> inputs) const override {
    detail::check_arity(kName, inputs, 1);
    return {inputs[0], inputs[0], {inputs[0].shape, DType::bool_}};
  }
  void forward_all(const MultiForwardContext& context) const override {
    const auto x = context.inputs[0].span<double>();
    const auto s = context.make_result(0).span<double>(), c = context.make_result(1).span<double>();
    const auto greater = context.make_result(2).span<bool>();
    for (std::size_t i = 0; i < x.size(); ++i) {
      s[i] = std::sin(x[i]);
      c[i] = std::cos(x[i]);
      greater[i] = s[i] > c[i];
    }
    context.save(context.results[0]);
    context.save(context.results[1]);
  }
  TensorList backward_all(const MultiBackwardContext& context) const override {
    ++backwards;
    came.clear();
    for (const Tensor& grad : context.grads) came.push_back(grad.defined());
    Tensor grad_x = zeros_like(context.inputs[0]);
    if (came[0]) grad_x = grad_x + context.grads[0] * context.saved[1];
    if (came[1]) grad_x = grad_x - context.grads[1] * context.saved[0];
    return {grad_x};
  }
};

/// What forward_all sets wrongly.
struct WrongResultsOptions {
  std::string how = "none";
  static void fields(auto& self, auto&& field) { field("how", self.how); }
};

class WrongResults : public OpWith<WrongResults, WrongResultsOptions, MultiOp> {
 public:
  static constexpr std::string_view kName = "test_wrong";
  using OpWith::OpWith;
  std::vector<TensorType> output_types(std::span<const TensorType> inputs) const override {
    if (options_.how == "no types") return {};
    return {inputs[0], inputs[0]};
  }
  void forward_all(const MultiForwardContext& context) const override {
    const Tensor one = ones({2}, {.dtype = DType::float64});
    context.results[0] = one;
    if (options_.how == "same") context.results[1] = one;
    if (options_.how == "type") context.results[1] = ones({3}, {.dtype = DType::float64});
  }
  TensorList backward_all(const MultiBackwardContext&) const override { return TensorList(1); }
};

TensorList sincos(const Tensor& x) { return apply_all(SinCos(), {x}); }

Tensor double_leaf(std::initializer_list<double> values) { return tensor<double>(values).requires_grad_(); }

}  // namespace

TEST_SUITE("ops of several results") {
  TEST_CASE("all results come from one call, and those that can have a gradient ask for it") {
    const TensorList results = sincos(double_leaf({0, 1}));
    REQUIRE(results.size() == 3);
    CHECK(results[0].span<double>()[1] == std::sin(1.0));
    CHECK(results[1].span<double>()[0] == 1);
    CHECK(results[2].span<bool>()[1]);
    CHECK(results[0].requires_grad());
    CHECK_FALSE(results[1].is_leaf());
    CHECK_FALSE(results[2].requires_grad());
    CHECK(results[2].is_leaf());
    CHECK_FALSE(sincos(tensor<double>({1}))[0].requires_grad());
    const NoGradGuard no_grad;
    CHECK_FALSE(sincos(double_leaf({1}))[0].requires_grad());
  }

  TEST_CASE("backward comes once, with the gradients of all results") {
    SinCos::backwards = 0;
    const Tensor x = double_leaf({0.3, -2});
    const TensorList y = sincos(x);
    (y[0] * 3.0 + y[1] * y[0] + y[1]).sum().backward();
    CHECK(SinCos::backwards == 1);
    CHECK(SinCos::came == std::vector<bool>{true, true, false});
    CHECK_NOTHROW(gradcheck(
        [](std::span<const Tensor> in) {
          const TensorList r = sincos(in[0]);
          return r[0] * 3.0 + r[1] * r[0] + r[1];
        },
        {double_leaf({0.3, -2})}));
  }

  TEST_CASE("a result that nothing follows from has no gradient") {
    const Tensor x = double_leaf({0.5});
    const TensorList y = sincos(x);
    y[1].backward({}, {.retain_graph = true});
    CHECK(SinCos::came == std::vector<bool>{false, true, false});
    CHECK(x.grad().item<double>() == -std::sin(0.5));
    y[0].backward();
    CHECK(SinCos::came == std::vector<bool>{true, false, false});
    CHECK(x.grad().item<double>() == std::cos(0.5) - std::sin(0.5));
    CHECK_THROWS_AS(y[1].backward(), Error);  // freed, for all results
  }

  TEST_CASE("a backward that fails leaves no gradients behind") {
    const Tensor x = double_leaf({0.5});
    const TensorList y = sincos(x);
    const Tensor used = y[0] * 1.0, other = y[1] * 2.0;
    other.backward();  // frees y's node
    CHECK_THROWS_AS(used.backward(), Error);
    const Tensor z = double_leaf({0.5});
    const TensorList w = sincos(z);
    {
      const NoGradGuard no_grad;
      w[0].detach().zero_();  // a saved tensor
    }
    CHECK_THROWS_AS((w[0] + w[1]).backward(), Error);
    CHECK_FALSE(z.grad().defined());
  }

  TEST_CASE("a gradient of one result may be passed in") {
    const Tensor x = double_leaf({0.1, 0.2});
    sincos(x)[0].backward(tensor<double>({2, 3}));
    CHECK(x.grad().span<double>()[1] == 3 * std::cos(0.2));
  }

  TEST_CASE("apply gives one result, and says what gives several") {
    CHECK_THROWS_WITH_AS(apply(SinCos(), {double_leaf({1})}),
                         "test_sincos: expected apply_all, which gives all results of an op, got apply", Error);
    const TensorList one = apply_all(*make_op("relu", {}), {tensor<double>({-1})});
    REQUIRE(one.size() == 1);
    CHECK(one[0].item<double>() == 0);
  }

  TEST_CASE("an op that does not set what it promised is told so") {
    const Tensor x = double_leaf({1, 2});
    CHECK_THROWS_WITH_AS(
        apply_all(WrongResults({"none"}), {x}),
        "test_wrong: expected forward to return a new tensor float64 [2], as output_type said, got none", Error);
    CHECK_THROWS_WITH_AS(apply_all(WrongResults({"type"}), {x}),
                         "test_wrong: expected forward to return a new tensor float64 [2], as output_type said, got "
                         "float64 [3]",
                         Error);
    CHECK_THROWS_WITH_AS(apply_all(WrongResults({"same"}), {x}),
                         "test_wrong: expected forward_all to set different tensors, got result 0 again as result 1",
                         Error);
    CHECK_THROWS_WITH_AS(apply_all(WrongResults({"no types"}), {x}),
                         "test_wrong: expected output_types to give at least one type, got none", Error);
  }

  TEST_CASE("results are written where they are asked for") {
    const Tensor x = tensor<double>({1, 2});
    const TensorList into{zeros_like(x), zeros_like(x), zeros({2}, {.dtype = DType::bool_})};
    std::vector<TensorType> types;
    for (const Tensor& tensor : into) types.push_back(tensor.type());
    TensorList set(3);
    const TensorType type = x.type();
    detail::forward_into(SinCos(), {&x, 1}, {&type, 1}, types, into, set);
    CHECK(into[0].span<double>()[1] == std::sin(2.0));
    CHECK(into[1].span<double>()[1] == std::cos(2.0));
    CHECK(set[0].is(into[0]));
  }

  TEST_CASE("long chains of results are let go without recursion") {
    Tensor x = double_leaf({1});
    for (int i = 0; i < 200000; ++i) x = split(x, 1)[0];
    x = Tensor();
  }
}

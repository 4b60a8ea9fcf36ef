// SPDX-License-Identifier: MIT
#include "teff/engine/testing.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "teff/engine/error.h"
#include "teff/engine/op.h"
#include "teff/engine/ops.h"

using namespace teff;

namespace {

const double kNotANumber = std::numeric_limits<double>::quiet_NaN();
const double kInf = std::numeric_limits<double>::infinity();

Tensor doubles(std::initializer_list<double> values) { return tensor<double>(values); }

struct FactorOptions {
  double factor = 2;
  static void fields(auto& self, auto&& field) { field("factor", self.factor); }
};

/// y = x^2 and a gradient of factor * x: right for 2 only.
class Square : public OpWith<Square, FactorOptions> {
 public:
  static constexpr std::string_view kName = "square";
  using OpWith::OpWith;
  TensorType output_type(std::span<const TensorType> inputs) const override { return inputs[0]; }
  Tensor forward(const ForwardContext& context) const override { return context.inputs[0] * context.inputs[0]; }
  TensorList backward(const BackwardContext& context) const override {
    return {context.grad * context.inputs[0] * options_.factor};
  }
};

}  // namespace

TEST_SUITE("testing") {
  TEST_CASE("allclose follows |a - b| <= atol + rtol * |b|") {
    CHECK(allclose(doubles({1, 2}), doubles({1, 2})));
    CHECK(allclose(doubles({1.0}), doubles({1 + 0.9e-5})));
    CHECK_FALSE(allclose(doubles({1.0}), doubles({1 + 1.2e-5})));
    CHECK(allclose(doubles({100}), doubles({101}), {.rtol = 0, .atol = 1}));
    CHECK(allclose(doubles({90}), doubles({100}), {.rtol = 0.1, .atol = 0}));
    CHECK_FALSE(allclose(doubles({100}), doubles({90}), {.rtol = 0.1, .atol = 0}));
  }

  TEST_CASE("infinities are close to themselves only, NaN to NaN where that is asked for") {
    CHECK(allclose(doubles({kInf, -kInf}), doubles({kInf, -kInf})));
    CHECK_FALSE(allclose(doubles({kInf}), doubles({-kInf})));
    CHECK_FALSE(allclose(doubles({1}), doubles({kInf})));
    CHECK_FALSE(allclose(doubles({kNotANumber}), doubles({kNotANumber})));
    CHECK(allclose(doubles({kNotANumber}), doubles({kNotANumber}), {.equal_nan = true}));
    CHECK_FALSE(allclose(doubles({kNotANumber}), doubles({1}), {.equal_nan = true}));
  }

  TEST_CASE("tensors of different type cannot be compared") {
    CHECK(allclose(ones({2}), ones({1})));
    CHECK_THROWS_AS(allclose(ones({2}), ones({3})), ShapeError);
    CHECK_THROWS_AS(allclose(ones({2}), doubles({1, 1})), TypeError);
    CHECK_THROWS_AS(assert_close(ones({2}), ones({1, 2})), ShapeError);
  }

  TEST_CASE("assert_close tells how many differ, and the worst one's place and numbers") {
    CHECK_THROWS_WITH_AS(
        assert_close(tensor<double>({{1, 2}, {3, 4.5}}), tensor<double>({{1, 2.25}, {3, 4}})),
        "assert_close: expected values within rtol 1e-07 and atol 1e-07, got 2 of 4 outside; the worst "
        "at [1, 1]: 4.5 instead of 4, difference 0.5, relative 0.125",
        Error);
  }

  TEST_CASE("assert_close is as strict as the dtype allows") {
    CHECK_NOTHROW(assert_close(tensor<float>({1}), tensor<float>({1.00001f})));
    CHECK_THROWS_AS(assert_close(tensor<float>({1}), tensor<float>({1.00002f})), Error);
    CHECK_NOTHROW(assert_close(doubles({1}), doubles({1 + 1e-7})));
    CHECK_THROWS_AS(assert_close(doubles({1}), doubles({1 + 3e-7})), Error);
    CHECK_THROWS_AS(assert_close(arange(3), arange(1, 4)), Error);
    CHECK_NOTHROW(assert_close(arange(3), arange(3)));
  }

  TEST_CASE("assert_close sees a NaN among numbers") {
    CHECK_THROWS_AS(assert_close(doubles({1, kNotANumber, 3}), doubles({1, 2, 3})), Error);
    CHECK_THROWS_AS(assert_close(doubles({1, 2, 3}), doubles({1, kNotANumber, 3})), Error);
  }

  TEST_CASE("gradcheck accepts a right gradient") {
    gradcheck([](auto x) { return teff::apply(Square(), {x[0]}); }, {doubles({1, -2, 0}).requires_grad_()});
  }

  TEST_CASE("gradcheck finds a wrong gradient and names the element") {
    CHECK_THROWS_WITH_AS(gradcheck([](auto x) { return x[1] + teff::apply(Square({.factor = 2.1}), {x[0]}); },
                                   {tensor<double>({{0, 1}, {0, 0}}).requires_grad_(), doubles({0, 0})}),
                         doctest::Contains("for input 0 at [0, 1], got"), Error);
  }

  TEST_CASE("gradcheck finds a gradient that is missing") {
    CHECK_THROWS_AS(gradcheck([](auto x) { return x[0].detach() * x[0]; }, {doubles({1, 2}).requires_grad_()}), Error);
  }

  TEST_CASE("gradcheck finds gradients that only a sum would hide") {
    // The gradient of sum(softmax(x)) is 0 whatever softmax's backward says.
    CHECK_THROWS_AS(
        gradcheck([](auto x) { return softmax(x[0], 0).detach() + x[0] * 0.0; }, {doubles({1, 2, 3}).requires_grad_()}),
        Error);
  }

  TEST_CASE("gradcheck wants float64 and leaves its inputs as they were") {
    CHECK_THROWS_WITH_AS(gradcheck([](auto x) { return x[0]; }, {ones({2}).requires_grad_()}),
                         "gradcheck: expected float64 inputs, got float32 [2]", TypeError);
    const Tensor x = doubles({1, 2}).requires_grad_();
    gradcheck([](auto inputs) { return inputs[0] * inputs[0]; }, {x});
    CHECK_FALSE(x.grad().defined());
    CHECK(Value(x.detach()) == Value(doubles({1, 2})));
  }
}

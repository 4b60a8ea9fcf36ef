// SPDX-License-Identifier: MIT
#include <limits>
#include <utility>

#include "teff/engine/convert.h"
#include "teff/engine/ops.h"
#include "teff/engine/ops/checks.h"
#include "teff/engine/ops/dispatch.h"
#include "teff/engine/ops/elementwise.h"
#include "teff/engine/ops/op_tables.h"
#include "teff/engine/tensor_impl.h"

namespace teff {
namespace {

using detail::apply_in_place;
using ops::Elementwise;
using ops::Parameters;
using ops::Plain;
using ops::Unary;

struct LeakyReluOptions {
  double negative_slope = 0.01;
  static void fields(auto& self, auto&& field) { field("negative_slope", self.negative_slope); }
};

class LeakyRelu : public Elementwise<LeakyRelu, Unary::leaky_relu, LeakyReluOptions> {
 public:
  using Elementwise::Elementwise;
  Parameters parameters() const { return {options_.negative_slope, 0}; }
};

struct ClampOptions {
  std::optional<double> min, max;
  static void fields(auto& self, auto&& field) {
    field("min", self.min);
    field("max", self.max);
  }
};

class Clamp : public Elementwise<Clamp, Unary::clamp, ClampOptions> {
 public:
  using Elementwise::Elementwise;

  TensorType output_type(std::span<const TensorType> inputs) const override {
    if (!options_.min && !options_.max) ops::fail<ValueError>(kName, "a minimum or a maximum, got neither");
    return Elementwise::output_type(inputs);
  }
  Parameters parameters() const {
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    return {options_.min.value_or(-kInfinity), options_.max.value_or(kInfinity)};
  }
};

struct PowScalarOptions {
  double exponent = 1;
  static void fields(auto& self, auto&& field) { field("exponent", self.exponent); }
};

class PowScalar : public Elementwise<PowScalar, Unary::pow, PowScalarOptions> {
 public:
  static constexpr std::string_view kName = "pow_scalar";
  using Elementwise::Elementwise;
  Parameters parameters() const { return {options_.exponent, 0}; }
};

struct ToOptions {
  DType dtype = DType::float32;
  static void fields(auto& self, auto&& field) { field("dtype", self.dtype); }
};

/// y = x in another dtype; dx = dy in that of x.
class To : public OpWith<To, ToOptions> {
 public:
  static constexpr std::string_view kName = "to";
  using OpWith::OpWith;

  TensorType output_type(std::span<const TensorType> inputs) const override {
    detail::check_arity(kName, inputs, 1);
    return {inputs[0].shape, options_.dtype};
  }
  Tensor forward(const ForwardContext& context) const override {
    Tensor y = context.make_result();
    convert_all(context.inputs[0], y);
    return y;
  }
  TensorList backward(const BackwardContext& context) const override {
    Tensor grad_x = detail::make_tensor(context.inputs[0].type());
    convert_all(context.grad, grad_x);
    return {grad_x};
  }
  bool saves_input(std::size_t) const override { return false; }

 private:
  static void convert_all(const Tensor& x, const Tensor& y) {
    visit_dtype(x.dtype(), [&](auto from) {
      visit_dtype(y.dtype(), [&](auto to) {
        const auto* source = x.data<decltype(from)>();
        auto* target = y.data<decltype(to)>();
        for (std::int64_t i = 0; i < x.numel(); ++i) target[i] = convert<decltype(to)>(source[i]);
      });
    });
  }
};

}  // namespace

Tensor neg(Tensor x) { return apply_in_place(Plain<Unary::neg>(), std::move(x)); }
Tensor exp(Tensor x) { return apply_in_place(Plain<Unary::exp>(), std::move(x)); }
Tensor log(Tensor x) { return apply_in_place(Plain<Unary::log>(), std::move(x)); }
Tensor sqrt(Tensor x) { return apply_in_place(Plain<Unary::sqrt>(), std::move(x)); }
Tensor abs(Tensor x) { return apply_in_place(Plain<Unary::abs>(), std::move(x)); }
Tensor relu(Tensor x) { return apply_in_place(Plain<Unary::relu>(), std::move(x)); }
Tensor sigmoid(Tensor x) { return apply_in_place(Plain<Unary::sigmoid>(), std::move(x)); }
Tensor tanh(Tensor x) { return apply_in_place(Plain<Unary::tanh>(), std::move(x)); }

Tensor leaky_relu(Tensor x, double negative_slope) { return apply_in_place(LeakyRelu({negative_slope}), std::move(x)); }

Tensor clamp(Tensor x, std::optional<double> min, std::optional<double> max) {
  return apply_in_place(Clamp({min, max}), std::move(x));
}

Tensor pow(const Tensor& base, double exponent) { return apply(PowScalar({exponent}), {base}); }

Tensor to(const Tensor& x, DType dtype) { return x.dtype() == dtype ? x : apply(To({dtype}), {x}); }

std::span<const OpEntry> ops::unary_ops() {
  static const OpEntry entries[] = {
      op_entry<Plain<Unary::neg>>(),  op_entry<Plain<Unary::exp>>(),
      op_entry<Plain<Unary::log>>(),  op_entry<Plain<Unary::sqrt>>(),
      op_entry<Plain<Unary::abs>>(),  op_entry<Plain<Unary::relu>>(),
      op_entry<Plain<Unary::tanh>>(), op_entry<Plain<Unary::sigmoid>>(),
      op_entry<LeakyRelu>(),          op_entry<Clamp>(),
      op_entry<PowScalar>(),          op_entry<To>(),
  };
  return entries;
}

}  // namespace teff

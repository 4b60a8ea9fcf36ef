// SPDX-License-Identifier: MIT
#include <limits>
#include <utility>

#include "teff/engine/convert.h"
#include "teff/engine/ops.h"
#include "teff/engine/ops/checks.h"
#include "teff/engine/ops/dispatch.h"
#include "teff/engine/ops/op_tables.h"
#include "teff/engine/tensor_impl.h"

namespace teff {
namespace {

using kernels::Unary;

/// Numbers of an operation beside x, as the kernels take them.
using Parameters = std::pair<double, double>;

constexpr std::string_view name_of(Unary function) {
  switch (function) {
    case Unary::relu:
      return "relu";
    case Unary::leaky_relu:
      return "leaky_relu";
    case Unary::sigmoid:
      return "sigmoid";
    case Unary::tanh:
      return "tanh";
    case Unary::exp:
      return "exp";
    case Unary::log:
      return "log";
    case Unary::sqrt:
      return "sqrt";
    case Unary::abs:
      return "abs";
    case Unary::neg:
      return "neg";
    case Unary::clamp:
      return "clamp";
    case Unary::pow:
      return "pow";
  }
  return "";
}

// What the derivative is a function of.
constexpr bool needs_input(Unary f) {
  return f == Unary::log || f == Unary::abs || f == Unary::pow || f == Unary::clamp || f == Unary::leaky_relu;
}
constexpr bool needs_result(Unary f) { return !needs_input(f) && f != Unary::neg; }

constexpr bool takes_integers(Unary f) { return f == Unary::neg || f == Unary::abs; }

/// As in PyTorch the smallest integer, which has no counterpart, stays what it is.
void apply_to_integers(Unary function, std::span<const std::int64_t> x, std::int64_t* y) {
  for (std::size_t i = 0; i < x.size(); ++i) {
    const bool flip = function == Unary::neg || x[i] < 0;
    y[i] = flip ? static_cast<std::int64_t>(0 - static_cast<std::uint64_t>(x[i])) : x[i];
  }
}

/// y = f(x), dx = dy * f'(x). Derived::parameters() gives the kernel's parameters.
template <class Derived, Unary kFunction, class Options = NoOptions>
class Elementwise : public OpWith<Derived, Options> {
 public:
  using OpWith<Derived, Options>::OpWith;

  TensorType output_type(std::span<const TensorType> inputs) const override {
    detail::check_arity(this->name(), inputs, 1);
    if constexpr (takes_integers(kFunction)) {
      ops::check_numeric(name_of(kFunction), inputs);
    } else {
      ops::check_computable(name_of(kFunction), inputs);
    }
    return inputs[0];
  }

  Tensor forward(const ForwardContext& context) const override {
    const Tensor& x = context.inputs[0];
    Tensor y = context.make_result();
    if (takes_integers(kFunction) && x.dtype() == DType::int64) {
      apply_to_integers(kFunction, x.span<std::int64_t>(), y.data<std::int64_t>());
      return y;
    }
    const auto [a, b] = static_cast<const Derived&>(*this).parameters();
    ops::visit_computable(x.dtype(), [&, a = a, b = b](auto zero) {
      using T = decltype(zero);
      kernels::table<T>().unary(kFunction, x.numel(), static_cast<T>(a), static_cast<T>(b), x.data<T>(),
                                y.data<T>());
    });
    if (needs_result(kFunction)) context.save(y);
    return y;
  }

  TensorList backward(const BackwardContext& context) const override {
    const Tensor& grad = context.grad;
    Tensor grad_x = detail::make_tensor(grad.type());
    const auto [a, b] = static_cast<const Derived&>(*this).parameters();
    ops::visit_computable(grad.dtype(), [&, a = a, b = b](auto zero) {
      using T = decltype(zero);
      const T* x = needs_input(kFunction) ? context.inputs[0].data<T>() : nullptr;
      const T* y = needs_result(kFunction) ? context.saved[0].data<T>() : nullptr;
      kernels::table<T>().unary_backward(kFunction, grad.numel(), static_cast<T>(a), static_cast<T>(b),
                                         grad.data<T>(), x, y, grad_x.data<T>());
    });
    return {grad_x};
  }

  bool saves_input(std::size_t) const override { return needs_input(kFunction); }
};

/// A function without parameters.
template <Unary kFunction>
class Plain : public Elementwise<Plain<kFunction>, kFunction> {
 public:
  static constexpr std::string_view kName = name_of(kFunction);
  using Elementwise<Plain, kFunction>::Elementwise;
  Parameters parameters() const { return {0, 0}; }
};

struct LeakyReluOptions {
  double negative_slope = 0.01;
  static void fields(auto& self, auto&& field) { field("negative_slope", self.negative_slope); }
};

class LeakyRelu : public Elementwise<LeakyRelu, Unary::leaky_relu, LeakyReluOptions> {
 public:
  static constexpr std::string_view kName = "leaky_relu";
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
  static constexpr std::string_view kName = "clamp";
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
    return converted(context.inputs[0], context.output.dtype);
  }
  TensorList backward(const BackwardContext& context) const override {
    return {converted(context.grad, context.inputs[0].dtype())};
  }
  bool saves_input(std::size_t) const override { return false; }

 private:
  static Tensor converted(const Tensor& x, DType dtype) {
    Tensor y = detail::make_tensor({x.shape(), dtype});
    visit_dtype(x.dtype(), [&](auto from) {
      visit_dtype(dtype, [&](auto to) {
        const auto* source = x.data<decltype(from)>();
        auto* target = y.data<decltype(to)>();
        for (std::int64_t i = 0; i < x.numel(); ++i) target[i] = convert<decltype(to)>(source[i]);
      });
    });
    return y;
  }
};

}  // namespace

Tensor neg(const Tensor& x) { return apply(Plain<Unary::neg>(), {x}); }
Tensor exp(const Tensor& x) { return apply(Plain<Unary::exp>(), {x}); }
Tensor log(const Tensor& x) { return apply(Plain<Unary::log>(), {x}); }
Tensor sqrt(const Tensor& x) { return apply(Plain<Unary::sqrt>(), {x}); }
Tensor abs(const Tensor& x) { return apply(Plain<Unary::abs>(), {x}); }
Tensor relu(const Tensor& x) { return apply(Plain<Unary::relu>(), {x}); }
Tensor sigmoid(const Tensor& x) { return apply(Plain<Unary::sigmoid>(), {x}); }
Tensor tanh(const Tensor& x) { return apply(Plain<Unary::tanh>(), {x}); }

Tensor leaky_relu(const Tensor& x, double negative_slope) { return apply(LeakyRelu({negative_slope}), {x}); }

Tensor clamp(const Tensor& x, std::optional<double> min, std::optional<double> max) {
  return apply(Clamp({min, max}), {x});
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

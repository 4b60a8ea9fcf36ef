// SPDX-License-Identifier: MIT
#include <utility>

#include "teff/engine/ops.h"
#include "teff/engine/ops/checks.h"
#include "teff/engine/ops/dispatch.h"
#include "teff/engine/ops/op_tables.h"
#include "teff/engine/tensor_impl.h"

namespace teff {
namespace {

using kernels::Activation;

/// Numbers of an activation beside x, as the kernels take them.
using Parameters = std::pair<double, double>;

constexpr std::string_view name_of(Activation function) {
  switch (function) {
    case Activation::hardtanh:
      return "hardtanh";
    case Activation::elu:
      return "elu";
    case Activation::gelu:
      return "gelu";
    case Activation::gelu_tanh:
      return "gelu_tanh";
    case Activation::silu:
      return "silu";
    case Activation::hardswish:
      return "hardswish";
    case Activation::hardsigmoid:
      return "hardsigmoid";
    case Activation::softplus:
      return "softplus";
  }
  return "";
}

/// y = f(x), dx = dy * f'(x). Derived::parameters() gives the kernel's parameters.
template <class Derived, Activation kFunction, class Options = NoOptions>
class ActivationOp : public OpWith<Derived, Options> {
 public:
  static constexpr std::string_view kName = name_of(kFunction);
  using OpWith<Derived, Options>::OpWith;

  TensorType output_type(std::span<const TensorType> inputs) const override {
    detail::check_arity(kName, inputs, 1);
    ops::check_computable(kName, inputs);
    return inputs[0];
  }

  Tensor forward(const ForwardContext& context) const override {
    const Tensor& x = context.inputs[0];
    Tensor y = context.make_result();
    const auto [a, b] = static_cast<const Derived&>(*this).parameters();
    ops::visit_computable(x.dtype(), [&, a = a, b = b](auto zero) {
      using T = decltype(zero);
      kernels::table<T>().activation(kFunction, x.numel(), static_cast<T>(a), static_cast<T>(b), x.data<T>(),
                                     y.data<T>());
    });
    return y;
  }

  TensorList backward(const BackwardContext& context) const override {
    const Tensor& grad = context.grad;
    Tensor grad_x = detail::make_tensor(grad.type());
    const auto [a, b] = static_cast<const Derived&>(*this).parameters();
    ops::visit_computable(grad.dtype(), [&, a = a, b = b](auto zero) {
      using T = decltype(zero);
      kernels::table<T>().activation_backward(kFunction, grad.numel(), static_cast<T>(a), static_cast<T>(b),
                                              grad.data<T>(), context.inputs[0].data<T>(), grad_x.data<T>());
    });
    return {grad_x};
  }
};

/// A function without parameters.
template <Activation kFunction>
class Plain : public ActivationOp<Plain<kFunction>, kFunction> {
 public:
  using ActivationOp<Plain, kFunction>::ActivationOp;
  Parameters parameters() const { return {0, 0}; }
};

struct HardtanhOptions {
  double min = -1, max = 1;
  static void fields(auto& self, auto&& field) {
    field("min", self.min);
    field("max", self.max);
  }
};

class Hardtanh : public ActivationOp<Hardtanh, Activation::hardtanh, HardtanhOptions> {
 public:
  using ActivationOp::ActivationOp;

  TensorType output_type(std::span<const TensorType> inputs) const override {
    if (!(options_.min < options_.max)) {
      ops::fail<ValueError>(kName, "min < max, got ", options_.min, " and ", options_.max);
    }
    return ActivationOp::output_type(inputs);
  }
  Parameters parameters() const { return {options_.min, options_.max}; }
};

struct EluOptions {
  double alpha = 1;
  static void fields(auto& self, auto&& field) { field("alpha", self.alpha); }
};

class Elu : public ActivationOp<Elu, Activation::elu, EluOptions> {
 public:
  using ActivationOp::ActivationOp;
  Parameters parameters() const { return {options_.alpha, 0}; }
};

struct SoftplusOptions {
  double beta = 1, threshold = 20;
  static void fields(auto& self, auto&& field) {
    field("beta", self.beta);
    field("threshold", self.threshold);
  }
};

class Softplus : public ActivationOp<Softplus, Activation::softplus, SoftplusOptions> {
 public:
  using ActivationOp::ActivationOp;

  TensorType output_type(std::span<const TensorType> inputs) const override {
    if (!(options_.beta > 0)) ops::fail<ValueError>(kName, "beta > 0, got ", options_.beta);
    return ActivationOp::output_type(inputs);
  }
  Parameters parameters() const { return {options_.beta, options_.threshold}; }
};

}  // namespace

Tensor hardtanh(const Tensor& x, double min, double max) { return apply(Hardtanh({min, max}), {x}); }
Tensor elu(const Tensor& x, double alpha) { return apply(Elu({alpha}), {x}); }
Tensor silu(const Tensor& x) { return apply(Plain<Activation::silu>(), {x}); }
Tensor hardswish(const Tensor& x) { return apply(Plain<Activation::hardswish>(), {x}); }
Tensor hardsigmoid(const Tensor& x) { return apply(Plain<Activation::hardsigmoid>(), {x}); }
Tensor softplus(const Tensor& x, double beta, double threshold) { return apply(Softplus({beta, threshold}), {x}); }

Tensor gelu(const Tensor& x, GeluApproximation approximate) {
  if (approximate == GeluApproximation::tanh) return apply(Plain<Activation::gelu_tanh>(), {x});
  return apply(Plain<Activation::gelu>(), {x});
}

std::span<const OpEntry> ops::activation_ops() {
  static const OpEntry entries[] = {
      op_entry<Hardtanh>(),
      op_entry<Elu>(),
      op_entry<Softplus>(),
      op_entry<Plain<Activation::gelu>>(),
      op_entry<Plain<Activation::gelu_tanh>>(),
      op_entry<Plain<Activation::silu>>(),
      op_entry<Plain<Activation::hardswish>>(),
      op_entry<Plain<Activation::hardsigmoid>>(),
  };
  return entries;
}

}  // namespace teff

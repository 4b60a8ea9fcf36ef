// SPDX-License-Identifier: MIT
#pragma once

// The frame of all operations y[i] = f(x[i]), private to unary.cpp and activation.cpp, which define them: f is one of
// the functions that the kernels know.

#include <cmath>
#include <utility>

#include "teff/engine/kernels/elements/elements_kernels.h"
#include "teff/engine/ops/checks.h"
#include "teff/engine/ops/dispatch.h"
#include "teff/engine/tensor_impl.h"

namespace teff::ops {

using kernels::Activation;
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

// What the derivative is a function of, x or y.
constexpr bool needs_input(Unary f) {
  return f == Unary::log || f == Unary::abs || f == Unary::pow || f == Unary::clamp || f == Unary::leaky_relu;
}
constexpr bool needs_input(Activation) { return true; }
constexpr bool needs_result(Unary f) { return !needs_input(f) && f != Unary::neg; }
constexpr bool needs_result(Activation) { return false; }

constexpr bool takes_integers(Unary f) {
  return f == Unary::neg || f == Unary::abs || f == Unary::relu || f == Unary::clamp;
}
constexpr bool takes_integers(Activation) { return false; }

// As in PyTorch a root of whole numbers is a float32.
constexpr Widening widening_of(Unary f) {
  if (takes_integers(f)) return Widening::integers;
  return f == Unary::leaky_relu || f == Unary::pow ? Widening::half : Widening::floating;
}
constexpr Widening widening_of(Activation) { return Widening::half; }

template <class T>
void run(Unary f, std::int64_t n, T a, T b, const T* x, T* y) {
  kernels::elementwise_kernels<T>().unary(f, n, a, b, x, y);
}
template <class T>
void run(Activation f, std::int64_t n, T a, T b, const T* x, T* y) {
  kernels::activation_kernels<T>().activation(f, n, a, b, x, y);
}
template <class T>
void run_backward(Unary f, std::int64_t n, T a, T b, const T* grad, const T* x, const T* y, T* grad_x) {
  kernels::elementwise_kernels<T>().unary_backward(f, n, a, b, grad, x, y, grad_x);
}
template <class T>
void run_backward(Activation f, std::int64_t n, T a, T b, const T* grad, const T* x, const T*, T* grad_x) {
  kernels::activation_kernels<T>().activation_backward(f, n, a, b, grad, x, grad_x);
}

inline std::optional<Clamping> clamping_of(Unary f, const Parameters& parameters) {
  if (f == Unary::relu) return Clamping{.low = 0};
  if (f != Unary::clamp || !(parameters.first <= parameters.second)) return std::nullopt;
  return Clamping{parameters.first, parameters.second};
}
inline std::optional<Clamping> clamping_of(Activation f, const Parameters& parameters) {
  if (f != Activation::hardtanh) return std::nullopt;
  return Clamping{parameters.first, parameters.second};
}

/// As in PyTorch the smallest integer, which has no counterpart, stays what it is. Bounds are whole numbers.
void apply_to_integers(Unary function, const Parameters& bounds, std::span<const std::int64_t> x, std::int64_t* y);

/// y = f(x), dx = dy * f'(x). Derived::parameters() gives the kernel's parameters.
template <class Derived, auto kFunction, class Options = NoOptions>
class Elementwise : public OpWith<Derived, Options> {
 public:
  static constexpr std::string_view kName = name_of(kFunction);
  using OpWith<Derived, Options>::OpWith;

  TensorType output_type(std::span<const TensorType> inputs) const override {
    detail::check_arity(this->name(), inputs, 1);
    if constexpr (takes_integers(kFunction)) {
      check_numeric(kName, inputs);
      const auto [low, high] = static_cast<const Derived&>(*this).parameters();
      for (const double bound : {low, high}) {
        if (!std::isinf(bound)) check_scalar(kName, bound, inputs[0].dtype);
      }
    } else {
      check_computable(kName, inputs);
    }
    return inputs[0];
  }

  Tensor forward(const ForwardContext& context) const override {
    const Tensor& x = context.inputs[0];
    Tensor y = context.make_result();
    if constexpr (takes_integers(kFunction)) {
      if (x.dtype() == DType::int64) {
        apply_to_integers(kFunction, static_cast<const Derived&>(*this).parameters(), x.span<std::int64_t>(),
                          y.data<std::int64_t>());
        return y;
      }
    }
    const auto [a, b] = static_cast<const Derived&>(*this).parameters();
    visit_computable(x.dtype(), [&, a = a, b = b](auto zero) {
      using T = decltype(zero);
      run(kFunction, x.numel(), static_cast<T>(a), static_cast<T>(b), x.data<T>(), y.data<T>());
    });
    if (needs_result(kFunction)) context.save(y);
    return y;
  }

  TensorList backward(const BackwardContext& context) const override {
    const Tensor& grad = context.grad;
    Tensor grad_x = context.make_gradient();
    const auto [a, b] = static_cast<const Derived&>(*this).parameters();
    visit_computable(grad.dtype(), [&, a = a, b = b](auto zero) {
      using T = decltype(zero);
      const T* x = needs_input(kFunction) ? context.inputs[0].data<T>() : nullptr;
      const T* y = needs_result(kFunction) ? context.saved[0].data<T>() : nullptr;
      run_backward(kFunction, grad.numel(), static_cast<T>(a), static_cast<T>(b), grad.data<T>(), x, y,
                   grad_x.data<T>());
    });
    return {grad_x};
  }

  Widening widening() const override { return widening_of(kFunction); }
  bool saves_input(std::size_t) const override { return needs_input(kFunction); }

  std::optional<Clamping> clamping() const override {
    return clamping_of(kFunction, static_cast<const Derived&>(*this).parameters());
  }
};

/// A function without parameters.
template <auto kFunction>
class Plain : public Elementwise<Plain<kFunction>, kFunction> {
 public:
  using Elementwise<Plain, kFunction>::Elementwise;
  Parameters parameters() const { return {0, 0}; }
};

}  // namespace teff::ops

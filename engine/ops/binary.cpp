// SPDX-License-Identifier: MIT
#include <cmath>

#include "teff/engine/error_text.h"
#include "teff/engine/ops.h"
#include "teff/engine/ops/arithmetic.h"
#include "teff/engine/ops/broadcast.h"
#include "teff/engine/ops/checks.h"
#include "teff/engine/ops/dispatch.h"
#include "teff/engine/ops/op_tables.h"
#include "teff/engine/ops/promotion.h"
#include "teff/engine/tensor_impl.h"

namespace teff {
namespace {

using kernels::Binary;

/// y = a op b
template <class Derived, Binary kFunction>
class BinaryOp : public OpWith<Derived> {
 public:
  using OpWith<Derived>::OpWith;

  TensorType output_type(std::span<const TensorType> inputs) const override {
    detail::check_arity(Derived::kName, inputs, 2);
    if constexpr (kFunction == Binary::div || kFunction == Binary::pow) {
      ops::check_computable(Derived::kName, inputs);
    } else {
      ops::check_numeric(Derived::kName, inputs);
    }
    return {ops::broadcast_shape(Derived::kName, inputs[0].shape, inputs[1].shape), inputs[0].dtype};
  }

  Tensor forward(const ForwardContext& context) const override {
    Tensor y = context.make_result();
    ops::compute(kFunction, context.inputs[0], context.inputs[1], y);
    if (Derived::kSavesResult) context.save(y);
    return y;
  }

  TensorList backward(const BackwardContext& context) const override {
    TensorList grads(2);
    for (std::size_t i = 0; i < 2; ++i) {
      if (context.wanted[i]) grads[i] = ops::sum_to(Derived::gradient(context, i), context.inputs[i].shape());
    }
    return grads;
  }

  /// Of whole numbers the quotient is a float32.
  Widening widening() const override {
    if constexpr (kFunction == Binary::div) return Widening::floating;
    if constexpr (kFunction == Binary::pow || kFunction == Binary::prelu) return Widening::half;
    return kFunction == Binary::sub ? Widening::integers : Widening::bools;
  }

  static constexpr bool kSavesResult = false;
};

// Each class gives gradient(context, i), with respect to input i as if that had the shape of the result.

/// dA = dY, dB = dY
class Add : public BinaryOp<Add, Binary::add> {
 public:
  static constexpr std::string_view kName = "add";
  using BinaryOp::BinaryOp;
  static Tensor gradient(const BackwardContext& context, std::size_t) { return context.grad; }
  bool saves_input(std::size_t) const override { return false; }
};

/// dA = dY, dB = -dY
class Sub : public BinaryOp<Sub, Binary::sub> {
 public:
  static constexpr std::string_view kName = "sub";
  using BinaryOp::BinaryOp;
  static Tensor gradient(const BackwardContext& context, std::size_t i) {
    return i == 0 ? context.grad : neg(context.grad);
  }
  bool saves_input(std::size_t) const override { return false; }
};

/// dA = dY * B, dB = dY * A
class Mul : public BinaryOp<Mul, Binary::mul> {
 public:
  static constexpr std::string_view kName = "mul";
  using BinaryOp::BinaryOp;
  static Tensor gradient(const BackwardContext& context, std::size_t i) {
    return mul(context.grad, context.inputs[1 - i]);
  }
};

/// dA = dY / B, dB = -dY * (Y / B)
class Div : public BinaryOp<Div, Binary::div> {
 public:
  static constexpr std::string_view kName = "div";
  using BinaryOp::BinaryOp;
  static constexpr bool kSavesResult = true;
  static Tensor gradient(const BackwardContext& context, std::size_t i) {
    const Tensor& b = context.inputs[1];
    return i == 0 ? div(context.grad, b) : mul(neg(context.grad), div(context.saved[0], b));
  }
  bool saves_input(std::size_t i) const override { return i == 1; }
};

/// dY * weight(a, b), element by element.
template <class Weight>
Tensor weighted(const BackwardContext& context, const Weight& weight) {
  const Tensor &a = context.inputs[0], &b = context.inputs[1], &grad = context.grad;
  Tensor result = detail::make_tensor(grad.type());
  ops::visit_computable(grad.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const T *a_data = a.data<T>(), *b_data = b.data<T>(), *grad_data = grad.data<T>();
    T* out = result.data<T>();
    ops::Broadcast(grad.shape(), a.shape(), b.shape()).for_each_run([&](const ops::BroadcastRun& r) {
      for (std::int64_t i = 0; i < r.count; ++i) {
        const T u = a_data[r.a_begin + i * r.a_step], v = b_data[r.b_begin + i * r.b_step];
        out[r.out_begin + i] = weight(grad_data[r.out_begin + i], u, v);
      }
    });
  });
  return result;
}

/// The greater (smaller) one gets the gradient; equal ones half each. If one is NaN both get it, as in
/// PyTorch.
template <class Derived, Binary kFunction>
class Extremum : public BinaryOp<Derived, kFunction> {
 public:
  using BinaryOp<Derived, kFunction>::BinaryOp;

  static Tensor gradient(const BackwardContext& context, std::size_t i) {
    const bool wants_less = (i == 0) == (kFunction == Binary::minimum);
    return weighted(context, [=](auto grad, auto a, auto b) {
      if (a == b) return grad / 2;
      const bool loses = wants_less ? a > b : a < b;
      return loses ? decltype(grad){0} : grad;
    });
  }
};

class Maximum : public Extremum<Maximum, Binary::maximum> {
 public:
  static constexpr std::string_view kName = "maximum";
  using Extremum::Extremum;
};

class Minimum : public Extremum<Minimum, Binary::minimum> {
 public:
  static constexpr std::string_view kName = "minimum";
  using Extremum::Extremum;
};

/// dA = dY * b * a^(b - 1), 0 where b = 0; dB = dY * a^b * log(a), 0 where a = 0 and b >= 0
class Pow : public BinaryOp<Pow, Binary::pow> {
 public:
  static constexpr std::string_view kName = "pow";
  using BinaryOp::BinaryOp;
  static Tensor gradient(const BackwardContext& context, std::size_t i) {
    if (i == 0) {
      return weighted(context, [](auto grad, auto a, auto b) {
        return b == 0 ? decltype(grad){0} : grad * (b * std::pow(a, b - 1));
      });
    }
    return weighted(context, [](auto grad, auto a, auto b) {
      return a == 0 && b >= 0 ? decltype(grad){0} : grad * (std::pow(a, b) * std::log(a));
    });
  }
};

/// y = x > 0 ? x : x * w, dX = dY * (x > 0 ? 1 : w), dW = dY * min(x, 0). The weight broadcasts to x.
class Prelu : public BinaryOp<Prelu, Binary::prelu> {
 public:
  static constexpr std::string_view kName = "prelu";
  using BinaryOp::BinaryOp;

  TensorType output_type(std::span<const TensorType> inputs) const override {
    detail::check_arity(kName, inputs, 2);
    ops::check_computable(kName, inputs);
    const Shape &x = inputs[0].shape, &weight = inputs[1].shape;
    if (ops::broadcast_shape(kName, x, weight) != x) {
      ops::fail<ShapeError>(kName, "weight that broadcasts to input ", x, ", got weight ", weight);
    }
    return inputs[0];
  }
  static Tensor gradient(const BackwardContext& context, std::size_t i) {
    const Tensor &x = context.inputs[0], &weight = context.inputs[1];
    if (i == 1) return mul(context.grad, clamp(x, {}, 0));
    const Tensor slope = detail::make_tensor(x.type());
    ops::compute(Binary::prelu_slope, x, weight, slope);
    return mul(context.grad, slope);
  }
};

struct ScalarOptions {
  double value = 0;
  static void fields(auto& self, auto&& field) { field("value", self.value); }
};

/// y = x op value or, reversed, value op x. Derived::kFunctionName begins error messages.
template <class Derived, Binary kFunction, bool kReversed = false>
class ScalarOp : public OpWith<Derived, ScalarOptions> {
 public:
  using OpWith<Derived, ScalarOptions>::OpWith;

  TensorType output_type(std::span<const TensorType> inputs) const override {
    detail::check_arity(Derived::kName, inputs, 1);
    if constexpr (kFunction == Binary::div) {
      ops::check_computable(Derived::kFunctionName, inputs);
    } else {
      ops::check_numeric(Derived::kFunctionName, inputs);
      ops::check_scalar(Derived::kFunctionName, this->options_.value, inputs[0].dtype);
    }
    return inputs[0];
  }

  Tensor forward(const ForwardContext& context) const override {
    const Tensor& x = context.inputs[0];
    Tensor y = context.make_result();
    if constexpr (kReversed) {
      ops::compute(kFunction, this->options_.value, x, y);
    } else {
      ops::compute(kFunction, x, this->options_.value, y);
    }
    if (kReversed && kFunction == Binary::div) context.save(y);
    return y;
  }

  Widening widening() const override { return kFunction == Binary::div ? Widening::floating : Widening::integers; }
  bool saves_input(std::size_t) const override { return false; }
};

/// y = x + c, dX = dY
class AddScalar : public ScalarOp<AddScalar, Binary::add> {
 public:
  static constexpr std::string_view kName = "add_scalar", kFunctionName = "add";
  using ScalarOp::ScalarOp;
  TensorList backward(const BackwardContext& context) const override { return {context.grad}; }
};

/// y = x - c, dX = dY
class SubScalar : public ScalarOp<SubScalar, Binary::sub> {
 public:
  static constexpr std::string_view kName = "sub_scalar", kFunctionName = "sub";
  using ScalarOp::ScalarOp;
  TensorList backward(const BackwardContext& context) const override { return {context.grad}; }
};

/// y = c - x, dX = -dY
class RsubScalar : public ScalarOp<RsubScalar, Binary::sub, true> {
 public:
  static constexpr std::string_view kName = "rsub_scalar", kFunctionName = "sub";
  using ScalarOp::ScalarOp;
  TensorList backward(const BackwardContext& context) const override { return {neg(context.grad)}; }
};

/// y = c * x, dX = c * dY
class MulScalar : public ScalarOp<MulScalar, Binary::mul> {
 public:
  static constexpr std::string_view kName = "mul_scalar", kFunctionName = "mul";
  using ScalarOp::ScalarOp;
  TensorList backward(const BackwardContext& context) const override { return {mul(context.grad, options_.value)}; }
};

/// y = x / c, dX = dY / c
class DivScalar : public ScalarOp<DivScalar, Binary::div> {
 public:
  static constexpr std::string_view kName = "div_scalar", kFunctionName = "div";
  using ScalarOp::ScalarOp;
  TensorList backward(const BackwardContext& context) const override { return {div(context.grad, options_.value)}; }
};

/// y = c / x, dX = -dY * (y / x)
class RdivScalar : public ScalarOp<RdivScalar, Binary::div, true> {
 public:
  static constexpr std::string_view kName = "rdiv_scalar", kFunctionName = "div";
  using ScalarOp::ScalarOp;
  TensorList backward(const BackwardContext& context) const override {
    return {mul(neg(context.grad), div(context.saved[0], context.inputs[0]))};
  }
  bool saves_input(std::size_t) const override { return true; }
};

template <class Derived>
Tensor apply_scalar(const Tensor& x, Scalar value) {
  return detail::with_name(Derived::kFunctionName,
                           [&] { return apply(Derived({value.to_double()}), {ops::promoted(x, value)}); });
}

}  // namespace

Tensor add(const Tensor& a, const Tensor& b) { return apply(Add(), {a, b}); }
Tensor sub(const Tensor& a, const Tensor& b) { return apply(Sub(), {a, b}); }
Tensor mul(const Tensor& a, const Tensor& b) { return apply(Mul(), {a, b}); }
Tensor div(const Tensor& a, const Tensor& b) { return apply(Div(), {a, b}); }
Tensor maximum(const Tensor& a, const Tensor& b) { return apply(Maximum(), {a, b}); }
Tensor minimum(const Tensor& a, const Tensor& b) { return apply(Minimum(), {a, b}); }
Tensor pow(const Tensor& base, const Tensor& exponent) { return apply(Pow(), {base, exponent}); }

Tensor prelu(const Tensor& x, const Tensor& weight) {
  if (!x.defined() || !weight.defined()) {
    ops::fail<TypeError>("prelu", "a defined input and weight, got an undefined one");
  }
  const bool per_channel = weight.numel() != 1;
  if (per_channel && (weight.dim() != 1 || x.dim() < 2 || x.size(1) != weight.numel())) {
    ops::fail<ShapeError>("prelu", "weight of one element, or [C] with input [N, C, ...], got weight ", weight.shape(),
                          " and input ", x.shape());
  }
  Shape shape;
  while (per_channel && shape.size() + 1 < x.shape().size()) shape.push_back(shape.empty() ? weight.numel() : 1);
  return apply(Prelu(), {x, view(weight, shape)});
}

Tensor add(const Tensor& a, Scalar b) {
  return b.fits_double() ? apply_scalar<AddScalar>(a, b) : add(ops::promoted(a, b), ops::number_for(a, b));
}
Tensor sub(const Tensor& a, Scalar b) {
  return b.fits_double() ? apply_scalar<SubScalar>(a, b) : sub(ops::promoted(a, b), ops::number_for(a, b));
}
Tensor sub(Scalar a, const Tensor& b) {
  return a.fits_double() ? apply_scalar<RsubScalar>(b, a) : sub(ops::number_for(b, a), ops::promoted(b, a));
}
Tensor mul(const Tensor& a, Scalar b) {
  return b.fits_double() ? apply_scalar<MulScalar>(a, b) : mul(ops::promoted(a, b), ops::number_for(a, b));
}
Tensor div(const Tensor& a, Scalar b) { return apply_scalar<DivScalar>(a, b); }
Tensor div(Scalar a, const Tensor& b) { return apply_scalar<RdivScalar>(b, a); }

std::span<const OpEntry> ops::binary_ops() {
  static const OpEntry entries[] = {
      op_entry<Add>(),        op_entry<Sub>(),        op_entry<Mul>(),       op_entry<Div>(),
      op_entry<Maximum>(),    op_entry<Minimum>(),    op_entry<Pow>(),       op_entry<AddScalar>(),
      op_entry<SubScalar>(),  op_entry<RsubScalar>(), op_entry<MulScalar>(), op_entry<DivScalar>(),
      op_entry<RdivScalar>(), op_entry<Prelu>(),
  };
  return entries;
}

}  // namespace teff

// SPDX-License-Identifier: MIT

// Functions of one number that are asked for less often than those of unary.cpp: one op for all of them, computed in
// double.

#include <array>
#include <cmath>
#include <limits>
#include <numbers>
#include <utility>

#include "teff/engine/kernels/isa/tuning.h"
#include "teff/engine/ops.h"
#include "teff/engine/ops/checks.h"
#include "teff/engine/ops/dispatch.h"
#include "teff/engine/ops/op_tables.h"
#include "teff/engine/parallel.h"
#include "teff/engine/strided_copy.h"

namespace teff {
namespace {

constexpr double kTwoOverRootPi = 2 * std::numbers::inv_sqrtpi;

/// The inverse of erf: Winitzki's approximation, then Halley's steps.
double inverse_erf(double x) {
  if (!(std::abs(x) < 1)) return std::abs(x) == 1 ? std::copysign(std::numeric_limits<double>::infinity(), x) : NAN;
  constexpr double kA = 0.147;
  const double log = std::log1p(-x * x), half = 2 / (std::numbers::pi * kA) + log / 2;
  double y = std::copysign(std::sqrt(std::sqrt(half * half - log / kA) - half), x);
  for (int i = 0; i < 3; ++i) {
    // Near 1 the error is measured on the side where it is small.
    const double error =
        std::abs(x) > 0.5 ? std::copysign(1.0, x) * ((1 - std::abs(x)) - std::erfc(std::abs(y))) : std::erf(y) - x;
    const double step = error / (kTwoOverRootPi * std::exp(-y * y));
    y -= step / (1 + y * step);
  }
  return y;
}

double sign_of(double x) { return static_cast<double>(x > 0) - static_cast<double>(x < 0); }

struct Function {
  std::string_view name;
  double (*value)(double x);
  double (*slope)(double x);  // null: 0
};

// clang-format off
constexpr Function kFunctions[] = {
    {"sin", [](double x) { return std::sin(x); }, [](double x) { return std::cos(x); }},
    {"cos", [](double x) { return std::cos(x); }, [](double x) { return -std::sin(x); }},
    {"tan", [](double x) { return std::tan(x); }, [](double x) { return 1 + std::tan(x) * std::tan(x); }},
    {"asin", [](double x) { return std::asin(x); }, [](double x) { return 1 / std::sqrt(1 - x * x); }},
    {"acos", [](double x) { return std::acos(x); }, [](double x) { return -1 / std::sqrt(1 - x * x); }},
    {"atan", [](double x) { return std::atan(x); }, [](double x) { return 1 / (1 + x * x); }},
    {"sinh", [](double x) { return std::sinh(x); }, [](double x) { return std::cosh(x); }},
    {"cosh", [](double x) { return std::cosh(x); }, [](double x) { return std::sinh(x); }},
    {"asinh", [](double x) { return std::asinh(x); }, [](double x) { return 1 / std::sqrt(x * x + 1); }},
    {"acosh", [](double x) { return std::acosh(x); }, [](double x) { return 1 / std::sqrt(x * x - 1); }},
    {"atanh", [](double x) { return std::atanh(x); }, [](double x) { return 1 / (1 - x * x); }},
    {"log1p", [](double x) { return std::log1p(x); }, [](double x) { return 1 / (1 + x); }},
    {"log2", [](double x) { return std::log2(x); }, [](double x) { return 1 / (x * std::numbers::ln2); }},
    {"log10", [](double x) { return std::log10(x); }, [](double x) { return 1 / (x * std::numbers::ln10); }},
    {"expm1", [](double x) { return std::expm1(x); }, [](double x) { return std::exp(x); }},
    {"exp2", [](double x) { return std::exp2(x); }, [](double x) { return std::exp2(x) * std::numbers::ln2; }},
    {"erf", [](double x) { return std::erf(x); }, [](double x) { return kTwoOverRootPi * std::exp(-x * x); }},
    {"erfc", [](double x) { return std::erfc(x); }, [](double x) { return -kTwoOverRootPi * std::exp(-x * x); }},
    {"erfinv", inverse_erf, [](double x) { const double y = inverse_erf(x); return std::exp(y * y) / kTwoOverRootPi; }},
    {"rsqrt", [](double x) { return 1 / std::sqrt(x); }, [](double x) { return -0.5 / (x * std::sqrt(x)); }},
    {"floor", [](double x) { return std::floor(x); }, nullptr},
    {"ceil", [](double x) { return std::ceil(x); }, nullptr},
    {"round", [](double x) { return std::nearbyint(x); }, nullptr},
    {"trunc", [](double x) { return std::trunc(x); }, nullptr},
    {"frac", [](double x) { return x - std::trunc(x); }, [](double) { return 1.0; }},
    {"sign", sign_of, nullptr},
};
// clang-format on
constexpr std::size_t kCount = std::size(kFunctions);

/// y = f(x), dX = dY * f'(x)
class Math : public Op {
 public:
  explicit Math(const Function& function) : function_(&function) {}

  std::string_view name() const override { return function_->name; }
  Dict attributes() const override { return {}; }
  std::shared_ptr<const Op> share() const override {
    return std::allocate_shared<const Math>(CachingAllocator<Math>(), *this);
  }
  Widening widening() const override { return Widening::floating; }
  bool saves_input(std::size_t) const override { return function_->slope != nullptr; }

  TensorType output_type(std::span<const TensorType> inputs) const override {
    detail::check_arity(name(), inputs, 1);
    ops::check_computable(name(), inputs);
    return inputs[0];
  }

  Tensor forward(const ForwardContext& context) const override {
    Tensor y = context.make_result();
    ops::visit_computable(y.dtype(), [&](auto zero) {
      using T = decltype(zero);
      map<T>(context.inputs[0].data<T>(), nullptr, y, function_->value);
    });
    return y;
  }

  TensorList backward(const BackwardContext& context) const override {
    if (function_->slope == nullptr) return {ops::new_zeros(context.grad.type())};
    Tensor grad_x = context.make_gradient();
    ops::visit_computable(grad_x.dtype(), [&](auto zero) {
      using T = decltype(zero);
      map<T>(context.inputs[0].data<T>(), context.grad.data<T>(), grad_x, function_->slope);
    });
    return {grad_x};
  }

 private:
  static constexpr std::int64_t kGrain = kernels::kGrain / 16;  // an element takes longer than an addition

  /// out = f(x), times `factor` if there is one.
  template <class T>
  static void map(const T* x, const T* factor, const Tensor& result, double (*f)(double)) {
    T* out = result.data<T>();
    parallel_ranges(result.numel(), kGrain, [=](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        const double y = f(static_cast<double>(x[i]));
        out[i] = static_cast<T>(factor == nullptr ? y : y * static_cast<double>(factor[i]));
      }
    });
  }

  const Function* function_;
};

std::shared_ptr<const Op> make(const Function& function, const Dict& attributes) {
  detail::refuse_unknown_fields(function.name, attributes, {});
  return Math(function).share();
}

template <std::size_t kPlace>
std::shared_ptr<const Op> make_at(const Dict& attributes) {
  return make(kFunctions[kPlace], attributes);
}

consteval std::size_t place_of(std::string_view name) {
  for (std::size_t i = 0; i < kCount; ++i) {
    if (kFunctions[i].name == name) return i;
  }
  throw "no such function";
}

Tensor call(std::size_t place, const Tensor& x) { return apply(Math(kFunctions[place]), {x}); }

/// For functions that do nothing to whole numbers.
Tensor call_unless_whole(std::size_t place, const Tensor& x) {
  return x.defined() && !is_floating_point(x.dtype()) ? x.clone() : call(place, x);
}

}  // namespace

Tensor sin(const Tensor& x) { return call(place_of("sin"), x); }
Tensor cos(const Tensor& x) { return call(place_of("cos"), x); }
Tensor tan(const Tensor& x) { return call(place_of("tan"), x); }
Tensor asin(const Tensor& x) { return call(place_of("asin"), x); }
Tensor acos(const Tensor& x) { return call(place_of("acos"), x); }
Tensor atan(const Tensor& x) { return call(place_of("atan"), x); }
Tensor sinh(const Tensor& x) { return call(place_of("sinh"), x); }
Tensor cosh(const Tensor& x) { return call(place_of("cosh"), x); }
Tensor asinh(const Tensor& x) { return call(place_of("asinh"), x); }
Tensor acosh(const Tensor& x) { return call(place_of("acosh"), x); }
Tensor atanh(const Tensor& x) { return call(place_of("atanh"), x); }
Tensor log1p(const Tensor& x) { return call(place_of("log1p"), x); }
Tensor log2(const Tensor& x) { return call(place_of("log2"), x); }
Tensor log10(const Tensor& x) { return call(place_of("log10"), x); }
Tensor expm1(const Tensor& x) { return call(place_of("expm1"), x); }
Tensor exp2(const Tensor& x) { return call(place_of("exp2"), x); }
Tensor erf(const Tensor& x) { return call(place_of("erf"), x); }
Tensor erfc(const Tensor& x) { return call(place_of("erfc"), x); }
Tensor erfinv(const Tensor& x) { return call(place_of("erfinv"), x); }
Tensor rsqrt(const Tensor& x) { return call(place_of("rsqrt"), x); }
Tensor floor(const Tensor& x) { return call_unless_whole(place_of("floor"), x); }
Tensor ceil(const Tensor& x) { return call_unless_whole(place_of("ceil"), x); }
Tensor round(const Tensor& x) { return call_unless_whole(place_of("round"), x); }
Tensor trunc(const Tensor& x) { return call_unless_whole(place_of("trunc"), x); }
Tensor frac(const Tensor& x) { return call(place_of("frac"), x); }

Tensor sign(const Tensor& x) {
  if (!x.defined() || is_floating_point(x.dtype())) return call(place_of("sign"), x);
  return x.dtype() == DType::bool_ ? x.clone() : sub(gt(x, 0).to(x.dtype()), lt(x, 0).to(x.dtype()));
}

std::span<const OpEntry> ops::math_ops() {
  static const auto entries = []<std::size_t... kPlaces>(std::index_sequence<kPlaces...>) {
    return std::array{OpEntry{kFunctions[kPlaces].name, 1, make_at<kPlaces>}...};
  }
  (std::make_index_sequence<kCount>());
  return entries;
}

}  // namespace teff

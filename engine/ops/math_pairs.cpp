// SPDX-License-Identifier: MIT

// Functions of two numbers that are asked for less often than those of binary.cpp: one op for all of them, computed in
// double and int64.

#include <array>
#include <cmath>
#include <cstdint>
#include <utility>

#include "teff/engine/convert.h"
#include "teff/engine/ops.h"
#include "teff/engine/ops/broadcast.h"
#include "teff/engine/ops/checks.h"
#include "teff/engine/ops/dispatch.h"
#include "teff/engine/ops/op_tables.h"
#include "teff/engine/ops/promotion.h"
#include "teff/engine/tensor_impl.h"

namespace teff {
namespace {

std::int64_t negated(std::int64_t x) { return static_cast<std::int64_t>(0 - static_cast<std::uint64_t>(x)); }

// b is not 0. The least number divided by -1 wraps around.
std::int64_t whole_fmod(std::int64_t a, std::int64_t b) { return b == -1 ? 0 : a % b; }
std::int64_t whole_remainder(std::int64_t a, std::int64_t b) {
  const std::int64_t rest = whole_fmod(a, b);
  return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}
std::int64_t whole_floor_divide(std::int64_t a, std::int64_t b) {
  if (b == -1) return negated(a);
  return a / b - (a % b != 0 && (a < 0) != (b < 0) ? 1 : 0);
}
std::int64_t shifted_left(std::int64_t a, std::int64_t b) {
  return b < 0 || b > 63 ? 0 : static_cast<std::int64_t>(static_cast<std::uint64_t>(a) << b);
}
std::int64_t shifted_right(std::int64_t a, std::int64_t b) { return a >> (b < 0 || b > 63 ? 63 : b); }

double remainder_of(double a, double b) {
  const double rest = std::fmod(a, b);
  return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}
/// As Python does it: the quotient that goes with remainder_of, rounded.
double floor_quotient(double a, double b) {
  if (b == 0) return a / b;
  const double rest = std::fmod(a, b);
  const double quotient = (a - rest) / b - (rest != 0 && (rest < 0) != (b < 0) ? 1 : 0);
  if (quotient == 0) return std::copysign(0.0, a / b);
  const double floor = std::floor(quotient);
  return quotient - floor > 0.5 ? floor + 1 : floor;
}
double log_of_sum(double a, double b) {
  if (std::isinf(a) && a == b) return a;
  const double greater = std::fmax(a, b);
  return std::isnan(a) || std::isnan(b) ? a + b : greater + std::log1p(std::exp(-std::abs(a - b)));
}
double xlogy_of(double a, double b) { return std::isnan(b) ? b : a == 0 ? 0 : a * std::log(b); }

using OfNumbers = double (*)(double a, double b);
using OfWhole = std::int64_t (*)(std::int64_t a, std::int64_t b);

struct PairFunction {
  std::string_view name;
  OfNumbers value, slope_a, slope_b;  // null: for whole numbers only; slopes 0
  OfWhole whole = nullptr;            // null: whole numbers become float32
  bool divides = false;               // b must not be 0, where whole
  bool takes_bool = false;
};

// clang-format off
constexpr PairFunction kPairFunctions[] = {
    {"fmod", [](double a, double b) { return std::fmod(a, b); }, [](double, double) { return 1.0; },
     [](double a, double b) { return -std::trunc(a / b); }, whole_fmod, true},
    {"remainder", remainder_of, [](double, double) { return 1.0; },
     [](double a, double b) { return -floor_quotient(a, b); }, whole_remainder, true},
    {"floor_divide", floor_quotient, nullptr, nullptr, whole_floor_divide, true},
    {"atan2", [](double a, double b) { return std::atan2(a, b); }, [](double a, double b) { return b / (a * a + b * b); },
     [](double a, double b) { return -a / (a * a + b * b); }},
    {"hypot", [](double a, double b) { return std::hypot(a, b); },
     [](double a, double b) { return a / std::hypot(a, b); }, [](double a, double b) { return b / std::hypot(a, b); }},
    {"logaddexp", log_of_sum, [](double a, double b) { return 1 / (1 + std::exp(b - a)); },
     [](double a, double b) { return 1 / (1 + std::exp(a - b)); }},
    {"xlogy", xlogy_of, [](double a, double b) { return a == 0 && b <= 0 ? 0 : std::log(b); },
     [](double a, double b) { return a / b; }},
    {"bitwise_and", nullptr, nullptr, nullptr, [](std::int64_t a, std::int64_t b) { return a & b; }, false, true},
    {"bitwise_or", nullptr, nullptr, nullptr, [](std::int64_t a, std::int64_t b) { return a | b; }, false, true},
    {"bitwise_xor", nullptr, nullptr, nullptr, [](std::int64_t a, std::int64_t b) { return a ^ b; }, false, true},
    {"bitwise_left_shift", nullptr, nullptr, nullptr, shifted_left},
    {"bitwise_right_shift", nullptr, nullptr, nullptr, shifted_right},
};
// clang-format on
constexpr std::size_t kPairCount = std::size(kPairFunctions);

/// out = f(a, b) in the type `Wide`, times `factor` if there is one.
template <class T, class Wide>
void map(const Tensor& a, const Tensor& b, const Tensor* factor, const Tensor& out, Wide (*f)(Wide, Wide)) {
  const T *from_a = a.data<T>(), *from_b = b.data<T>(), *factors = factor == nullptr ? nullptr : factor->data<T>();
  T* to = out.data<T>();
  ops::Broadcast(out.shape(), a.shape(), b.shape()).for_each_run([=](const ops::BroadcastRun& r) {
    for (std::int64_t i = 0; i < r.count; ++i) {
      Wide y =
          f(static_cast<Wide>(from_a[r.a_begin + i * r.a_step]), static_cast<Wide>(from_b[r.b_begin + i * r.b_step]));
      if (factors != nullptr) y *= static_cast<Wide>(factors[r.out_begin + i]);
      to[r.out_begin + i] = static_cast<T>(y);
    }
  });
}

void map_numbers(const Tensor& a, const Tensor& b, const Tensor* factor, const Tensor& out, OfNumbers f) {
  ops::visit_computable(out.dtype(), [&](auto zero) { map<decltype(zero)>(a, b, factor, out, f); });
}

/// Y = f(A, B), broadcast; dA = dY * df/da, dB = dY * df/db
class MathPair : public Op {
 public:
  explicit MathPair(const PairFunction& function) : function_(&function) {}

  std::string_view name() const override { return function_->name; }
  Dict attributes() const override { return {}; }
  std::shared_ptr<const Op> share() const override {
    return std::allocate_shared<const MathPair>(CachingAllocator<MathPair>(), *this);
  }
  Widening widening() const override { return function_->whole == nullptr ? Widening::floating : Widening::integers; }
  bool differentiable() const override { return function_->value != nullptr; }
  bool saves_input(std::size_t) const override { return function_->slope_a != nullptr; }

  TensorType output_type(std::span<const TensorType> inputs) const override {
    detail::check_arity(name(), inputs, 2);
    check_dtypes(inputs);
    return {ops::broadcast_shape(name(), inputs[0].shape, inputs[1].shape), inputs[0].dtype};
  }

  Tensor forward(const ForwardContext& context) const override {
    const Tensor &a = context.inputs[0], &b = context.inputs[1];
    Tensor y = context.make_result();
    if (y.dtype() == DType::int64) {
      check_divisors(b);
      map<std::int64_t>(a, b, nullptr, y, function_->whole);
    } else if (y.dtype() == DType::bool_) {
      map<bool>(a, b, nullptr, y, function_->whole);
    } else {
      map_numbers(a, b, nullptr, y, function_->value);
    }
    return y;
  }

  TensorList backward(const BackwardContext& context) const override {
    TensorList grads(2);
    for (std::size_t i = 0; i < 2; ++i) {
      if (context.wanted[i]) grads[i] = ops::sum_to(slope(context, i), context.inputs[i].shape());
    }
    return grads;
  }

 private:
  void check_dtypes(std::span<const TensorType> inputs) const {
    ops::check_one_dtype(name(), inputs);
    const DType dtype = inputs[0].dtype;
    if (dtype == DType::int64 && function_->whole != nullptr) return;
    if (dtype == DType::bool_ && function_->takes_bool) return;
    if (function_->value != nullptr) return ops::check_computable(name(), inputs);
    ops::fail<TypeError>(name(), function_->takes_bool ? "whole numbers or bool" : "whole numbers", ", got ",
                         to_string(dtype), "; convert with to(DType::int64)");
  }

  void check_divisors(const Tensor& b) const {
    if (!function_->divides) return;
    for (const std::int64_t divisor : b.span<std::int64_t>()) {
      if (divisor == 0) ops::fail<ValueError>(name(), "whole numbers to be divided by others than 0, got 0");
    }
  }

  Tensor slope(const BackwardContext& context, std::size_t i) const {
    const OfNumbers f = i == 0 ? function_->slope_a : function_->slope_b;
    if (f == nullptr) return zeros_like(context.grad);
    Tensor result = detail::make_tensor(context.grad.type());
    map_numbers(context.inputs[0], context.inputs[1], &context.grad, result, f);
    return result;
  }

  const PairFunction* function_;
};

template <std::size_t kPlace>
std::shared_ptr<const Op> make_pair_at(const Dict& attributes) {
  detail::refuse_unknown_fields(kPairFunctions[kPlace].name, attributes, {});
  return MathPair(kPairFunctions[kPlace]).share();
}

consteval std::size_t pair_place_of(std::string_view name) {
  for (std::size_t i = 0; i < kPairCount; ++i) {
    if (kPairFunctions[i].name == name) return i;
  }
  throw "no such function";
}

Tensor call(std::size_t place, const Tensor& a, const Tensor& b) {
  return apply(MathPair(kPairFunctions[place]), {a, b});
}
Tensor call(std::size_t place, const Tensor& a, Scalar b) {
  return a.defined() ? call(place, ops::promoted(a, b), ops::number_for(a, b)) : call(place, a, a);
}

}  // namespace

Tensor fmod(const Tensor& a, const Tensor& b) { return call(pair_place_of("fmod"), a, b); }
Tensor fmod(const Tensor& a, Scalar b) { return call(pair_place_of("fmod"), a, b); }
Tensor remainder(const Tensor& a, const Tensor& b) { return call(pair_place_of("remainder"), a, b); }
Tensor remainder(const Tensor& a, Scalar b) { return call(pair_place_of("remainder"), a, b); }
Tensor floor_divide(const Tensor& a, const Tensor& b) { return call(pair_place_of("floor_divide"), a, b); }
Tensor floor_divide(const Tensor& a, Scalar b) { return call(pair_place_of("floor_divide"), a, b); }
Tensor atan2(const Tensor& y, const Tensor& x) { return call(pair_place_of("atan2"), y, x); }
Tensor hypot(const Tensor& a, const Tensor& b) { return call(pair_place_of("hypot"), a, b); }
Tensor logaddexp(const Tensor& a, const Tensor& b) { return call(pair_place_of("logaddexp"), a, b); }
Tensor xlogy(const Tensor& a, const Tensor& b) { return call(pair_place_of("xlogy"), a, b); }

Tensor bitwise_and(const Tensor& a, const Tensor& b) { return call(pair_place_of("bitwise_and"), a, b); }
Tensor bitwise_or(const Tensor& a, const Tensor& b) { return call(pair_place_of("bitwise_or"), a, b); }
Tensor bitwise_xor(const Tensor& a, const Tensor& b) { return call(pair_place_of("bitwise_xor"), a, b); }
Tensor bitwise_and(const Tensor& a, Scalar b) { return call(pair_place_of("bitwise_and"), a, b); }
Tensor bitwise_or(const Tensor& a, Scalar b) { return call(pair_place_of("bitwise_or"), a, b); }
Tensor bitwise_xor(const Tensor& a, Scalar b) { return call(pair_place_of("bitwise_xor"), a, b); }
Tensor bitwise_left_shift(const Tensor& a, const Tensor& b) { return call(pair_place_of("bitwise_left_shift"), a, b); }
Tensor bitwise_right_shift(const Tensor& a, const Tensor& b) {
  return call(pair_place_of("bitwise_right_shift"), a, b);
}

std::span<const OpEntry> ops::math_pair_ops() {
  static const auto entries = []<std::size_t... kPlaces>(std::index_sequence<kPlaces...>) {
    return std::array{OpEntry{kPairFunctions[kPlaces].name, 1, make_pair_at<kPlaces>}...};
  }
  (std::make_index_sequence<kPairCount>());
  return entries;
}

}  // namespace teff

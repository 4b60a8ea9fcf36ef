// SPDX-License-Identifier: MIT

// ATen's functions of each element.

#include <cmath>

#include "teff/engine/error.h"
#include "teff/engine/ops.h"
#include "teff/serialize/operators/aten_arguments.h"

namespace teff::serialize {
namespace {

using AtenCall = OperatorCall;
using ByValue = Conversion::ByValue;
using Unary = Conversion::Unary;

constexpr std::string_view kSelf = "self", kSelfOther = "self other";

/// self + alpha * other
template <Tensor (*of_tensors)(const Tensor&, const Tensor&), Tensor (*of_number)(const Tensor&, Scalar)>
Tensor with_alpha(const AtenCall& c) {
  const std::optional<Scalar> alpha = aten_scalar(c, "alpha");
  if (!alpha || alpha->to_double() == 1) return with_other<of_tensors, of_number>(c);
  const Tensor self = c.tensor(0);
  const auto [a, b] = promoted(self, c.tensor(1));
  return of_tensors(a, mul(b, *alpha));
}

/// other - alpha * self
Tensor subtracted_from(const AtenCall& c) {
  const Tensor self = c.tensor(0);
  const std::optional<Scalar> alpha = aten_scalar(c, "alpha");
  const Tensor scaled = alpha && alpha->to_double() != 1 ? mul(self, *alpha) : self;
  if (const std::optional<Scalar> number = number_beside(c, "other", 1, self)) return sub(*number, scaled);
  const auto [a, b] = promoted(c.tensor(1), scaled);
  return sub(a, b);
}

Tensor divided(const AtenCall& c) {
  const std::string rounding = c.text("rounding_mode", "");
  if (rounding.empty()) return with_other<div, div>(c);
  expect_supported(rounding == "floor" || rounding == "trunc", "expected rounding floor or trunc, got " + rounding);
  const RoundingMode mode = rounding == "floor" ? RoundingMode::floor : RoundingMode::trunc;
  const Tensor self = c.tensor(0);
  if (const std::optional<Scalar> number = number_beside(c, "other", 1, self)) return div(self, *number, mode);
  const auto [a, b] = promoted(self, c.tensor(1));
  return div(a, b, mode);
}

/// The base or the exponent may be a number.
Tensor raised(const AtenCall& c) {
  const Tensor base = c.tensor(0), exponent = c.tensor(1);
  if (!is_tensor(c, "self")) return pow(*aten_scalar(c, "self"), exponent);
  if (const std::optional<Scalar> number = number_beside(c, "exponent", 1, base)) return pow(base, *number);
  const auto [a, b] = promoted(base, exponent);
  return pow(a, b);
}

Tensor raised_in_double(const AtenCall& c) {
  const Tensor base = to(c.tensor(0), DType::float64);
  if (!is_tensor(c, "exponent")) return pow(base, *aten_scalar(c, "exponent"));
  return pow(base, to(c.tensor(1), DType::float64));
}

template <OfTensors function>
Tensor of_two(const AtenCall& c) {
  const auto [a, b] = promoted(c.tensor(0), c.tensor(1));
  return function(a, b);
}

/// Whole numbers as float32: what has no place for them.
template <OfTensors function>
Tensor of_two_reals(const AtenCall& c) {
  const auto [a, b] = promoted(c.tensor(0), c.tensor(1));
  return is_floating_point(a.dtype()) ? function(a, b) : function(to(a, DType::float32), to(b, DType::float32));
}

/// The limits `low` and `high` are the names of, of which one may be "".
Tensor limited_by(const AtenCall& c, std::string_view low, std::string_view high) {
  Tensor x = c.tensor(0);
  if (!is_tensor(c, low) && !is_tensor(c, high)) return clamp(x, aten_scalar(c, low), aten_scalar(c, high));
  const std::size_t last = c.option(high) && !low.empty() ? 2 : 1;
  Tensor least = c.option(low) ? c.tensor(1) : Tensor(), most = c.option(high) ? c.tensor(last) : Tensor();
  for (const Tensor* limit : {&least, &most}) {
    if (limit->defined()) x = promoted(x, *limit).first;
  }
  if (least.defined()) least = aten_to(least, x.dtype());
  if (most.defined()) most = aten_to(most, x.dtype());
  return clamp(x, least, most);
}
Tensor limited(const AtenCall& c) { return limited_by(c, "min", "max"); }
Tensor limited_below(const AtenCall& c) { return limited_by(c, "min", ""); }
Tensor limited_above(const AtenCall& c) { return limited_by(c, "", "max"); }

Tensor chosen_of_two(const AtenCall& c) {
  const Tensor condition = c.tensor(0);
  const bool has_a = is_tensor(c, "self"), has_b = is_tensor(c, "other");
  if (!has_a || !has_b) {
    const std::optional<Value> a = c.option("self"), b = c.option("other");
    expect_supported(a && b, "expected where(condition, a, b), got where(condition)");
    if (has_a) return where(condition, c.tensor(1), aten_scalar(*b));
    if (has_b) return where(condition, aten_scalar(*a), c.tensor(2));
    return where(condition, aten_scalar(*a), aten_scalar(*b));
  }
  const auto [x, y] = promoted(c.tensor(1), c.tensor(2));
  return where(condition, x, y);
}

Tensor filled_where(const AtenCall& c) {
  const Tensor self = c.tensor(0);
  if (is_tensor(c, "value")) return masked_fill(self, c.tensor(1), aten_to(c.tensor(2), self.dtype()));
  return masked_fill(self, c.tensor(1), aten_scalar(c, "value").value_or(Scalar(0)));
}

Tensor interpolated(const AtenCall& c) {
  if (!is_tensor(c, "weight")) return lerp(c.tensor(0), c.tensor(1), c.number("weight", 0));
  return lerp(c.tensor(0), c.tensor(1), c.tensor(2));
}

using OfThree = Tensor (*)(const Tensor&, const Tensor&, const Tensor&, Scalar);
template <OfThree function>
Tensor added_to(const AtenCall& c) {
  return function(c.tensor(0), c.tensor(1), c.tensor(2), aten_scalar(c, "value").value_or(Scalar(1)));
}

Tensor gelu_as_told(const AtenCall& c) {
  const std::string approximate = c.text("approximate", "none");
  expect_supported(approximate == "none" || approximate == "tanh", "expected none or tanh, got " + approximate);
  return gelu(c.tensor(0), approximate == "tanh" ? GeluApproximation::tanh : GeluApproximation::none);
}

/// scale * (x > 0 ? x : alpha * (exp(x * input_scale) - 1))
Tensor elu_as_told(const AtenCall& c) {
  const double alpha = c.number("alpha", 1), scale = c.number("scale", 1), inner = c.number("input_scale", 1);
  const Tensor x = c.tensor(0), y = inner == 1 ? elu(x, alpha) : where(x > 0, x, alpha * expm1(x * inner));
  return scale == 1 ? y : y * scale;
}

Tensor rrelu_as_told(const AtenCall& c) {
  c.ignore("generator");
  return rrelu(c.tensor(0), c.number("lower", 1.0 / 8), c.number("upper", 1.0 / 3), c.flag("training", false));
}

Tensor numbers_mended(const AtenCall& c) {
  return nan_to_num(c.tensor(0), c.number("nan", 0), aten_number(c, "posinf"), aten_number(c, "neginf"));
}

Tensor rounded_to(const AtenCall& c) {
  const std::int64_t decimals = c.integer("decimals", 0);
  expect_supported(decimals >= -15 && decimals <= 15, "expected at most 15 decimals, got more");
  if (decimals == 0) return round(c.tensor(0));
  const double scale = std::pow(10.0, static_cast<double>(decimals));
  return div(round(mul(c.tensor(0), scale)), scale);
}

template <int degrees>
Tensor turned_to(const AtenCall& c) {
  constexpr double kPi = 3.14159265358979323846;
  return c.tensor(0) * (degrees > 0 ? 180 / kPi : kPi / 180);
}

Tensor nearly_equal(const AtenCall& c) {
  return isclose(c.tensor(0), c.tensor(1),
                 {c.number("rtol", 1e-5), c.number("atol", 1e-8), c.flag("equal_nan", false)});
}

/// Slopes that broadcast, as exported programs have them.
Tensor sloped(const AtenCall& c) {
  const Tensor x = c.tensor(0);
  return where(x > 0, x, x * c.tensor(1));
}

template <Tensor (*function)(const Tensor&, double)>
Tensor with_lambda(const AtenCall& c) {
  return function(c.tensor(0), c.number("lambd", 0.5));
}

constexpr AtenRow kAtenPointwise[] = {
    {"_prelu_kernel", "self weight", sloped},
    {"abs", kSelf, ByValue(abs)},
    {"acos", kSelf, Unary(acos)},
    {"acosh", kSelf, Unary(acosh)},
    {"add", "self other alpha", with_alpha<add, add>},
    {"addcdiv", "self tensor1 tensor2 value", added_to<addcdiv>},
    {"addcmul", "self tensor1 tensor2 value", added_to<addcmul>},
    {"asin", kSelf, Unary(asin)},
    {"asinh", kSelf, Unary(asinh)},
    {"atan", kSelf, Unary(atan)},
    {"atan2", kSelfOther, of_two_reals<atan2>},
    {"atanh", kSelf, Unary(atanh)},
    {"bitwise_and", kSelfOther, with_other<bitwise_and, bitwise_and>},
    {"bitwise_left_shift", kSelfOther, of_two<bitwise_left_shift>},
    {"bitwise_not", kSelf, Unary(bitwise_not)},
    {"bitwise_or", kSelfOther, with_other<bitwise_or, bitwise_or>},
    {"bitwise_right_shift", kSelfOther, of_two<bitwise_right_shift>},
    {"bitwise_xor", kSelfOther, with_other<bitwise_xor, bitwise_xor>},
    {"ceil", kSelf, Unary(ceil)},
    {"celu", "self alpha", +[](const AtenCall& c) { return celu(c.tensor(0), c.number("alpha", 1)); }},
    {"clamp", "self min max", limited},
    {"clamp_max", "self max", limited_above},
    {"clamp_min", "self min", limited_below},
    {"cos", kSelf, Unary(cos)},
    {"cosh", kSelf, Unary(cosh)},
    {"deg2rad", kSelf, turned_to<-1>},
    {"digamma", kSelf, Unary(digamma)},
    {"div", "self other rounding_mode", divided},
    {"elu", "self alpha scale input_scale", elu_as_told},
    {"eq", kSelfOther, with_other<eq, eq>},
    {"erf", kSelf, Unary(erf)},
    {"erfc", kSelf, Unary(erfc)},
    {"erfinv", kSelf, Unary(erfinv)},
    {"exp", kSelf, ByValue(exp)},
    {"exp2", kSelf, Unary(exp2)},
    {"expm1", kSelf, Unary(expm1)},
    {"float_power", "self exponent", raised_in_double},
    {"floor", kSelf, Unary(floor)},
    {"floor_divide", kSelfOther, with_other<floor_divide, floor_divide>},
    {"fmod", kSelfOther, with_other<fmod, fmod>},
    {"frac", kSelf, Unary(frac)},
    {"ge", kSelfOther, with_other<ge, ge>},
    {"gelu", "self approximate", gelu_as_told},
    {"glu", "self dim", +[](const AtenCall& c) { return glu(c.tensor(0), c.integer("dim", -1)); }},
    {"gt", kSelfOther, with_other<gt, gt>},
    {"hardshrink", "self lambd", with_lambda<hardshrink>},
    {"hardsigmoid", kSelf, ByValue(hardsigmoid)},
    {"hardswish", kSelf, ByValue(hardswish)},
    {"hardtanh", "self min_val max_val",
     +[](const AtenCall& c) { return hardtanh(c.tensor(0), c.number("min_val", -1), c.number("max_val", 1)); }},
    {"hypot", kSelfOther, of_two<hypot>},
    {"isclose", "self other rtol atol equal_nan", nearly_equal},
    {"isfinite", kSelf, Unary(isfinite)},
    {"isinf", kSelf, Unary(isinf)},
    {"isnan", kSelf, Unary(isnan)},
    {"isneginf", kSelf, Unary(isneginf)},
    {"isposinf", kSelf, Unary(isposinf)},
    {"le", kSelfOther, with_other<le, le>},
    {"leaky_relu", "self negative_slope",
     +[](const AtenCall& c) { return leaky_relu(c.tensor(0), c.number("negative_slope", 0.01)); }},
    {"lerp", "self end weight", interpolated},
    {"lgamma", kSelf, Unary(lgamma)},
    {"log", kSelf, ByValue(log)},
    {"log10", kSelf, Unary(log10)},
    {"log1p", kSelf, Unary(log1p)},
    {"log2", kSelf, Unary(log2)},
    {"log_sigmoid", kSelf, Unary(logsigmoid)},
    {"logaddexp", kSelfOther, of_two<logaddexp>},
    {"logical_and", kSelfOther, +[](const AtenCall& c) { return logical_and(c.tensor(0), c.tensor(1)); }},
    {"logical_not", kSelf, Unary(logical_not)},
    {"logical_or", kSelfOther, +[](const AtenCall& c) { return logical_or(c.tensor(0), c.tensor(1)); }},
    {"logical_xor", kSelfOther, +[](const AtenCall& c) { return logical_xor(c.tensor(0), c.tensor(1)); }},
    {"logit", "self eps", +[](const AtenCall& c) { return logit(c.tensor(0), aten_number(c, "eps")); }},
    {"lt", kSelfOther, with_other<lt, lt>},
    {"masked_fill", "self mask value", filled_where},
    {"maximum", kSelfOther, of_two<maximum>},
    {"minimum", kSelfOther, of_two<minimum>},
    {"mish", kSelf, Unary(mish)},
    {"mul", kSelfOther, with_other<mul, mul>},
    {"nan_to_num", "self nan posinf neginf", numbers_mended},
    {"ne", kSelfOther, with_other<ne, ne>},
    {"neg", kSelf, ByValue(neg)},
    {"pow", "self exponent", raised},
    {"prelu", "self weight", +[](const AtenCall& c) { return prelu(c.tensor(0), c.tensor(1)); }},
    {"rad2deg", kSelf, turned_to<1>},
    {"reciprocal", kSelf, Unary(reciprocal)},
    {"relu", kSelf, ByValue(relu)},
    {"relu6", kSelf, ByValue(relu6)},
    {"remainder", kSelfOther, with_other<remainder, remainder>},
    {"round", "self decimals", rounded_to},
    {"rrelu", "self lower upper training generator", rrelu_as_told},
    {"rsqrt", kSelf, Unary(rsqrt)},
    {"rsub", "self other alpha", subtracted_from},
    {"selu", kSelf, Unary(selu)},
    {"sigmoid", kSelf, ByValue(sigmoid)},
    {"sign", kSelf, Unary(sign)},
    {"silu", kSelf, ByValue(silu)},
    {"sin", kSelf, Unary(sin)},
    {"sinh", kSelf, Unary(sinh)},
    {"softplus", "self beta threshold",
     +[](const AtenCall& c) { return softplus(c.tensor(0), c.number("beta", 1), c.number("threshold", 20)); }},
    {"softshrink", "self lambd", with_lambda<softshrink>},
    {"sqrt", kSelf, ByValue(sqrt)},
    {"square", kSelf, Unary(square)},
    {"sub", "self other alpha", with_alpha<sub, sub>},
    {"tan", kSelf, Unary(tan)},
    {"tanh", kSelf, ByValue(tanh)},
    {"threshold", "self threshold value",
     +[](const AtenCall& c) { return threshold(c.tensor(0), c.number("threshold", 0), c.number("value", 0)); }},
    {"trunc", kSelf, Unary(trunc)},
    {"where", "condition self other", chosen_of_two},
    {"xlogy", kSelfOther, of_two<xlogy>},
};
static_assert(is_in_order(kAtenPointwise));

}  // namespace

const std::span<const AtenRow> operators::aten_pointwise = kAtenPointwise;

}  // namespace teff::serialize

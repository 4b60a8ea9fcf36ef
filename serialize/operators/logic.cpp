// SPDX-License-Identifier: MIT

// Functions of each element beyond arithmetic: trigonometry, roundings, logic, bits, choices.

#include "teff/engine/error.h"
#include "teff/engine/ops.h"
#include "teff/serialize/operators/operator_call.h"

namespace teff::serialize {
namespace {

using Call = OperatorCall;

Tensor chosen(const Call& c) { return where(c.tensor(0), c.tensor(1), c.tensor(2)); }

Tensor divided_rest(const Call& c) {
  const auto [a, b] = two_inputs(c);
  return c.flag("fmod", false) ? fmod(a, b) : remainder(a, b);
}

Tensor shifted(const Call& c) {
  const std::string direction = c.text("direction", "");
  if (direction != "LEFT" && direction != "RIGHT") throw FormatError("expected LEFT or RIGHT, got another direction");
  return direction == "LEFT" ? bitwise_left_shift(c.tensor(0), c.tensor(1))
                             : bitwise_right_shift(c.tensor(0), c.tensor(1));
}

Tensor is_infinite(const Call& c) {
  const bool below = c.flag("detect_negative", true), above = c.flag("detect_positive", true);
  const Tensor x = c.tensor(0);
  if (below && above) return isinf(x);
  if (below) return isneginf(x);
  return above ? isposinf(x) : logical_and(isnan(x), isinf(x));
}

Tensor thresholded(const Call& c) {
  const Tensor x = c.tensor(0);
  return where(x > c.number("alpha", 1), x, 0.0);
}

/// x + bias below -lambd, x - bias above lambd, else 0.
Tensor shrunk(const Call& c) {
  const Tensor x = c.tensor(0);
  const double bias = c.number("bias", 0), edge = c.number("lambd", 0.5);
  return where(x < -edge, x + bias, where(x > edge, x - bias, mul(x, 0)));
}

constexpr OperatorRow kLogicRows[] = {
    {"Acos", Conversion::Unary(acos)},
    {"Acosh", Conversion::Unary(acosh)},
    {"And", Conversion::Binary(logical_and)},
    {"Asin", Conversion::Unary(asin)},
    {"Asinh", Conversion::Unary(asinh)},
    {"Atan", Conversion::Unary(atan)},
    {"Atanh", Conversion::Unary(atanh)},
    {"BitShift", shifted},
    {"BitwiseAnd", Conversion::Binary(bitwise_and)},
    {"BitwiseNot", Conversion::Unary(bitwise_not)},
    {"BitwiseOr", Conversion::Binary(bitwise_or)},
    {"BitwiseXor", Conversion::Binary(bitwise_xor)},
    {"Ceil", Conversion::Unary(ceil)},
    {"Cos", Conversion::Unary(cos)},
    {"Cosh", Conversion::Unary(cosh)},
    {"Erf", Conversion::Unary(erf)},
    {"Floor", Conversion::Unary(floor)},
    {"IsInf", is_infinite},
    {"IsNaN", Conversion::Unary(isnan)},
    {"Mod", divided_rest},
    {"Not", Conversion::Unary(logical_not)},
    {"Or", Conversion::Binary(logical_or)},
    {"Round", Conversion::Unary(round)},
    {"Shrink", shrunk},
    {"Sign", Conversion::Unary(sign)},
    {"Sin", Conversion::Unary(sin)},
    {"Sinh", Conversion::Unary(sinh)},
    {"Tan", Conversion::Unary(tan)},
    {"ThresholdedRelu", thresholded},
    {"Where", chosen},
    {"Xor", Conversion::Binary(logical_xor)},
};

}  // namespace

const std::span<const OperatorRow> operators::logic = kLogicRows;

}  // namespace teff::serialize

// SPDX-License-Identifier: MIT

// The way out of functions of each element.

#include <cmath>
#include <limits>
#include <numbers>

#include "teff/engine/ops.h"
#include "teff/serialize/operators/export_call.h"

namespace teff::serialize {
namespace outgoing {
namespace {

using Call = ExportCall;

/// Input i; where the result of whole numbers is a real one, as such.
Term arg(Call& c, std::size_t i = 0) {
  const Term term = c.in(i);
  const bool is_real = is_floating_point(c.result().dtype) && !is_floating_point(term.dtype);
  return is_real ? c.cast(term, c.result().dtype) : term;
}

/// bool is computed as a whole number.
template <Term (*function)(Call&, const Term&, const Term&)>
Term whole(Call& c) {
  const bool is_bool = c.type(0).dtype == DType::bool_;
  const auto input = [&](std::size_t i) { return is_bool ? c.cast(arg(c, i), DType::int64) : arg(c, i); };
  return c.cast(function(c, input(0), input(1)), c.result().dtype);
}

template <const char* name>
Term named(Call& c, const Term& a, const Term& b) {
  return c.node(name, {a, b});
}
constexpr char kAdd[] = "Add", kSub[] = "Sub", kMul[] = "Mul", kDiv[] = "Div", kMaxOf[] = "Max", kMinOf[] = "Min",
               kPow[] = "Pow";

/// An operator of one input.
template <const char* name>
Term unary(Call& c) {
  return c.node(name, {arg(c)});
}
constexpr char kSin[] = "Sin", kCos[] = "Cos", kTan[] = "Tan", kAsin[] = "Asin", kAcos[] = "Acos", kAtan[] = "Atan",
               kSinh[] = "Sinh", kCosh[] = "Cosh", kAsinh[] = "Asinh", kAcosh[] = "Acosh", kAtanh[] = "Atanh",
               kErf[] = "Erf", kFloor[] = "Floor", kCeil[] = "Ceil", kRound[] = "Round", kSign[] = "Sign",
               kExp[] = "Exp", kLog[] = "Log", kSqrt[] = "Sqrt", kSigmoid[] = "Sigmoid", kTanh[] = "Tanh";

template <const char* name>
Term related(Call& c) {
  return c.test(name, c.all());
}
constexpr char kEqual[] = "Equal", kLess[] = "Less", kLessOrEqual[] = "LessOrEqual", kGreater[] = "Greater",
               kGreaterOrEqual[] = "GreaterOrEqual";

/// Whole numbers are compared with a whole number as such, with others as real ones.
template <const char* name>
Term related_number(Call& c) {
  const double value = c.number("value");
  const bool is_whole = std::trunc(value) == value && std::abs(value) < 0x1p53;
  const Term input = c.in(0);
  const bool as_real = !is_floating_point(input.dtype) && (!is_whole || input.dtype == DType::bool_);
  const Term compared = as_real ? c.cast(input, DType::float64) : input;
  return c.test(name, {compared, c.constant(value, compared.dtype)});
}

template <Term (*relation)(Call&)>
Term inverse(Call& c) {
  return c.node("Not", {relation(c)});
}

Term with_number(Call& c, const char* op, bool is_reversed = false) {
  const Term a = arg(c), b = c.constant(c.number("value"), a.dtype);
  return is_reversed ? c.node(op, {b, a}) : c.node(op, {a, b});
}

Term power(Call& c) { return c.node("Pow", {arg(c), c.constant(c.number("exponent"), arg(c).dtype)}); }

Term clipped(Call& c) {
  const auto edge = [&](const char* name) {
    return c.has(name) ? c.constant(c.number(name), c.type(0).dtype) : c.none();
  };
  return c.node("Clip", {c.in(0), edge("min"), edge("max")});
}

Term exact_gelu(Call& c) {
  const Term a = c.in(0);
  return a * 0.5 * (c.node("Erf", {a * (1 / std::numbers::sqrt2)}) + 1);
}

Term tanh_gelu(Call& c) {
  const Term a = c.in(0);
  const double scale = std::sqrt(2 / std::numbers::pi);
  return a * 0.5 * (c.node("Tanh", {(a + a * a * a * 0.044715) * scale}) + 1);
}

Term silu_of(Call& c) { return c.in(0) * c.node("Sigmoid", {c.in(0)}); }

Term softplus_of(Call& c) {
  const double beta = c.number("beta"), threshold = c.number("threshold");
  const Term a = c.in(0);
  if (beta == 1 && threshold >= 20) return c.node("Softplus", {a});
  const Term scaled = a * beta;
  const Term is_large = c.test("Greater", {scaled, c.constant(threshold, a.dtype)});
  return Call::as(c.node("Where", {is_large, a, c.node("Softplus", {scaled}) / beta}), a.dtype);
}

Term base_2(Call& c) { return c.node("Pow", {c.constant(2, arg(c).dtype), arg(c)}); }

Term truncated(Call& c, const Term& a) { return c.node("Sign", {a}) * c.node("Floor", {c.node("Abs", {a})}); }

/// The angle of the point (b, a).
Term angle(Call& c) {
  const Term a = arg(c, 0), b = arg(c, 1), zero = c.constant(0, a.dtype);
  const auto choice = [&](const Term& test, const Term& yes, const Term& no) {
    return Call::as(c.node("Where", {test, yes, no}), a.dtype);
  };
  const Term slope = c.node("Atan", {a / b}), is_below = c.test("Less", {a, zero});
  const Term half_turn =
      choice(is_below, c.constant(-std::numbers::pi, a.dtype), c.constant(std::numbers::pi, a.dtype));
  const Term upright = c.node("Sign", {a}) * (std::numbers::pi / 2);
  return choice(c.test("Greater", {b, zero}), slope, choice(c.test("Less", {b, zero}), slope + half_turn, upright));
}

Term length(Call& c) {
  const Term a = arg(c, 0), b = arg(c, 1);
  return c.node("Sqrt", {a * a + b * b});
}

Term log_of_sum(Call& c) {
  const Term a = arg(c, 0), b = arg(c, 1);
  return c.node("Max", {a, b}) + c.node("Log", {c.node("Exp", {c.node("Neg", {c.node("Abs", {a - b})})}) + 1});
}

Term times_log(Call& c) {
  const Term a = arg(c, 0), b = arg(c, 1), zero = c.constant(0, a.dtype);
  return Call::as(c.node("Where", {c.test("Equal", {a, zero}), zero, a * c.node("Log", {b})}), a.dtype);
}

Term floating_rest(Call& c) { return c.node("Mod", {arg(c, 0), arg(c, 1)}, {{"fmod", true}}); }

/// With the sign of the divisor.
Term rest(Call& c, const Term& a, const Term& b) {
  return is_floating_point(a.dtype) ? a - b * c.node("Floor", {a / b}) : c.node("Mod", {a, b});
}
Term rest_of(Call& c) { return rest(c, arg(c, 0), arg(c, 1)); }

Term floor_quotient(Call& c, const Term& a, const Term& b) {
  return is_floating_point(a.dtype) ? c.node("Floor", {a / b}) : (a - c.node("Mod", {a, b})) / b;
}
Term floor_quotient_of(Call& c) { return floor_quotient(c, arg(c, 0), arg(c, 1)); }

/// ONNX shifts what has no sign. Powers of two are exact as real numbers.
Term factor(Call& c) {
  const Term power = c.node("Pow", {c.constant(2, DType::float64), c.cast(c.in(1), DType::float64)});
  return c.cast(power, c.type(0).dtype);
}

template <const char* name>
Term of_bools(Call& c) {
  if (c.type(0).dtype == DType::bool_) return c.node(name, c.all());
  c.refuse("expected bool, got another dtype, whose bits ONNX has from version 18 on");
}
constexpr char kAnd[] = "And", kOr[] = "Or", kXor[] = "Xor";

Term same(Call& c) { return c.in(0); }

Term dropped(Call& c) { return c.node("Dropout", {c.in(0), c.constant(c.number("p"), DType::float64)}); }

constexpr std::string_view kNoTraining = "does nothing in evaluation, and comes back as nothing";

constexpr ExportRow kOutPointwiseRows[] = {
    {"abs", "Abs"},
    {"acos", "Acos", unary<kAcos>},
    {"acosh", "Acosh", unary<kAcosh>},
    {"add", "Add", whole<named<kAdd>>},
    {"add_scalar", "Add", +[](Call& c) { return with_number(c, "Add"); }},
    {"alpha_dropout", "Identity", same, kNoTraining},
    {"asin", "Asin", unary<kAsin>},
    {"asinh", "Asinh", unary<kAsinh>},
    {"atan", "Atan", unary<kAtan>},
    {"atan2", "Atan, Where", angle},
    {"atanh", "Atanh", unary<kAtanh>},
    {"bitwise_and", "And", of_bools<kAnd>, "of bool: ONNX has bits from version 18 on"},
    {"bitwise_left_shift", "Pow, Mul", +[](Call& c) { return c.in(0) * factor(c); }},
    {"bitwise_or", "Or", of_bools<kOr>, "of bool: ONNX has bits from version 18 on"},
    {"bitwise_right_shift", "Pow, Mod, Div", +[](Call& c) { return floor_quotient(c, c.in(0), factor(c)); }},
    {"bitwise_xor", "Xor", of_bools<kXor>, "of bool: ONNX has bits from version 18 on"},
    {"ceil", "Ceil", unary<kCeil>},
    {"clamp", "Clip", clipped},
    {"clone", "Identity", same},
    {"cos", "Cos", unary<kCos>},
    {"cosh", "Cosh", unary<kCosh>},
    {"detach", "Identity", same, "lets gradients pass when it comes back"},
    {"div", "Div", whole<named<kDiv>>},
    {"div_scalar", "Div", +[](Call& c) { return with_number(c, "Div"); }},
    {"dropout", "Dropout", dropped},
    {"dropout2d", "Identity", same, kNoTraining},
    {"elu", "Elu",
     +[](Call& c) {
       return c.node("Elu", c.all(), {{"alpha", c.number("alpha")}});
     }},
    {"eq", "Equal", related<kEqual>},
    {"eq_scalar", "Equal", related_number<kEqual>},
    {"erf", "Erf", unary<kErf>},
    {"erfc", "Erf, Sub", +[](Call& c) { return 1 - c.node("Erf", {arg(c)}); }},
    ExportRow::declined("erfinv", "ONNX has no such operator"),
    {"exp", "Exp", unary<kExp>},
    {"exp2", "Pow", base_2},
    {"expm1", "Exp, Sub", +[](Call& c) { return c.node("Exp", {arg(c)}) - 1; }},
    {"feature_alpha_dropout", "Identity", same, kNoTraining},
    {"floor", "Floor", unary<kFloor>},
    {"floor_divide", "Div, Floor", floor_quotient_of},
    {"fmod", "Mod", floating_rest},
    {"frac", "Sign, Floor, Sub", +[](Call& c) { return arg(c) - truncated(c, arg(c)); }},
    {"ge", "GreaterOrEqual", related<kGreaterOrEqual>},
    {"ge_scalar", "GreaterOrEqual", related_number<kGreaterOrEqual>},
    {"gelu", "Erf, Mul", exact_gelu},
    {"gelu_tanh", "Tanh, Mul", tanh_gelu},
    {"gt", "Greater", related<kGreater>},
    {"gt_scalar", "Greater", related_number<kGreater>},
    {"hardsigmoid", "HardSigmoid",
     +[](Call& c) {
       return c.node("HardSigmoid", c.all(), {{"alpha", 1.0 / 6}, {"beta", 0.5}});
     }},
    {"hardswish", "HardSwish"},
    {"hardtanh", "Clip", clipped},
    {"hypot", "Mul, Sqrt", length},
    {"le", "LessOrEqual", related<kLessOrEqual>},
    {"le_scalar", "LessOrEqual", related_number<kLessOrEqual>},
    {"leaky_relu", "LeakyRelu",
     +[](Call& c) {
       return c.node("LeakyRelu", c.all(), {{"alpha", c.number("negative_slope")}});
     }},
    {"log", "Log", unary<kLog>},
    {"log10", "Log, Div", +[](Call& c) { return c.node("Log", {arg(c)}) / std::numbers::ln10; }},
    {"log1p", "Add, Log", +[](Call& c) { return c.node("Log", {arg(c) + 1}); }},
    {"log2", "Log, Div", +[](Call& c) { return c.node("Log", {arg(c)}) / std::numbers::ln2; }},
    {"logaddexp", "Max, Exp, Log", log_of_sum},
    {"lt", "Less", related<kLess>},
    {"lt_scalar", "Less", related_number<kLess>},
    {"maximum", "Max", whole<named<kMaxOf>>},
    {"minimum", "Min", whole<named<kMinOf>>},
    {"mul", "Mul", whole<named<kMul>>},
    {"mul_scalar", "Mul", +[](Call& c) { return with_number(c, "Mul"); }},
    {"ne", "Equal, Not", inverse<related<kEqual>>},
    {"ne_scalar", "Equal, Not", inverse<related_number<kEqual>>},
    {"neg", "Neg"},
    {"pow", "Pow", whole<named<kPow>>},
    {"pow_scalar", "Pow", power},
    {"prelu", "PRelu"},
    {"rdiv_scalar", "Div", +[](Call& c) { return with_number(c, "Div", true); }},
    {"relu", "Relu"},
    {"remainder", "Mod", rest_of, "of real numbers Div, Floor, Mul, Sub"},
    {"round", "Round", unary<kRound>},
    {"rrelu", "LeakyRelu",
     +[](Call& c) {
       return c.node("LeakyRelu", c.all(), {{"alpha", (c.number("lower") + c.number("upper")) / 2}});
     },
     "comes back with one slope"},
    {"rsqrt", "Sqrt, Reciprocal", +[](Call& c) { return c.node("Reciprocal", {c.node("Sqrt", {arg(c)})}); }},
    {"rsub_scalar", "Sub", +[](Call& c) { return with_number(c, "Sub", true); }},
    {"sigmoid", "Sigmoid", unary<kSigmoid>},
    {"sign", "Sign", unary<kSign>},
    {"silu", "Sigmoid, Mul", silu_of},
    {"sin", "Sin", unary<kSin>},
    {"sinh", "Sinh", unary<kSinh>},
    {"softplus", "Softplus", softplus_of},
    {"sqrt", "Sqrt", unary<kSqrt>},
    {"sub", "Sub", whole<named<kSub>>},
    {"sub_scalar", "Sub", +[](Call& c) { return with_number(c, "Sub"); }},
    {"tan", "Tan", unary<kTan>},
    {"tanh", "Tanh", unary<kTanh>},
    {"to", "Cast", +[](Call& c) { return c.cast(c.in(0), c.result().dtype); }},
    {"trunc", "Sign, Floor, Mul", +[](Call& c) { return truncated(c, arg(c)); }},
    {"where", "Where", +[](Call& c) { return Call::as(c.node("Where", c.all()), c.type(1).dtype); }},
    {"xlogy", "Log, Where", times_log},
};

}  // namespace
}  // namespace outgoing

const std::span<const ExportRow> operators::out_pointwise = outgoing::kOutPointwiseRows;

}  // namespace teff::serialize

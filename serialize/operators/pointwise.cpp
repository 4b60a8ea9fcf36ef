// SPDX-License-Identifier: MIT

// Functions of each element.

#include <cmath>

#include "teff/engine/error.h"
#include "teff/engine/ops.h"
#include "teff/serialize/operators/operator_call.h"

namespace teff::serialize {
namespace {

using Call = OperatorCall;

/// Of whole numbers rounded towards zero.
Tensor divide(const Tensor& a, const Tensor& b) {
  return is_floating_point(a.dtype()) ? div(a, b) : div(a, b, RoundingMode::trunc);
}

/// The result has the base's dtype.
Tensor power(const Call& c) {
  const auto [base, exponent] = two_inputs(c);
  if (c.is_known(1) && exponent.numel() == 1 && exponent.dim() <= base.dim() && is_computable(base.dtype())) {
    return pow(base, c.known_number(1));
  }
  const bool is_wider = !is_floating_point(base.dtype()) && is_floating_point(exponent.dtype());
  const DType dtype = is_wider ? exponent.dtype() : base.dtype();
  const auto as = [&](const Tensor& x) { return x.dtype() == dtype ? x : to(x, dtype); };
  const Tensor result = pow(as(base), as(exponent));
  return result.dtype() == base.dtype() ? result : to(result, base.dtype());
}

template <Tensor (*function)(const Tensor&, const Tensor&)>
Tensor joined(const Call& c) {
  Tensor result = c.tensor(0);
  for (std::size_t i = 1; i < c.input_count(); ++i) result = function(result, c.tensor(i));
  return result;
}

Tensor mean_of_inputs(const Call& c) { return joined<add>(c) / static_cast<double>(c.input_count()); }

/// Whether a number is a fraction that exporters write with seven digits.
bool is_about(double number, double fraction) { return std::abs(number - fraction) < 1e-6; }

Tensor hard_sigmoid(const Call& c) {
  const double alpha = c.number("alpha", 0.2), beta = c.number("beta", 0.5);
  if (is_about(alpha, 1.0 / 6) && is_about(beta, 0.5)) return hardsigmoid(c.tensor(0));
  return clamp(c.tensor(0) * alpha + beta, 0.0, 1.0);
}

Tensor scaled_elu(const Call& c) {
  const double alpha = c.number("alpha", c.opset() < 6 ? 1.6732 : 1.67326319217681884765625);
  const double gamma = c.number("gamma", c.opset() < 6 ? 1.0507 : 1.05070102214813232421875);
  return elu(c.tensor(0), alpha) * gamma;
}

Tensor continuous_elu(const Call& c) {
  const double alpha = c.number("alpha", 1);
  return elu(c.tensor(0) / alpha) * alpha;
}

Tensor softsign(const Call& c) { return c.tensor(0) / (abs(c.tensor(0)) + 1.0); }

/// A slope for each channel is prelu's own; others broadcast.
Tensor parametric_relu(const Call& c) {
  const Tensor x = c.tensor(0);
  Tensor slope = c.tensor(1);
  const std::int64_t channels = x.dim() > 1 ? x.size(1) : 1;
  const bool by_channel = slope.dim() == 1
                              ? slope.numel() == 1 || (c.opset() < 7 && slope.numel() == channels)
                              : slope.dim() > 0 && slope.numel() == channels && x.dim() > 1 && slope.dim() <= x.dim() &&
                                    slope.dim() >= x.dim() - 1 && slope.size(slope.dim() - x.dim() + 1) == channels;
  if (by_channel) return prelu(x, slope.dim() == 1 ? slope : flatten(slope));
  return relu(x) - slope * relu(-x);
}

Tensor clipped(const Call& c) {
  if (c.opset() < 11) {
    std::optional<double> low, high;
    if (const auto value = c.option("min")) low = value->as_float();
    if (const auto value = c.option("max")) high = value->as_float();
    return low || high ? clamp(c.tensor(0), low, high) : c.tensor(0);
  }
  const bool low = c.has(1), high = c.has(2);
  Tensor x = c.tensor(0);
  if (is_computable(x.dtype()) && (!low || c.is_known(1)) && (!high || c.is_known(2))) {
    std::optional<double> least, most;
    if (low) least = c.known_number(1);
    if (high) most = c.known_number(2);
    if (!low && !high) return x;
    if (!least || !most || *least <= *most) return clamp(x, least, most);
    return clamp(clamp(x, least, {}), {}, most);
  }
  if (low) x = maximum(x, c.tensor(1));
  return high ? minimum(x, c.tensor(2)) : x;
}

Tensor gelu_of(const Call& c) {
  const std::string approximate = c.text("approximate", "none");
  expect_supported(approximate == "none" || approximate == "tanh",
                   "expected none or tanh as approximation, got " + approximate);
  return gelu(c.tensor(0), approximate == "tanh" ? GeluApproximation::tanh : GeluApproximation::none);
}

Tensor mish_of(const Call& c) { return c.tensor(0) * tanh(softplus(c.tensor(0))); }

/// Before version 7 two inputs of one shape are compared in the same way.
template <Tensor (*function)(const Tensor&, const Tensor&)>
Tensor compared(const Call& c) {
  const auto [a, b] = two_inputs(c);
  return function(a, b);
}

constexpr OperatorRow kPointwiseRows[] = {
    {"Abs", Conversion::ByValue(abs)},
    {"Add", Conversion::Binary(add)},
    {"Celu", continuous_elu},
    {"Clip", clipped},
    {"Div", divide},
    {"Elu", +[](const Call& c) { return elu(c.tensor(0), c.number("alpha", 1)); }},
    {"Equal", Conversion::Binary(eq)},
    {"Exp", Conversion::ByValue(exp)},
    {"Gelu", gelu_of},
    {"Greater", Conversion::Binary(gt)},
    {"GreaterOrEqual", Conversion::Binary(ge)},
    {"HardSigmoid", hard_sigmoid},
    {"HardSwish", Conversion::ByValue(hardswish)},
    {"LeakyRelu", +[](const Call& c) { return leaky_relu(c.tensor(0), c.number("alpha", 0.01)); }},
    {"Less", Conversion::Binary(lt)},
    {"LessOrEqual", Conversion::Binary(le)},
    {"Log", Conversion::ByValue(log)},
    {"Max", joined<maximum>},
    {"Mean", mean_of_inputs},
    {"Min", joined<minimum>},
    {"Mish", mish_of},
    {"Mul", Conversion::Binary(mul)},
    {"Neg", Conversion::ByValue(neg)},
    {"PRelu", parametric_relu},
    {"Pow", power},
    {"Reciprocal", +[](const Call& c) { return 1.0 / c.tensor(0); }},
    {"Relu", Conversion::ByValue(relu)},
    {"Selu", scaled_elu},
    {"Sigmoid", Conversion::ByValue(sigmoid)},
    {"Softplus", +[](const Call& c) { return softplus(c.tensor(0)); }},
    {"Softsign", softsign},
    {"Sqrt", Conversion::ByValue(sqrt)},
    {"Sub", Conversion::Binary(sub)},
    {"Sum", joined<add>},
    {"Tanh", Conversion::ByValue(tanh)},
};

}  // namespace

const std::span<const OperatorRow> operators::pointwise = kPointwiseRows;

}  // namespace teff::serialize

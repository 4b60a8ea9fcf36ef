// SPDX-License-Identifier: MIT
#include <cmath>
#include <limits>
#include <numbers>

#include "teff/engine/gradients/formulas.h"
#include "teff/engine/tensor_impl.h"

namespace teff::gradients {
namespace {

/// dX = dY * slope
template <Tensor (*slope)(const RecordedCall&)>
TensorList times(const RecordedCall& call) {
  return {call.grad() * slope(call)};
}

/// 1 inside of (low, high), 0 elsewhere.
Tensor between(const Tensor& x, double low, double high) { return mask(gt(x, low), x) * mask(lt(x, high), x); }

// --- functions of one tensor: f'(x)

Tensor relu_slope(const RecordedCall& call) { return mask(gt(call.saved[0], 0), call.saved[0]); }
Tensor leaky_relu_slope(const RecordedCall& call) {
  const double slope = number(call, "negative_slope");
  return mask(gt(x_of(call), 0), x_of(call)) * (1 - slope) + slope;
}
Tensor sigmoid_slope(const RecordedCall& call) {
  const Tensor y = call.result();
  return y * (1 - y);
}
Tensor tanh_slope(const RecordedCall& call) {
  const Tensor y = call.result();
  return 1 - y * y;
}
Tensor exp_slope(const RecordedCall& call) { return call.result(); }
Tensor abs_slope(const RecordedCall& call) { return sign(x_of(call)); }
Tensor clamp_slope(const RecordedCall& call) {
  const Dict options = call.op.attributes();
  const Value &low = options.at("min"), &high = options.at("max");
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const Tensor& x = x_of(call);
  return mask(ge(x, low.is_none() ? -kInfinity : low.as_float()), x) *
         mask(le(x, high.is_none() ? kInfinity : high.as_float()), x);
}
Tensor pow_slope(const RecordedCall& call) {
  const double exponent = number(call, "exponent");
  if (exponent == 0) return zeros_like(x_of(call));
  return exponent == 1 ? ones_like(x_of(call)) : pow(x_of(call), exponent - 1) * exponent;
}
Tensor hardtanh_slope(const RecordedCall& call) {
  return between(x_of(call), number(call, "min"), number(call, "max"));
}
Tensor elu_slope(const RecordedCall& call) {
  const Tensor& x = x_of(call);
  const Tensor positive = mask(gt(x, 0), x);
  return positive + (1 - positive) * (exp(clamp(x, {}, 0)) * number(call, "alpha"));
}
Tensor softplus_slope(const RecordedCall& call) {
  const Tensor scaled = x_of(call) * number(call, "beta");
  const Tensor linear = mask(gt(scaled, number(call, "threshold")), scaled);
  return linear + (1 - linear) * sigmoid(scaled);
}
Tensor silu_slope(const RecordedCall& call) {
  const Tensor s = sigmoid(x_of(call));
  return s * (1 + x_of(call) * (1 - s));
}
Tensor hardswish_slope(const RecordedCall& call) {
  const Tensor& x = x_of(call);
  return between(x, -3, 3) * (x / 3 + 0.5) + mask(ge(x, 3), x);
}
Tensor hardsigmoid_slope(const RecordedCall& call) { return between(x_of(call), -3, 3) / 6; }

/// t = tanh(u), u = c * (x + 0.044715 * x^3): f' = (1 + t) / 2 + x * (1 - t^2) * u' / 2
Tensor gelu_tanh_slope(const RecordedCall& call) {
  const Tensor& x = x_of(call);
  const double c = std::sqrt(2 / std::numbers::pi);
  const Tensor t = tanh((x + x * x * x * 0.044715) * c);
  return (t + 1) * 0.5 + x * (1 - t * t) * ((x * x * (3 * 0.044715) + 1) * (c / 2));
}

/// The derivative of gelu, whose own is (2 - x^2) * exp(-x^2 / 2) / sqrt(2 pi): there is no function here of which the
/// first could be made.
class GeluSlope : public RecordedOp {
 public:
  explicit GeluSlope(const Op& gelu) : gelu_(gelu.share()) {}
  std::string_view name() const override { return "gelu_backward"; }
  Dict attributes() const override { return {}; }
  TensorType output_type(std::span<const TensorType> inputs) const override { return inputs[0]; }
  Tensor forward(const ForwardContext& context) const override {
    const Tensor ones = ones_like(context.inputs[0]);
    const bool wanted[] = {true};
    return gelu_->backward({ones, context.inputs, {}, wanted})[0].detach();
  }
  bool saves_input(std::size_t) const override { return true; }
  TensorList gradients(const RecordedCall& call) const override {
    const Tensor square = x_of(call) * x_of(call);
    return {call.grad() * ((2 - square) * exp(square * -0.5) / std::sqrt(2 * std::numbers::pi))};
  }
  std::shared_ptr<const Op> share() const override { return std::make_shared<GeluSlope>(*this); }

 private:
  std::shared_ptr<const Op> gelu_;
};
Tensor gelu_slope(const RecordedCall& call) { return apply(GeluSlope(call.op), {x_of(call)}); }

// --- of two tensors, which broadcast: both gradients, as if of the result's shape

struct Two {
  Tensor a, b;
};

template <Two (*both)(const RecordedCall&)>
TensorList broadcast(const RecordedCall& call) {
  const Two grads = both(call);
  return {sum_to(grads.a, call.inputs[0].shape()), sum_to(grads.b, call.inputs[1].shape())};
}

Two add_grads(const RecordedCall& call) { return {call.grad(), call.grad()}; }
Two sub_grads(const RecordedCall& call) { return {call.grad(), neg(call.grad())}; }
Two mul_grads(const RecordedCall& call) { return {call.grad() * call.inputs[1], call.grad() * call.inputs[0]}; }
Two div_grads(const RecordedCall& call) {
  const Tensor a = call.grad() / call.inputs[1];
  return {a, neg(a * call.result())};
}

/// The greater one gets the gradient, equal ones half each, both where one is NaN.
template <bool kMaximum>
Two extremum_grads(const RecordedCall& call) {
  const Tensor &a = call.inputs[0], &b = call.inputs[1], &grad = call.grad();
  const Tensor half = mask(eq(a, b), a) * 0.5, a_is_less = mask(lt(a, b), a), b_is_less = mask(lt(b, a), a);
  return {grad * (1 - half - (kMaximum ? a_is_less : b_is_less)),
          grad * (1 - half - (kMaximum ? b_is_less : a_is_less))};
}

/// b * a^(b - 1), 0 where b = 0; a^b * log(a), 0 where a = 0 and b >= 0
Two pow_grads(const RecordedCall& call) {
  const Tensor &a = call.inputs[0], &b = call.inputs[1];
  const Tensor nothing = mask(eq(a, 0), a) * mask(ge(b, 0), b);
  return {call.grad() * (b * pow(a, b - mask(ne(b, 0), b))), call.grad() * (pow(a, b) * log(a + nothing))};
}

Two prelu_grads(const RecordedCall& call) {
  const Tensor &x = call.inputs[0], &weight = call.inputs[1];
  const Tensor positive = mask(gt(x, 0), x);
  return {call.grad() * (positive + (1 - positive) * weight), call.grad() * clamp(x, {}, 0)};
}

// --- of a tensor and a number

TensorList negated(const RecordedCall& call) { return {neg(call.grad())}; }
TensorList multiplied(const RecordedCall& call) { return {call.grad() * number(call, "value")}; }
TensorList divided(const RecordedCall& call) { return {call.grad() / number(call, "value")}; }

TensorList dropped(const RecordedCall& call) {
  if (!call.saved.empty()) return {call.grad() * call.saved[0]};
  const bool passes = !flag(call, "training") || number(call, "p") == 0;
  return {passes ? call.grad() : call.grad() * 0.0};
}

}  // namespace

std::span<const FormulaEntry> pointwise_formulas() {
  static constexpr FormulaEntry kEntries[] = {
      {"relu", times<relu_slope>},
      {"leaky_relu", times<leaky_relu_slope>},
      {"sigmoid", times<sigmoid_slope>},
      {"tanh", times<tanh_slope>},
      {"exp", times<exp_slope>},
      {"log", [](const RecordedCall& call) -> TensorList { return {call.grad() / x_of(call)}; }},
      {"sqrt", [](const RecordedCall& call) -> TensorList { return {call.grad() / (call.result() * 2)}; }},
      {"abs", times<abs_slope>},
      {"neg", negated},
      {"clamp", times<clamp_slope>},
      {"pow_scalar", times<pow_slope>},
      {"hardtanh", times<hardtanh_slope>},
      {"elu", times<elu_slope>},
      {"softplus", times<softplus_slope>},
      {"silu", times<silu_slope>},
      {"hardswish", times<hardswish_slope>},
      {"hardsigmoid", times<hardsigmoid_slope>},
      {"gelu", times<gelu_slope>},
      {"gelu_tanh", times<gelu_tanh_slope>},
      {"add", broadcast<add_grads>},
      {"sub", broadcast<sub_grads>},
      {"mul", broadcast<mul_grads>},
      {"div", broadcast<div_grads>},
      {"maximum", broadcast<extremum_grads<true>>},
      {"minimum", broadcast<extremum_grads<false>>},
      {"pow", broadcast<pow_grads>},
      {"prelu", broadcast<prelu_grads>},
      {"add_scalar", pass_on},
      {"sub_scalar", pass_on},
      {"rsub_scalar", negated},
      {"mul_scalar", multiplied},
      {"div_scalar", divided},
      {"rdiv_scalar",
       [](const RecordedCall& call) -> TensorList { return {neg(call.grad() * (call.result() / x_of(call)))}; }},
      {"clone", pass_on},
      {"to", [](const RecordedCall& call) -> TensorList { return {to(call.grad(), x_of(call).dtype())}; }},
      {"dropout2d", dropped},
      {"dropout", dropped},
      {"alpha_dropout", dropped},
      {"feature_alpha_dropout", dropped},
      {"rrelu", dropped},
  };
  return kEntries;
}

}  // namespace teff::gradients

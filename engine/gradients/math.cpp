// SPDX-License-Identifier: MIT
#include <cmath>
#include <numbers>

#include "teff/engine/gradients/formulas.h"

namespace teff::gradients {
namespace {

/// dX = dY * slope(X)
template <Tensor (*slope)(const Tensor& x)>
TensorList times(const RecordedCall& call) {
  return {call.grad() * slope(call.inputs[0])};
}

constexpr double kLn2 = std::numbers::ln2, kLn10 = std::numbers::ln10, kRootPi = 1.7724538509055160273;

Tensor acos_slope(const Tensor& x) { return -1.0 / sqrt(1.0 - x * x); }
Tensor acosh_slope(const Tensor& x) { return 1.0 / sqrt(x * x - 1.0); }
Tensor asin_slope(const Tensor& x) { return 1.0 / sqrt(1.0 - x * x); }
Tensor asinh_slope(const Tensor& x) { return 1.0 / sqrt(x * x + 1.0); }
Tensor atan_slope(const Tensor& x) { return 1.0 / (x * x + 1.0); }
Tensor atanh_slope(const Tensor& x) { return 1.0 / (1.0 - x * x); }
Tensor cos_slope(const Tensor& x) { return neg(sin(x)); }
Tensor sin_slope(const Tensor& x) { return cos(x); }
Tensor cosh_slope(const Tensor& x) { return sinh(x); }
Tensor sinh_slope(const Tensor& x) { return cosh(x); }
Tensor tan_slope(const Tensor& x) {
  const Tensor y = tan(x);
  return y * y + 1.0;
}
Tensor erf_slope(const Tensor& x) { return exp(neg(x * x)) * (2 / kRootPi); }
Tensor erfc_slope(const Tensor& x) { return exp(neg(x * x)) * (-2 / kRootPi); }
Tensor erfinv_slope(const Tensor& x) {
  const Tensor y = erfinv(x);
  return exp(y * y) * (kRootPi / 2);
}
Tensor exp2_slope(const Tensor& x) { return exp2(x) * kLn2; }
Tensor expm1_slope(const Tensor& x) { return exp(x); }
Tensor log1p_slope(const Tensor& x) { return 1.0 / (x + 1.0); }
Tensor log2_slope(const Tensor& x) { return 1.0 / (x * kLn2); }
Tensor log10_slope(const Tensor& x) { return 1.0 / (x * kLn10); }
Tensor rsqrt_slope(const Tensor& x) { return pow(x, -1.5) * -0.5; }

TensorList nothing(const RecordedCall& call) { return {zeros_like(call.grad())}; }

// --- of two tensors, which broadcast

TensorList both(const RecordedCall& call, const Tensor& a_slope, const Tensor& b_slope) {
  return {sum_to(call.grad() * a_slope, call.inputs[0].shape()), sum_to(call.grad() * b_slope, call.inputs[1].shape())};
}

/// The quotient is constant but where it jumps.
template <bool kFloor>
TensorList remainder_grads(const RecordedCall& call) {
  const Tensor a = call.inputs[0].detach(), b = call.inputs[1].detach();
  const Tensor quotient = kFloor ? floor(a / b) : trunc(a / b);
  return both(call, ones_like(call.grad()), neg(quotient));
}
TensorList floor_divide_grads(const RecordedCall& call) {
  TensorList grads;
  for (const Tensor& input : call.inputs) grads.push_back(zeros(input.shape(), {.dtype = input.dtype()}));
  return grads;
}
TensorList atan2_grads(const RecordedCall& call) {
  const Tensor &a = call.inputs[0], &b = call.inputs[1];
  const Tensor square = a * a + b * b;
  return both(call, b / square, neg(a / square));
}
TensorList hypot_grads(const RecordedCall& call) {
  const Tensor &a = call.inputs[0], &b = call.inputs[1];
  const Tensor length = hypot(a, b);
  return both(call, a / length, b / length);
}
TensorList logaddexp_grads(const RecordedCall& call) {
  const Tensor difference = call.inputs[0] - call.inputs[1];
  return both(call, sigmoid(difference), sigmoid(neg(difference)));
}
/// log(b), but 0 where a = 0 and b <= 0; a / b
TensorList xlogy_grads(const RecordedCall& call) {
  const Tensor &a = call.inputs[0], &b = call.inputs[1];
  const Tensor no_log = mask(eq(a, 0), a) * mask(le(b, 0), b);
  return both(call, log(b + (1.0 - b) * no_log), a / b);
}

/// dA where the condition holds, dB elsewhere.
TensorList where_grads(const RecordedCall& call) {
  TensorList grads(3);
  for (std::size_t i = 1; i < 3; ++i) {
    if (!call.wanted[i]) continue;
    const Tensor chosen = mask(call.inputs[0], call.grad());
    grads[i] = sum_to(call.grad() * (i == 1 ? chosen : 1.0 - chosen), call.inputs[i].shape());
  }
  return grads;
}

}  // namespace

std::span<const FormulaEntry> math_formulas() {
  static constexpr FormulaEntry kEntries[] = {
      {"acos", times<acos_slope>},
      {"acosh", times<acosh_slope>},
      {"asin", times<asin_slope>},
      {"asinh", times<asinh_slope>},
      {"atan", times<atan_slope>},
      {"atanh", times<atanh_slope>},
      {"cos", times<cos_slope>},
      {"cosh", times<cosh_slope>},
      {"erf", times<erf_slope>},
      {"erfc", times<erfc_slope>},
      {"erfinv", times<erfinv_slope>},
      {"exp2", times<exp2_slope>},
      {"expm1", times<expm1_slope>},
      {"log10", times<log10_slope>},
      {"log1p", times<log1p_slope>},
      {"log2", times<log2_slope>},
      {"rsqrt", times<rsqrt_slope>},
      {"sin", times<sin_slope>},
      {"sinh", times<sinh_slope>},
      {"tan", times<tan_slope>},
      {"frac", pass_on},
      {"ceil", nothing},
      {"floor", nothing},
      {"round", nothing},
      {"sign", nothing},
      {"trunc", nothing},
      {"atan2", atan2_grads},
      {"floor_divide", floor_divide_grads},
      {"fmod", remainder_grads<false>},
      {"hypot", hypot_grads},
      {"logaddexp", logaddexp_grads},
      {"remainder", remainder_grads<true>},
      {"where", where_grads},
      {"xlogy", xlogy_grads},
  };
  return kEntries;
}

}  // namespace teff::gradients

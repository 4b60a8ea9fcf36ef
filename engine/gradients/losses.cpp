// SPDX-License-Identifier: MIT
#include <algorithm>

#include "teff/engine/gradients/formulas.h"

namespace teff::gradients {
namespace {

/// The gradient of each element's loss.
Tensor share(const RecordedCall& call) {
  const Shape& shape = call.inputs[0].shape();
  const Dict options = call.op.attributes();
  const std::string& reduction = options.at("reduction").as_text();
  if (reduction == to_string(Reduction::mean)) return call.grad() / static_cast<double>(numel(shape));
  if (reduction == to_string(Reduction::batchmean)) return call.grad() / static_cast<double>(shape[0]);
  return call.grad();
}

/// d loss / d input and d loss / d target, element by element.
struct Slopes {
  Tensor input, target;
};

template <Slopes (*slopes)(const RecordedCall&)>
TensorList times(const RecordedCall& call) {
  const Slopes both = slopes(call);
  const Tensor grad = share(call);
  return {grad * both.input, grad * both.target};
}

/// Of a function of input - target.
Slopes of_difference(const Tensor& slope) { return {slope, neg(slope)}; }

Tensor difference(const RecordedCall& call) { return call.inputs[0] - call.inputs[1]; }

Slopes mse(const RecordedCall& call) { return of_difference(difference(call) * 2); }
Slopes l1(const RecordedCall& call) { return of_difference(sign(difference(call))); }
Slopes smooth_l1(const RecordedCall& call) {
  const double beta = number(call, "beta");
  if (beta == 0) return l1(call);
  return of_difference(clamp(difference(call) / beta, -1, 1));
}
Slopes huber(const RecordedCall& call) {
  const double delta = number(call, "delta");
  return of_difference(clamp(difference(call), -delta, delta));
}
/// The logarithms are not below -100, and the divisor not below 1e-12.
Slopes bce(const RecordedCall& call) {
  const Tensor &x = call.inputs[0], &target = call.inputs[1];
  const Tensor other = 1 - x;
  return {(x - target) / clamp(x * other, 1e-12), clamp(log(other), -100) - clamp(log(x), -100)};
}
Slopes bce_with_logits(const RecordedCall& call) {
  return {sigmoid(call.inputs[0]) - call.inputs[1], neg(call.inputs[0])};
}
/// Where the target is 0 or less the loss is 0.
Slopes kl_div(const RecordedCall& call) {
  const Tensor &x = call.inputs[0], &target = call.inputs[1];
  const Tensor positive = mask(gt(target, 0), target);
  return {neg(target), (log(target * positive + (1 - positive)) + 1 - x) * positive};
}
Slopes kl_div_log_target(const RecordedCall& call) {
  const Tensor &x = call.inputs[0], &target = call.inputs[1];
  return {neg(exp(target)), exp(target) * (target + 1 - x)};
}

}  // namespace

std::span<const FormulaEntry> loss_formulas() {
  static constexpr FormulaEntry kEntries[] = {
      {"nll_loss", linear},
      {"mse_loss", times<mse>},
      {"l1_loss", times<l1>},
      {"smooth_l1_loss", times<smooth_l1>},
      {"huber_loss", times<huber>},
      {"binary_cross_entropy", times<bce>},
      {"binary_cross_entropy_with_logits", times<bce_with_logits>},
      {"kl_div", times<kl_div>},
      {"kl_div_log_target", times<kl_div_log_target>},
  };
  return kEntries;
}

}  // namespace teff::gradients

// SPDX-License-Identifier: MIT
#include "teff/nn/layers/loss.h"

#include "teff/engine/error.h"

namespace teff::nn {

Tensor Loss::operator()(const Tensor& input, const Tensor& target) { return (*this)({input, target})[0]; }

std::vector<Tensor> Loss::forward_many(std::span<const Tensor> inputs) {
  if (inputs.size() != 2) {
    throw ShapeError(type_name() + ": expected 2 inputs (input, target), got " + std::to_string(inputs.size()));
  }
  return {compute(inputs[0], inputs[1])};
}

CrossEntropyLoss::CrossEntropyLoss(const CrossEntropyOptions& options)
    : Loss(options.reduction),
      weight(options.weight),
      ignore_index_(options.ignore_index),
      label_smoothing_(options.label_smoothing) {}

Tensor CrossEntropyLoss::compute(const Tensor& input, const Tensor& target) const {
  return cross_entropy(
      input, target,
      {.weight = weight, .ignore_index = ignore_index_, .reduction = reduction(), .label_smoothing = label_smoothing_});
}

NLLLoss::NLLLoss(const NllLossOptions& options)
    : Loss(options.reduction), weight(options.weight), ignore_index_(options.ignore_index) {}

Tensor NLLLoss::compute(const Tensor& input, const Tensor& target) const {
  return nll_loss(input, target, {.weight = weight, .ignore_index = ignore_index_, .reduction = reduction()});
}

Tensor MSELoss::compute(const Tensor& input, const Tensor& target) const {
  return mse_loss(input, target, reduction());
}

Tensor L1Loss::compute(const Tensor& input, const Tensor& target) const { return l1_loss(input, target, reduction()); }

Tensor SmoothL1Loss::compute(const Tensor& input, const Tensor& target) const {
  return smooth_l1_loss(input, target, reduction(), beta_);
}

Tensor HuberLoss::compute(const Tensor& input, const Tensor& target) const {
  return huber_loss(input, target, reduction(), delta_);
}

Tensor BCELoss::compute(const Tensor& input, const Tensor& target) const {
  return binary_cross_entropy(input, target, {.weight = weight, .reduction = reduction()});
}

Tensor BCEWithLogitsLoss::compute(const Tensor& input, const Tensor& target) const {
  return binary_cross_entropy_with_logits(input, target,
                                          {.weight = weight, .pos_weight = pos_weight, .reduction = reduction()});
}

Tensor KLDivLoss::compute(const Tensor& input, const Tensor& target) const {
  return kl_div(input, target, reduction(), log_target_);
}

}  // namespace teff::nn

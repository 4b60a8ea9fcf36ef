// SPDX-License-Identifier: MIT
#include "teff/nn/layers/loss_margin.h"

#include "teff/nn/text.h"

namespace teff::nn {

Tensor HingeEmbeddingLoss::compute(const Tensor& input, const Tensor& target) const {
  return hinge_embedding_loss(input, target, margin_, reduction());
}

Tensor SoftMarginLoss::compute(const Tensor& input, const Tensor& target) const {
  return soft_margin_loss(input, target, reduction());
}

Tensor MultiLabelMarginLoss::compute(const Tensor& input, const Tensor& target) const {
  return multilabel_margin_loss(input, target, reduction());
}

Tensor MultiLabelSoftMarginLoss::compute(const Tensor& input, const Tensor& target) const {
  return multilabel_soft_margin_loss(input, target, weight, reduction());
}

MultiMarginLoss::MultiMarginLoss(const MultiMarginLossOptions& options)
    : Loss(options.reduction), weight(options.weight), p_(options.p), margin_(options.margin) {
  detail::expect(p_ == 1 || p_ == 2, "MultiMarginLoss", "p of 1 or 2", std::to_string(p_));
}

Tensor MultiMarginLoss::compute(const Tensor& input, const Tensor& target) const {
  return multi_margin_loss(input, target, {.p = p_, .margin = margin_, .weight = weight, .reduction = reduction()});
}

Tensor PoissonNLLLoss::compute(const Tensor& input, const Tensor& target) const {
  return poisson_nll_loss(input, target, options_);
}

}  // namespace teff::nn

// SPDX-License-Identifier: MIT
#include "teff/nn/layers/loss_of_three.h"

#include "teff/engine/error.h"

namespace teff::nn {
namespace {

void check_count(const Module& module, std::size_t expected, const char* names, std::span<const Tensor> inputs) {
  if (inputs.size() == expected) return;
  throw ShapeError(module.type_name() + ": expected " + std::to_string(expected) + " inputs" + names + ", got " +
                   std::to_string(inputs.size()));
}

}  // namespace

Tensor LossOfThree::operator()(const Tensor& first, const Tensor& second, const Tensor& third) {
  return (*this)({first, second, third})[0];
}

std::vector<Tensor> LossOfThree::forward_many(std::span<const Tensor> inputs) {
  check_count(*this, 3, "", inputs);
  return {compute(inputs[0], inputs[1], inputs[2])};
}

Tensor MarginRankingLoss::compute(const Tensor& x1, const Tensor& x2, const Tensor& target) const {
  return margin_ranking_loss(x1, x2, target, margin_, reduction_);
}

Tensor CosineEmbeddingLoss::compute(const Tensor& x1, const Tensor& x2, const Tensor& target) const {
  return cosine_embedding_loss(x1, x2, target, margin_, reduction_);
}

Tensor GaussianNLLLoss::compute(const Tensor& input, const Tensor& target, const Tensor& var) const {
  return gaussian_nll_loss(input, target, var, options_);
}

Tensor CTCLoss::operator()(const Tensor& log_probs, const Tensor& targets, const Tensor& input_lengths,
                           const Tensor& target_lengths) {
  return (*this)({log_probs, targets, input_lengths, target_lengths})[0];
}

std::vector<Tensor> CTCLoss::forward_many(std::span<const Tensor> inputs) {
  check_count(*this, 4, " (log_probs, targets, input_lengths, target_lengths)", inputs);
  return {ctc_loss(inputs[0], inputs[1], inputs[2], inputs[3], options_)};
}

Tensor TripletMarginLoss::compute(const Tensor& anchor, const Tensor& positive, const Tensor& negative) const {
  return triplet_margin_loss(anchor, positive, negative, options_);
}

Tensor TripletMarginWithDistanceLoss::compute(const Tensor& anchor, const Tensor& positive,
                                              const Tensor& negative) const {
  return triplet_margin_with_distance_loss(anchor, positive, negative, options_);
}

}  // namespace teff::nn

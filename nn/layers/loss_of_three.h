// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <vector>

#include "teff/engine/margin_losses.h"
#include "teff/nn/layers/loss.h"

namespace TEFF_EXPORT teff {
namespace nn {

/// A module of three inputs: `loss(x1, x2, target)`. Base of those below.
class LossOfThree : public Module {
 public:
  using Module::operator();
  Tensor operator()(const Tensor& first, const Tensor& second, const Tensor& third);
  /// @throws ShapeError unless there are three inputs.
  std::vector<Tensor> forward_many(std::span<const Tensor> inputs) override;

 protected:
  virtual Tensor compute(const Tensor& first, const Tensor& second, const Tensor& third) const = 0;
};

/// teff::margin_ranking_loss(x1, x2, target)
class MarginRankingLoss : public LossOfThree {
 public:
  explicit MarginRankingLoss(double margin = 0, Reduction reduction = Reduction::mean)
      : margin_(margin), reduction_(reduction) {}
  TEFF_MODULE(MarginRankingLoss)

 protected:
  Tensor compute(const Tensor& x1, const Tensor& x2, const Tensor& target) const override;

 private:
  double margin_;
  Reduction reduction_;
};

/// teff::cosine_embedding_loss(x1, x2, target)
class CosineEmbeddingLoss : public LossOfThree {
 public:
  explicit CosineEmbeddingLoss(double margin = 0, Reduction reduction = Reduction::mean)
      : margin_(margin), reduction_(reduction) {}
  TEFF_MODULE(CosineEmbeddingLoss)

 protected:
  Tensor compute(const Tensor& x1, const Tensor& x2, const Tensor& target) const override;

 private:
  double margin_;
  Reduction reduction_;
};

/// teff::gaussian_nll_loss(input, target, var)
class GaussianNLLLoss : public LossOfThree {
 public:
  explicit GaussianNLLLoss(const GaussianNllLossOptions& options = {}) : options_(options) {}
  TEFF_MODULE(GaussianNLLLoss)

 protected:
  Tensor compute(const Tensor& input, const Tensor& target, const Tensor& var) const override;

 private:
  GaussianNllLossOptions options_;
};

/// teff::ctc_loss(log_probs, targets, input_lengths, target_lengths)
class CTCLoss : public Module {
 public:
  explicit CTCLoss(const CtcLossOptions& options = {}) : options_(options) {}
  TEFF_MODULE(CTCLoss)

  using Module::operator();
  Tensor operator()(const Tensor& log_probs, const Tensor& targets, const Tensor& input_lengths,
                    const Tensor& target_lengths);
  /// @throws ShapeError unless there are four inputs.
  std::vector<Tensor> forward_many(std::span<const Tensor> inputs) override;

 private:
  CtcLossOptions options_;
};

/// teff::triplet_margin_loss(anchor, positive, negative)
class TripletMarginLoss : public LossOfThree {
 public:
  explicit TripletMarginLoss(const TripletMarginLossOptions& options = {}) : options_(options) {}
  TEFF_MODULE(TripletMarginLoss)

 protected:
  Tensor compute(const Tensor& anchor, const Tensor& positive, const Tensor& negative) const override;

 private:
  TripletMarginLossOptions options_;
};

/// teff::triplet_margin_with_distance_loss(anchor, positive, negative)
class TripletMarginWithDistanceLoss : public LossOfThree {
 public:
  explicit TripletMarginWithDistanceLoss(const TripletMarginWithDistanceLossOptions& options = {})
      : options_(options) {}
  TEFF_MODULE(TripletMarginWithDistanceLoss)

 protected:
  Tensor compute(const Tensor& anchor, const Tensor& positive, const Tensor& negative) const override;

 private:
  TripletMarginWithDistanceLossOptions options_;
};

}  // namespace nn
}  // namespace teff

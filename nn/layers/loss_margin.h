// SPDX-License-Identifier: MIT
#pragma once

#include "teff/engine/margin_losses.h"
#include "teff/nn/layers/loss.h"

// Further losses of input and target: teff::hinge_embedding_loss and so on.

namespace TEFF_EXPORT teff {
namespace nn {

class HingeEmbeddingLoss : public Loss {
 public:
  explicit HingeEmbeddingLoss(double margin = 1, Reduction reduction = Reduction::mean)
      : Loss(reduction), margin_(margin) {}
  TEFF_MODULE(HingeEmbeddingLoss)

 protected:
  Tensor compute(const Tensor& input, const Tensor& target) const override;

 private:
  double margin_;
};

class SoftMarginLoss : public Loss {
 public:
  explicit SoftMarginLoss(Reduction reduction = Reduction::mean) : Loss(reduction) {}
  TEFF_MODULE(SoftMarginLoss)

 protected:
  Tensor compute(const Tensor& input, const Tensor& target) const override;
};

class MultiLabelMarginLoss : public Loss {
 public:
  explicit MultiLabelMarginLoss(Reduction reduction = Reduction::mean) : Loss(reduction) {}
  TEFF_MODULE(MultiLabelMarginLoss)

 protected:
  Tensor compute(const Tensor& input, const Tensor& target) const override;
};

class MultiLabelSoftMarginLoss : public Loss {
 public:
  explicit MultiLabelSoftMarginLoss(const Tensor& its_weight = {}, Reduction reduction = Reduction::mean)
      : Loss(reduction), weight(its_weight) {}
  Buffer weight;  // [C]; undefined without
  TEFF_MODULE(MultiLabelSoftMarginLoss, weight)

 protected:
  Tensor compute(const Tensor& input, const Tensor& target) const override;
};

class MultiMarginLoss : public Loss {
 public:
  /// @throws ValueError for p other than 1 and 2.
  explicit MultiMarginLoss(const MultiMarginLossOptions& options = {});
  Buffer weight;  // [C]; undefined without
  TEFF_MODULE(MultiMarginLoss, weight)

 protected:
  Tensor compute(const Tensor& input, const Tensor& target) const override;

 private:
  int p_;
  double margin_;
};

class PoissonNLLLoss : public Loss {
 public:
  explicit PoissonNLLLoss(const PoissonNllLossOptions& options = {}) : Loss(options.reduction), options_(options) {}
  TEFF_MODULE(PoissonNLLLoss)

 protected:
  Tensor compute(const Tensor& input, const Tensor& target) const override;

 private:
  PoissonNllLossOptions options_;
};

}  // namespace nn
}  // namespace teff

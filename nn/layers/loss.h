// SPDX-License-Identifier: MIT
#pragma once

#include <initializer_list>
#include <span>
#include <vector>

#include "teff/engine/losses.h"
#include "teff/nn/module.h"

namespace TEFF_EXPORT teff {
namespace nn {

/// A module of two inputs: `loss(input, target)`. Base of those below. Weights are buffers, as in PyTorch.
class Loss : public Module {
 public:
  using Module::operator();
  Tensor operator()(const Tensor& input, const Tensor& target);
  /// @throws ShapeError unless there are two inputs.
  std::vector<Tensor> forward_many(std::span<const Tensor> inputs) override;

 protected:
  explicit Loss(Reduction reduction) : reduction_(reduction) {}
  virtual Tensor compute(const Tensor& input, const Tensor& target) const = 0;
  Reduction reduction() const { return reduction_; }

 private:
  Reduction reduction_;
};

/// teff::cross_entropy: logits [N, C, ...] and int64 classes [N, ...], or probabilities [N, C, ...].
class CrossEntropyLoss : public Loss {
 public:
  explicit CrossEntropyLoss(Reduction reduction = Reduction::mean)
      : CrossEntropyLoss(CrossEntropyOptions{.reduction = reduction}) {}
  explicit CrossEntropyLoss(const CrossEntropyOptions& options);
  Buffer weight;  // [C]; undefined without
  TEFF_MODULE(CrossEntropyLoss, weight)

 protected:
  Tensor compute(const Tensor& input, const Tensor& target) const override;

 private:
  std::int64_t ignore_index_;
  double label_smoothing_;
};

/// teff::nll_loss: logarithms of probabilities [N, C, ...] and int64 classes [N, ...].
class NLLLoss : public Loss {
 public:
  explicit NLLLoss(Reduction reduction = Reduction::mean) : NLLLoss(NllLossOptions{.reduction = reduction}) {}
  explicit NLLLoss(const NllLossOptions& options);
  Buffer weight;  // [C]; undefined without
  TEFF_MODULE(NLLLoss, weight)

 protected:
  Tensor compute(const Tensor& input, const Tensor& target) const override;

 private:
  std::int64_t ignore_index_;
};

// Of input and target of equal shapes: teff::mse_loss and so on.

class MSELoss : public Loss {
 public:
  explicit MSELoss(Reduction reduction = Reduction::mean) : Loss(reduction) {}
  TEFF_MODULE(MSELoss)

 protected:
  Tensor compute(const Tensor& input, const Tensor& target) const override;
};

class L1Loss : public Loss {
 public:
  explicit L1Loss(Reduction reduction = Reduction::mean) : Loss(reduction) {}
  TEFF_MODULE(L1Loss)

 protected:
  Tensor compute(const Tensor& input, const Tensor& target) const override;
};

class SmoothL1Loss : public Loss {
 public:
  explicit SmoothL1Loss(Reduction reduction = Reduction::mean, double beta = 1) : Loss(reduction), beta_(beta) {}
  TEFF_MODULE(SmoothL1Loss)

 protected:
  Tensor compute(const Tensor& input, const Tensor& target) const override;

 private:
  double beta_;
};

class HuberLoss : public Loss {
 public:
  explicit HuberLoss(Reduction reduction = Reduction::mean, double delta = 1) : Loss(reduction), delta_(delta) {}
  TEFF_MODULE(HuberLoss)

 protected:
  Tensor compute(const Tensor& input, const Tensor& target) const override;

 private:
  double delta_;
};

class BCELoss : public Loss {
 public:
  explicit BCELoss(const BinaryCrossEntropyOptions& options = {}) : Loss(options.reduction), weight(options.weight) {}
  Buffer weight;  // undefined without
  TEFF_MODULE(BCELoss, weight)

 protected:
  Tensor compute(const Tensor& input, const Tensor& target) const override;
};

class BCEWithLogitsLoss : public Loss {
 public:
  explicit BCEWithLogitsLoss(const BinaryCrossEntropyWithLogitsOptions& options = {})
      : Loss(options.reduction), weight(options.weight), pos_weight(options.pos_weight) {}
  Buffer weight;      // undefined without
  Buffer pos_weight;  // undefined without
  TEFF_MODULE(BCEWithLogitsLoss, weight, pos_weight)

 protected:
  Tensor compute(const Tensor& input, const Tensor& target) const override;
};

class KLDivLoss : public Loss {
 public:
  explicit KLDivLoss(Reduction reduction = Reduction::mean, bool log_target = false)
      : Loss(reduction), log_target_(log_target) {}
  TEFF_MODULE(KLDivLoss)

 protected:
  Tensor compute(const Tensor& input, const Tensor& target) const override;

 private:
  bool log_target_;
};

}  // namespace nn
}  // namespace teff

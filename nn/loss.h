// SPDX-License-Identifier: MIT
#pragma once

#include <initializer_list>
#include <span>
#include <vector>

#include "teff/engine/ops.h"
#include "teff/nn/module.h"

namespace teff::nn {

/// A module of two inputs: `loss(input, target)`. Base of those below.
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

/// teff::cross_entropy: logits [N, C, ...] and int64 classes [N, ...].
class CrossEntropyLoss : public Loss {
 public:
  explicit CrossEntropyLoss(Reduction reduction = Reduction::mean) : Loss(reduction) {}
  TEFF_MODULE(CrossEntropyLoss)

 protected:
  Tensor compute(const Tensor& input, const Tensor& target) const override;
};

/// teff::nll_loss: logarithms of probabilities [N, C, ...] and int64 classes [N, ...].
class NLLLoss : public Loss {
 public:
  explicit NLLLoss(Reduction reduction = Reduction::mean) : Loss(reduction) {}
  TEFF_MODULE(NLLLoss)

 protected:
  Tensor compute(const Tensor& input, const Tensor& target) const override;
};

/// teff::mse_loss: (input - target)^2, of equal shapes.
class MSELoss : public Loss {
 public:
  explicit MSELoss(Reduction reduction = Reduction::mean) : Loss(reduction) {}
  TEFF_MODULE(MSELoss)

 protected:
  Tensor compute(const Tensor& input, const Tensor& target) const override;
};

}  // namespace teff::nn

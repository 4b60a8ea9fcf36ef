// SPDX-License-Identifier: MIT
#pragma once

#include "teff/nn/module.h"

namespace teff::nn {

/// In training each element becomes 0 with probability p, the others x / (1 - p); otherwise x (Srivastava et al.,
/// 2014). The mask comes from the default generator, as in PyTorch.
class Dropout : public Module {
 public:
  /// @throws ValueError for p outside [0, 1].
  explicit Dropout(double p = 0.5);
  TEFF_MODULE(Dropout)
  Tensor forward(const Tensor& input) override;
  std::string extra_repr() const override;

 private:
  double p_;
};

}  // namespace teff::nn

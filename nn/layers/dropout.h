// SPDX-License-Identifier: MIT
#pragma once

#include "teff/nn/module.h"

namespace TEFF_EXPORT teff {
namespace nn {

/// In training each element becomes 0 with probability p, the others x / (1 - p); otherwise x (Srivastava et al.,
/// 2014). The mask comes from the default generator, as in PyTorch.
class Dropout : public Module {
 public:
  /// inplace only shows when printed. @throws ValueError for p outside [0, 1].
  explicit Dropout(double p = 0.5, bool inplace = false);
  TEFF_MODULE(Dropout)
  Tensor forward(const Tensor& input) override;
  std::string extra_repr() const override;

 private:
  double p_;
  bool inplace_;
};

/// The same for whole channels of [N, C, ...] (Tompson et al., 2015).
class Dropout2d : public Module {
 public:
  /// @throws ValueError for p outside [0, 1].
  explicit Dropout2d(double p = 0.5, bool inplace = false);
  TEFF_MODULE(Dropout2d)
  Tensor forward(const Tensor& input) override;
  std::string extra_repr() const override;

 private:
  double p_;
  bool inplace_;
};

}  // namespace nn
}  // namespace teff

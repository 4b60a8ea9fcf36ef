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

/// The same for whole channels of [N, C, L].
class Dropout1d : public Module {
 public:
  /// @throws ValueError for p outside [0, 1].
  explicit Dropout1d(double p = 0.5, bool inplace = false);
  TEFF_MODULE(Dropout1d)
  /// @throws ShapeError unless the input is [N, C, L].
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

/// The same for whole channels of [N, C, D, H, W].
class Dropout3d : public Module {
 public:
  /// @throws ValueError for p outside [0, 1].
  explicit Dropout3d(double p = 0.5, bool inplace = false);
  TEFF_MODULE(Dropout3d)
  /// @throws ShapeError unless the input is [N, C, D, H, W].
  Tensor forward(const Tensor& input) override;
  std::string extra_repr() const override;

 private:
  double p_;
  bool inplace_;
};

/// teff::alpha_dropout: keeps mean 0 and variance 1, for networks of SELU.
class AlphaDropout : public Module {
 public:
  /// @throws ValueError for p outside [0, 1].
  explicit AlphaDropout(double p = 0.5, bool inplace = false);
  TEFF_MODULE(AlphaDropout)
  Tensor forward(const Tensor& input) override;
  std::string extra_repr() const override;

 private:
  double p_;
  bool inplace_;
};

/// The same for whole channels of [N, C, ...].
class FeatureAlphaDropout : public Module {
 public:
  /// @throws ValueError for p outside [0, 1].
  explicit FeatureAlphaDropout(double p = 0.5, bool inplace = false);
  TEFF_MODULE(FeatureAlphaDropout)
  Tensor forward(const Tensor& input) override;
  std::string extra_repr() const override;

 private:
  double p_;
  bool inplace_;
};

}  // namespace nn
}  // namespace teff

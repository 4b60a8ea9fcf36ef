// SPDX-License-Identifier: MIT
#pragma once

#include <array>

#include "teff/nn/optim/optimizer_of.h"

namespace TEFF_EXPORT teff {
namespace optim {

struct AdamOptions {
  double lr = 1e-3;
  std::array<double, 2> betas = {0.9, 0.999};
  double eps = 1e-8;
  double weight_decay = 0;
  bool amsgrad = false;
  bool maximize = false;
  static constexpr bool kDecoupled = false;  // whether weight decay stays apart from the gradient
  static void fields(auto& self, auto&& field) {
    field("lr", self.lr);
    field("betas", self.betas);
    field("eps", self.eps);
    field("weight_decay", self.weight_decay);
    field("amsgrad", self.amsgrad);
    field("maximize", self.maximize);
  }
  /// @throws ValueError for a negative or infinite option, or a beta outside [0, 1).
  void check(std::string_view owner) const;
};

struct AdamWOptions {
  double lr = 1e-3;
  std::array<double, 2> betas = {0.9, 0.999};
  double eps = 1e-8;
  double weight_decay = 1e-2;
  bool amsgrad = false;
  bool maximize = false;
  static constexpr bool kDecoupled = true;
  static void fields(auto& self, auto&& field) { AdamOptions::fields(self, field); }
  /// @throws ValueError for a negative or infinite option, or a beta outside [0, 1).
  void check(std::string_view owner) const;
};

/// What Adam and AdamW share.
template <class Options>
class AdamBase : public OptimizerOf<Options> {
 public:
  void step() override;

 protected:
  AdamBase(std::string name, Dict constants, std::vector<ParameterGroup<Options>> groups);
  Commit prepare_group_options(const std::vector<Dict>& groups) override;
};

extern template class AdamBase<AdamOptions>;
extern template class AdamBase<AdamWOptions>;

using AdamGroup = ParameterGroup<AdamOptions>;

/// Adam (Kingma and Ba, 2015). For the t-th step of each parameter p with gradient g:
///
///   g = (maximize ? -g : g) + weight_decay * p
///   m = beta1 * m + (1 - beta1) * g          "exp_avg" in the state dict
///   v = beta2 * v + (1 - beta2) * g^2        "exp_avg_sq"
///   w = amsgrad ? max(w, v) : v              "max_exp_avg_sq"
///   p = p - lr / (1 - beta1^t) * m / (sqrt(w) / sqrt(1 - beta2^t) + eps)
class Adam : public AdamBase<AdamOptions> {
 public:
  /// @throws ValueError for options that are not valid; and what Optimizer throws.
  explicit Adam(ParameterList parameters, const AdamOptions& options = {});
  explicit Adam(std::vector<AdamGroup> groups);
};

using AdamWGroup = ParameterGroup<AdamWOptions>;

/// Adam with decoupled weight decay (Loshchilov and Hutter, 2019): as Adam, but weight_decay does not enter the
/// gradient; instead each step begins with p = (1 - lr * weight_decay) * p.
class AdamW : public AdamBase<AdamWOptions> {
 public:
  /// @throws ValueError for options that are not valid; and what Optimizer throws.
  explicit AdamW(ParameterList parameters, const AdamWOptions& options = {});
  explicit AdamW(std::vector<AdamWGroup> groups);
};

}  // namespace optim
}  // namespace teff

// SPDX-License-Identifier: MIT
#pragma once

#include "teff/nn/optim/optimizer_of.h"

namespace TEFF_EXPORT teff {
namespace optim {

struct AdagradOptions {
  double lr = 1e-2;
  double lr_decay = 0;
  double weight_decay = 0;
  double initial_accumulator_value = 0;
  double eps = 1e-10;
  bool maximize = false;
  static void fields(auto& self, auto&& field) {
    field("lr", self.lr);
    field("lr_decay", self.lr_decay);
    field("eps", self.eps);
    field("weight_decay", self.weight_decay);
    field("initial_accumulator_value", self.initial_accumulator_value);
    field("maximize", self.maximize);
  }
  /// @throws ValueError for a negative or infinite option.
  void check(std::string_view owner) const;
};

using AdagradGroup = ParameterGroup<AdagradOptions>;

/// Adagrad (Duchi et al., 2011). For the t-th step of each parameter p with gradient g:
///
///   g = (maximize ? -g : g) + weight_decay * p
///   s = s + g^2                              "sum" in the state dict; at first initial_accumulator_value
///   p = p - lr / (1 + (t - 1) * lr_decay) * g / (sqrt(s) + eps)
class Adagrad : public OptimizerOf<AdagradOptions> {
 public:
  /// @throws ValueError for options that are not valid; and what Optimizer throws.
  explicit Adagrad(ParameterList parameters, const AdagradOptions& options = {});
  explicit Adagrad(std::vector<AdagradGroup> groups);

  void step() override;
};

}  // namespace optim
}  // namespace teff

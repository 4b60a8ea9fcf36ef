// SPDX-License-Identifier: MIT
#pragma once

#include "teff/nn/optim/optimizer_of.h"

namespace TEFF_EXPORT teff {
namespace optim {

struct RMSpropOptions {
  double lr = 1e-2;
  double alpha = 0.99;
  double eps = 1e-8;
  double weight_decay = 0;
  double momentum = 0;
  bool centered = false;
  bool maximize = false;
  static void fields(auto& self, auto&& field) {
    field("lr", self.lr);
    field("momentum", self.momentum);
    field("alpha", self.alpha);
    field("eps", self.eps);
    field("centered", self.centered);
    field("weight_decay", self.weight_decay);
    field("maximize", self.maximize);
  }
  /// @throws ValueError for a negative or infinite option.
  void check(std::string_view owner) const;
};

using RMSpropGroup = ParameterGroup<RMSpropOptions>;

/// RMSprop (Hinton, lecture 6 of "Neural Networks for Machine Learning", 2012; centered: Graves, 2013). For each
/// parameter p with gradient g:
///
///   g = (maximize ? -g : g) + weight_decay * p
///   v = alpha * v + (1 - alpha) * g^2                     "square_avg" in the state dict
///   a = alpha * a + (1 - alpha) * g, if centered          "grad_avg"
///   r = sqrt(centered ? v - a^2 : v) + eps
///   if momentum != 0:  b = momentum * b + g / r;  p = p - lr * b       "momentum_buffer"
///   else:              p = p - lr * g / r
class RMSprop : public OptimizerOf<RMSpropOptions> {
 public:
  /// @throws ValueError for options that are not valid; and what Optimizer throws.
  explicit RMSprop(ParameterList parameters, const RMSpropOptions& options = {});
  explicit RMSprop(std::vector<RMSpropGroup> groups);

  void step() override;
};

}  // namespace optim
}  // namespace teff

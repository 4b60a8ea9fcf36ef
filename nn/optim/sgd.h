// SPDX-License-Identifier: MIT
#pragma once

#include "teff/nn/optim/optimizer_of.h"

namespace TEFF_EXPORT teff {
namespace optim {

struct SGDOptions {
  double lr = 1e-3;
  double momentum = 0;
  double dampening = 0;
  double weight_decay = 0;
  bool nesterov = false;
  bool maximize = false;
  static void fields(auto& self, auto&& field) {
    field("lr", self.lr);
    field("momentum", self.momentum);
    field("dampening", self.dampening);
    field("weight_decay", self.weight_decay);
    field("nesterov", self.nesterov);
    field("maximize", self.maximize);
  }
  /// @throws ValueError for a negative or infinite option, for nesterov without momentum or with dampening.
  void check(std::string_view owner) const;
};

using SGDGroup = ParameterGroup<SGDOptions>;

/// Stochastic gradient descent with momentum (Sutskever et al., 2013, as PyTorch writes it). For each parameter p with
/// gradient g:
///
///   g = (maximize ? -g : g) + weight_decay * p
///   if momentum != 0:
///     b = first step ? g : momentum * b + (1 - dampening) * g      "momentum_buffer" in the state dict
///     g = nesterov ? g + momentum * b : b
///   p = p - lr * g
///
///   optim::SGD optimizer(net.parameters(), {.lr = 0.01, .momentum = 0.9});
///   optim::SGD optimizer({{.params = features.parameters(), .options = {.lr = 0.001}},
///                         {.params = classifier.parameters(), .options = {.lr = 0.01}}});
class SGD : public OptimizerOf<SGDOptions> {
 public:
  /// @throws ValueError for options that are not valid; and what Optimizer throws.
  explicit SGD(ParameterList parameters, const SGDOptions& options = {});
  explicit SGD(std::vector<SGDGroup> groups);

  void step() override;
};

}  // namespace optim
}  // namespace teff

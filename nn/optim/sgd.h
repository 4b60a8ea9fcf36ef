// SPDX-License-Identifier: MIT
#pragma once

#include "teff/nn/optim/optimizer.h"

namespace teff::optim {

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
};

struct SGDGroup {
  ParameterList params;
  SGDOptions options = {};
};

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
class SGD : public Optimizer {
 public:
  /// @throws ValueError for a negative or infinite option, for nesterov without momentum or with dampening; and what
  /// Optimizer throws.
  explicit SGD(ParameterList parameters, const SGDOptions& options = {});
  explicit SGD(std::vector<SGDGroup> groups);

  void step() override;

  const SGDOptions& options(std::size_t group = 0) const { return options_.at(group); }
  /// For schedules. @throws ValueError as the constructor.
  void set_options(const SGDOptions& options, std::size_t group = 0);
  /// Sets the learning rate of all groups.
  void set_lr(double lr);

 protected:
  Dict group_options(std::size_t group) const override;
  void set_group_options(const std::vector<Dict>& groups) override;

 private:
  std::vector<SGDOptions> options_;
};

}  // namespace teff::optim

// SPDX-License-Identifier: MIT
#pragma once

#include <array>

#include "teff/nn/optim/optimizer_of.h"

// Optimisers of Adam's family. All constructors throw ValueError for options that are not valid, and what Optimizer
// throws. For the t-th step of each parameter p with gradient g, where first g = g + weight_decay * p:

namespace TEFF_EXPORT teff {
namespace optim {

struct NAdamOptions {
  double lr = 2e-3;
  std::array<double, 2> betas = {0.9, 0.999};
  double eps = 1e-8;
  double weight_decay = 0;
  double momentum_decay = 4e-3;
  static void fields(auto& self, auto&& field) {
    field("lr", self.lr);
    field("betas", self.betas);
    field("eps", self.eps);
    field("weight_decay", self.weight_decay);
    field("momentum_decay", self.momentum_decay);
  }
  void check(std::string_view owner) const;
};
using NAdamGroup = ParameterGroup<NAdamOptions>;

/// Adam with Nesterov's momentum (Dozat, 2016), with u(t) = beta1 * (1 - 0.96^(t * momentum_decay) / 2):
///
///   U = U * u(t)                             "mu_product" in the state dict, from 1
///   m = beta1 * m + (1 - beta1) * g          "exp_avg"
///   v = beta2 * v + (1 - beta2) * g^2        "exp_avg_sq"
///   d = sqrt(v / (1 - beta2^t)) + eps
///   p = p - lr * (1 - u(t)) / (1 - U) * g / d - lr * u(t + 1) / (1 - U * u(t) * u(t + 1)) * m / d
///
/// (the last product as PyTorch 1.13 has it).
class NAdam : public OptimizerOf<NAdamOptions> {
 public:
  explicit NAdam(ParameterList parameters, const NAdamOptions& options = {});
  explicit NAdam(std::vector<NAdamGroup> groups);
  void step() override;
};

struct RAdamOptions {
  double lr = 1e-3;
  std::array<double, 2> betas = {0.9, 0.999};
  double eps = 1e-8;
  double weight_decay = 0;
  static void fields(auto& self, auto&& field) {
    field("lr", self.lr);
    field("betas", self.betas);
    field("eps", self.eps);
    field("weight_decay", self.weight_decay);
  }
  void check(std::string_view owner) const;
};
using RAdamGroup = ParameterGroup<RAdamOptions>;

/// Adam that begins like SGD, until the variance is known well enough (Liu et al., 2020). With m and v as Adam's, n =
/// 2 / (1 - beta2) - 1 and r = n - 2 t beta2^t / (1 - beta2^t):
///
///   p = p - lr * m / (1 - beta1^t)                                                              while r <= 5
///   p = p - lr * m / (1 - beta1^t) * sqrt(1 - beta2^t) / (sqrt(v) + eps)
///           * sqrt((r - 4) (r - 2) n / ((n - 4) (n - 2) r))                                     then
class RAdam : public OptimizerOf<RAdamOptions> {
 public:
  explicit RAdam(ParameterList parameters, const RAdamOptions& options = {});
  explicit RAdam(std::vector<RAdamGroup> groups);
  void step() override;
};

struct AdamaxOptions {
  double lr = 2e-3;
  std::array<double, 2> betas = {0.9, 0.999};
  double eps = 1e-8;
  double weight_decay = 0;
  bool maximize = false;
  static void fields(auto& self, auto&& field) {
    field("lr", self.lr);
    field("betas", self.betas);
    field("eps", self.eps);
    field("weight_decay", self.weight_decay);
    field("maximize", self.maximize);
  }
  void check(std::string_view owner) const;
};
using AdamaxGroup = ParameterGroup<AdamaxOptions>;

/// Adam with the greatest gradient instead of the mean square (Kingma and Ba, 2015):
///
///   m = beta1 * m + (1 - beta1) * g          "exp_avg" in the state dict
///   u = max(beta2 * u, |g| + eps)            "exp_inf"
///   p = p - lr / (1 - beta1^t) * m / u
class Adamax : public OptimizerOf<AdamaxOptions> {
 public:
  explicit Adamax(ParameterList parameters, const AdamaxOptions& options = {});
  explicit Adamax(std::vector<AdamaxGroup> groups);
  void step() override;
};

}  // namespace optim
}  // namespace teff

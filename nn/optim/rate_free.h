// SPDX-License-Identifier: MIT
#pragma once

#include <array>

#include "teff/nn/optim/optimizer_of.h"

// Optimisers that find the size of their steps themselves, and averaged SGD. All constructors throw ValueError for
// options that are not valid, and what Optimizer throws. For each parameter p with gradient g = (maximize ? -grad :
// grad) + weight_decay * p:

namespace TEFF_EXPORT teff {
namespace optim {

struct AdadeltaOptions {
  double lr = 1;
  double rho = 0.9;
  double eps = 1e-6;
  double weight_decay = 0;
  bool maximize = false;
  static void fields(auto& self, auto&& field) {
    field("lr", self.lr);
    field("rho", self.rho);
    field("eps", self.eps);
    field("weight_decay", self.weight_decay);
    field("maximize", self.maximize);
  }
  void check(std::string_view owner) const;
};
using AdadeltaGroup = ParameterGroup<AdadeltaOptions>;

/// Adadelta (Zeiler, 2012):
///
///   v = rho * v + (1 - rho) * g^2            "square_avg" in the state dict
///   d = sqrt(a + eps) / sqrt(v + eps) * g
///   a = rho * a + (1 - rho) * d^2            "acc_delta"
///   p = p - lr * d
class Adadelta : public OptimizerOf<AdadeltaOptions> {
 public:
  explicit Adadelta(ParameterList parameters, const AdadeltaOptions& options = {});
  explicit Adadelta(std::vector<AdadeltaGroup> groups);
  void step() override;
};

struct RpropOptions {
  double lr = 1e-2;                                 // of the first step
  std::array<double, 2> etas = {0.5, 1.2};          // factors for a step after which the sign changed, or did not
  std::array<double, 2> step_sizes = {1e-6, 50.0};  // the smallest and the largest step
  bool maximize = false;
  static void fields(auto& self, auto&& field) {
    field("lr", self.lr);
    field("etas", self.etas);
    field("step_sizes", self.step_sizes);
    field("maximize", self.maximize);
  }
  void check(std::string_view owner) const;
};
using RpropGroup = ParameterGroup<RpropOptions>;

/// Resilient propagation (Riedmiller and Braun, 1993), for gradients of all data at once: only their signs count.
///
///   s = clamp(s * (g * before > 0 ? etas[1] : g * before < 0 ? etas[0] : 1), step_sizes)      "step_size", from lr
///   g = g * before < 0 ? 0 : g
///   p = p - sign(g) * s,  before = g                                                           "prev"
class Rprop : public OptimizerOf<RpropOptions> {
 public:
  explicit Rprop(ParameterList parameters, const RpropOptions& options = {});
  explicit Rprop(std::vector<RpropGroup> groups);
  void step() override;
};

struct ASGDOptions {
  double lr = 1e-2;
  double lambd = 1e-4;
  double alpha = 0.75;
  double t0 = 1e6;  // the step from which on the mean is taken
  double weight_decay = 0;
  bool maximize = false;
  static void fields(auto& self, auto&& field) {
    field("lr", self.lr);
    field("lambd", self.lambd);
    field("alpha", self.alpha);
    field("t0", self.t0);
    field("weight_decay", self.weight_decay);
    field("maximize", self.maximize);
  }
  void check(std::string_view owner) const;
};
using ASGDGroup = ParameterGroup<ASGDOptions>;

/// Averaged SGD (Polyak and Juditsky, 1992). For the t-th step:
///
///   p = (1 - lambd * eta) * p - eta * g                       "eta" in the state dict, from lr
///   mean = mu = 1 ? p : mean + mu * (p - mean)                "ax"
///   eta = lr / (1 + lambd * lr * t)^alpha,  mu = 1 / max(1, t - t0)                            "mu", from 1
class ASGD : public OptimizerOf<ASGDOptions> {
 public:
  explicit ASGD(ParameterList parameters, const ASGDOptions& options = {});
  explicit ASGD(std::vector<ASGDGroup> groups);
  void step() override;
};

}  // namespace optim
}  // namespace teff

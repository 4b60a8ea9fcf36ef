// SPDX-License-Identifier: MIT
#pragma once

#include <functional>

#include "teff/nn/optim/lr_scheduler.h"

// The usual schedules. All constructors throw ValueError for options outside their range.

namespace TEFF_EXPORT teff {
namespace optim {

struct StepLROptions {
  std::int64_t step_size = 0;  // >= 1
  double gamma = 0.1;
  static void fields(auto& self, auto&& field) {
    field("step_size", self.step_size);
    field("gamma", self.gamma);
  }
  void check(std::string_view owner) const;
};

/// lr *= gamma every step_size epochs.
class StepLR : public ChainableLROf<StepLROptions> {
 public:
  StepLR(Optimizer& optimizer, const StepLROptions& options);

 protected:
  double next_lr(std::size_t group, double lr, std::int64_t epoch) const override;
};

struct MultiStepLROptions {
  std::vector<std::int64_t> milestones;  // epochs; one that occurs twice counts twice
  double gamma = 0.1;
};

/// lr *= gamma at each milestone.
class MultiStepLR : public ChainableLR {
 public:
  MultiStepLR(Optimizer& optimizer, const MultiStepLROptions& options);

 protected:
  double first_lr(std::size_t group, double lr) const override { return next_lr(group, lr, 0); }
  double next_lr(std::size_t group, double lr, std::int64_t epoch) const override;
  Dict options() const override;
  Commit prepare_options(const Dict& options) override;

 private:
  MultiStepLROptions options_;
};

struct ExponentialLROptions {
  double gamma = 0;
  static void fields(auto& self, auto&& field) { field("gamma", self.gamma); }
  void check(std::string_view owner) const;
};

/// lr *= gamma every epoch.
class ExponentialLR : public ChainableLROf<ExponentialLROptions> {
 public:
  ExponentialLR(Optimizer& optimizer, const ExponentialLROptions& options);

 protected:
  double next_lr(std::size_t group, double lr, std::int64_t epoch) const override;
};

struct ConstantLROptions {
  double factor = 1.0 / 3;  // in (0, 1]
  std::int64_t total_iters = 5;
  static void fields(auto& self, auto&& field) {
    field("factor", self.factor);
    field("total_iters", self.total_iters);
  }
  void check(std::string_view owner) const;
};

/// factor * lr until epoch total_iters, then lr.
class ConstantLR : public ChainableLROf<ConstantLROptions> {
 public:
  explicit ConstantLR(Optimizer& optimizer, const ConstantLROptions& options = {});

 protected:
  double first_lr(std::size_t group, double lr) const override;
  double next_lr(std::size_t group, double lr, std::int64_t epoch) const override;
};

struct LinearLROptions {
  double start_factor = 1.0 / 3;  // in (0, 1]
  double end_factor = 1;          // in [0, 1]
  std::int64_t total_iters = 5;
  static void fields(auto& self, auto&& field) {
    field("start_factor", self.start_factor);
    field("end_factor", self.end_factor);
    field("total_iters", self.total_iters);
  }
  void check(std::string_view owner) const;
};

/// From start_factor * lr in a straight line to end_factor * lr in epoch total_iters: a warm-up.
class LinearLR : public ChainableLROf<LinearLROptions> {
 public:
  explicit LinearLR(Optimizer& optimizer, const LinearLROptions& options = {});

 protected:
  double first_lr(std::size_t group, double lr) const override;
  double next_lr(std::size_t group, double lr, std::int64_t epoch) const override;
};

struct CosineAnnealingLROptions {
  std::int64_t T_max = 0;  // >= 1
  double eta_min = 0;
  static void fields(auto& self, auto&& field) {
    field("T_max", self.T_max);
    field("eta_min", self.eta_min);
  }
  void check(std::string_view owner) const;
};

/// eta_min + (base_lr - eta_min) * (1 + cos(pi * epoch / T_max)) / 2 (Loshchilov and Hutter, 2017, without restarts).
class CosineAnnealingLR : public ChainableLROf<CosineAnnealingLROptions> {
 public:
  CosineAnnealingLR(Optimizer& optimizer, const CosineAnnealingLROptions& options);

 protected:
  double next_lr(std::size_t group, double lr, std::int64_t epoch) const override;
};

/// base_lr * lr_lambda(epoch). The functions themselves are not saved: the program gives them again.
class LambdaLR : public ChainableLR {
 public:
  using Function = std::function<double(std::int64_t epoch)>;

  LambdaLR(Optimizer& optimizer, Function lr_lambda);
  /// One for each group. @throws ValueError if there are others than as many as groups.
  LambdaLR(Optimizer& optimizer, std::vector<Function> lr_lambdas);

 protected:
  double first_lr(std::size_t group, double lr) const override { return next_lr(group, lr, 0); }
  LambdaLR(std::string name, Optimizer& optimizer, std::vector<Function> lr_lambdas);
  double next_lr(std::size_t group, double lr, std::int64_t epoch) const override;
  Dict options() const override;
  Commit prepare_options(const Dict& options) override;
  double factor(std::size_t group, std::int64_t epoch) const { return lr_lambdas_[group](epoch); }

 private:
  std::vector<Function> lr_lambdas_;
};

/// lr *= lr_lambda(epoch), from epoch 1 on. The functions themselves are not saved: the program gives them again.
class MultiplicativeLR : public LambdaLR {
 public:
  MultiplicativeLR(Optimizer& optimizer, Function lr_lambda);
  /// One for each group. @throws ValueError if there are others than as many as groups.
  MultiplicativeLR(Optimizer& optimizer, std::vector<Function> lr_lambdas);

 protected:
  double first_lr(std::size_t, double lr) const override { return lr; }
  double next_lr(std::size_t group, double lr, std::int64_t epoch) const override;
};

struct PolynomialLROptions {
  std::int64_t total_iters = 5;  // >= 1
  double power = 1;
  static void fields(auto& self, auto&& field) {
    field("total_iters", self.total_iters);
    field("power", self.power);
  }
  void check(std::string_view owner) const;
};

/// base_lr * (1 - epoch / total_iters)^power, and 0 from epoch total_iters on.
class PolynomialLR : public ChainableLROf<PolynomialLROptions> {
 public:
  explicit PolynomialLR(Optimizer& optimizer, const PolynomialLROptions& options = {});

 protected:
  double next_lr(std::size_t group, double lr, std::int64_t epoch) const override;
};

}  // namespace optim
}  // namespace teff

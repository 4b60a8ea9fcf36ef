// SPDX-License-Identifier: MIT
#pragma once

#include <optional>

#include "teff/nn/optim/lr_scheduler.h"

// Schedules that come back. All constructors throw ValueError for options outside their range.

namespace TEFF_EXPORT teff {
namespace optim {

struct CosineAnnealingWarmRestartsOptions {
  std::int64_t T_0 = 0;     // epochs until the first restart, >= 1
  std::int64_t T_mult = 1;  // factor for the next cycle's length, >= 1
  double eta_min = 0;
};

/// eta_min + (base_lr - eta_min) * (1 + cos(pi * T_cur / T_i)) / 2, where T_cur counts the epochs of a cycle of T_i
/// (Loshchilov and Hutter, 2017).
class CosineAnnealingWarmRestarts : public ChainableLR {
 public:
  CosineAnnealingWarmRestarts(Optimizer& optimizer, const CosineAnnealingWarmRestartsOptions& options);

  using ChainableLR::step;
  /// Goes to that epoch, which may be a fraction: `step(epoch + batch / batches)` after each batch.
  /// @throws ValueError for one that is negative or not finite.
  void step(double epoch);

 protected:
  double first_lr(std::size_t group, double lr) const override;
  double next_lr(std::size_t group, double lr, std::int64_t epoch) const override;
  void on_epoch(std::int64_t epoch) override;
  Dict options() const override;
  Commit prepare_options(const Dict& options) override;

 private:
  struct Place {
    double epoch = 0;  // of the cycle
    double length = 1;
  };

  Place next_place() const;
  double rate_at(std::size_t group, const Place& place) const;

  CosineAnnealingWarmRestartsOptions options_;
  Place place_;
  std::optional<Place> asked_;  // by step(epoch), until it is there
};

enum class CyclicMode { triangular, triangular2, exp_range };
std::string_view to_string(CyclicMode mode);
/// @throws ValueError for another text.
void from_string(std::string_view text, CyclicMode& mode);

struct CyclicLROptions {
  PerGroup base_lr = 0;
  PerGroup max_lr = 0;
  std::int64_t step_size_up = 2000;                 // >= 1
  std::optional<std::int64_t> step_size_down = {};  // default: step_size_up
  CyclicMode mode = CyclicMode::triangular;         // all of one height, each half of the last, or gamma^steps
  double gamma = 1;
  bool cycle_momentum = true;  // momentum moves against the rate
  PerGroup base_momentum = 0.8;
  PerGroup max_momentum = 0.9;
};

/// In straight lines from base_lr up to max_lr and back, again and again (Smith, 2017). Step it after every batch.
class CyclicLR : public ChainableLR {
 public:
  /// @throws ValueError for cycle_momentum with an optimiser without momentum.
  CyclicLR(Optimizer& optimizer, const CyclicLROptions& options);

 protected:
  double first_lr(std::size_t group, double lr) const override { return next_lr(group, lr, 0); }
  double next_lr(std::size_t group, double lr, std::int64_t epoch) const override;
  void on_epoch(std::int64_t epoch) override;
  Dict options() const override;
  Commit prepare_options(const Dict& options) override;
  Commit prepare(const Dict& state_dict) override;

 private:
  /// The part of the way up, and what the mode leaves of it.
  double height(std::int64_t epoch) const;

  double total_size_, step_ratio_;
  CyclicMode mode_;
  double gamma_;
  bool cycle_momentum_;
  std::vector<double> max_lrs_, base_momentums_, max_momentums_;  // by group
};

}  // namespace optim
}  // namespace teff

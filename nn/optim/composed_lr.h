// SPDX-License-Identifier: MIT
#pragma once

#include "teff/nn/optim/lr_scheduler.h"

namespace TEFF_EXPORT teff {
namespace optim {

/// One scheduler after the other: schedulers[i] from epoch milestones[i - 1] on. A warm-up before another schedule:
///
///   optim::LinearLR warm_up(optimizer, {.start_factor = 0.01, .total_iters = 5});
///   optim::CosineAnnealingLR rest(optimizer, {.T_max = 85});
///   optim::SequentialLR scheduler(optimizer, {&warm_up, &rest}, {5});
///
/// Refers to the schedulers, which must live as long. Call step() of this one alone.
class SequentialLR : public LRScheduler {
 public:
  /// @throws ValueError unless all schedulers act on this optimiser, milestones grow, and there is one milestone less
  /// than schedulers; TypeError for a null pointer.
  SequentialLR(Optimizer& optimizer, std::vector<ChainableLR*> schedulers, std::vector<std::int64_t> milestones);

  void step() override;
  std::int64_t last_epoch() const { return last_epoch_; }
  Dict state_dict() const override;

 protected:
  Commit prepare(const Dict& state_dict) override;

 private:
  std::vector<ChainableLR*> schedulers_;
  std::vector<std::int64_t> milestones_;
  std::int64_t last_epoch_ = 0;
};

/// Several schedulers at once: each step is one of each, in their order. Refers to them; they must live as long.
class ChainedScheduler : public LRScheduler {
 public:
  /// @throws ValueError unless there are schedulers and all act on one optimiser; TypeError for a null pointer.
  explicit ChainedScheduler(std::vector<ChainableLR*> schedulers);

  void step() override;
  Dict state_dict() const override;

 protected:
  Commit prepare(const Dict& state_dict) override;

 private:
  std::vector<ChainableLR*> schedulers_;
};

}  // namespace optim
}  // namespace teff

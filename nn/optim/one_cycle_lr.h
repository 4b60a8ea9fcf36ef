// SPDX-License-Identifier: MIT
#pragma once

#include "teff/nn/optim/lr_scheduler.h"

namespace TEFF_EXPORT teff {
namespace optim {

enum class Annealing { cos, linear };
std::string_view to_string(Annealing annealing);
/// @throws ValueError for another text.
void from_string(std::string_view text, Annealing& annealing);

struct OneCycleLROptions {
  PerGroup max_lr = 0;
  std::int64_t total_steps = 0;  // >= 1: calls of step() in all
  double pct_start = 0.3;        // the part of them in which the rate grows
  Annealing anneal_strategy = Annealing::cos;
  bool cycle_momentum = true;  // momentum, or Adam's first beta, moves against the rate
  PerGroup base_momentum = 0.85;
  PerGroup max_momentum = 0.95;
  double div_factor = 25;         // max_lr / initial rate
  double final_div_factor = 1e4;  // initial rate / last rate
  bool three_phase = false;       // back to the initial rate before it goes on to the last
};

/// One cycle from max_lr / div_factor up to max_lr and down to a much smaller rate (Smith and Topin, 2019). Step it
/// after every batch; after step total_steps - 1 the rate stays. Bounds of the cycle are kept with the optimiser's
/// groups, as in PyTorch.
class OneCycleLR : public ChainableLR {
 public:
  /// @throws ValueError for options outside their range, for cycle_momentum with an optimiser without momentum.
  OneCycleLR(Optimizer& optimizer, const OneCycleLROptions& options);

 protected:
  double first_lr(std::size_t group, double lr) const override { return next_lr(group, lr, 0); }
  /// @throws ValueError beyond total_steps.
  double next_lr(std::size_t group, double lr, std::int64_t epoch) const override;
  void on_epoch(std::int64_t epoch) override;
  Dict options() const override;
  Commit prepare_options(const Dict& options) override;
  Commit prepare(const Dict& state_dict) override;

 private:
  /// Up to end_step, from the value under one name of the optimiser's schedule to that under another.
  struct Phase {
    double end_step = 0;
    std::string start_lr, end_lr, start_momentum, end_momentum;
    static void fields(auto& self, auto&& field) {
      field("end_step", self.end_step);
      field("start_lr", self.start_lr);
      field("end_lr", self.end_lr);
      field("start_momentum", self.start_momentum);
      field("end_momentum", self.end_momentum);
    }
  };
  struct Place {
    const Phase* phase;
    double part;  // of the phase that is over
  };

  static Optimizer& with_bounds(Optimizer& optimizer, const OneCycleLROptions& options);
  static std::vector<Phase> phases_of(const OneCycleLROptions& options);
  void check_phase(const Phase& phase) const;
  Place place_of(std::int64_t epoch) const;
  double anneal(std::size_t group, const std::string& start, const std::string& end, double part) const;

  std::int64_t total_steps_;
  std::vector<Phase> phases_;
  Annealing annealing_;
  bool cycle_momentum_;
};

}  // namespace optim
}  // namespace teff

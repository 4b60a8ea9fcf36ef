// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "teff/nn/optim/lr_scheduler.h"

namespace TEFF_EXPORT teff {
namespace optim {

enum class PlateauMode { min, max };    // whether smaller or larger metrics are better
enum class ThresholdMode { rel, abs };  // by a factor, or by a difference
std::string_view to_string(PlateauMode mode);
std::string_view to_string(ThresholdMode mode);
/// @throws ValueError for another text.
void from_string(std::string_view text, PlateauMode& mode);
void from_string(std::string_view text, ThresholdMode& mode);

struct ReduceLROnPlateauOptions {
  PlateauMode mode = PlateauMode::min;
  double factor = 0.1;         // [0, 1)
  std::int64_t patience = 10;  // epochs without improvement that are accepted
  double threshold = 1e-4;     // what is less is no improvement
  ThresholdMode threshold_mode = ThresholdMode::rel;
  std::int64_t cooldown = 0;  // epochs after a reduction that do not count
  PerGroup min_lr = 0;
  double eps = 1e-8;  // a smaller change of a rate is left out
};

/// lr = max(factor * lr, min_lr) when a metric has not improved for more than `patience` epochs. A metric that is NaN
/// is no improvement. Refers to the optimiser, which must live as long and stay where it is.
class ReduceLROnPlateau {
 public:
  /// @throws ValueError for options outside their range.
  explicit ReduceLROnPlateau(Optimizer& optimizer, const ReduceLROnPlateauOptions& options = {});
  ReduceLROnPlateau(const ReduceLROnPlateau&) = delete;
  ReduceLROnPlateau& operator=(const ReduceLROnPlateau&) = delete;

  /// After each epoch, with its metric: usually the validation loss.
  void step(double metric);

  std::int64_t last_epoch() const { return counts_.last_epoch; }
  /// The best metric so far; infinite before the first.
  double best() const { return counts_.best; }
  std::vector<double> get_last_lr() const;

  /// PyTorch's form. The rates themselves are the optimiser's.
  Dict state_dict() const;
  /// Takes over options and place, all or nothing. @throws StateDictError unless the dict is one of such a scheduler
  /// for as many groups.
  void load_state_dict(const Dict& state_dict) { prepare_load(state_dict)(); }
  /// The first half of it, which changes nothing yet.
  Commit prepare_load(const Dict& state_dict);

 private:
  /// The numbers of the state dict, but for one list.
  struct Numbers {
    PlateauMode mode = PlateauMode::min;
    double factor = 0, threshold = 0, eps = 0, best = 0;
    ThresholdMode threshold_mode = ThresholdMode::rel;
    std::int64_t patience = 0, cooldown = 0, cooldown_counter = 0, num_bad_epochs = 0, last_epoch = 0;
    static void fields(auto& self, auto&& field) {
      field("mode", self.mode);
      field("factor", self.factor);
      field("patience", self.patience);
      field("threshold", self.threshold);
      field("threshold_mode", self.threshold_mode);
      field("cooldown", self.cooldown);
      field("eps", self.eps);
      field("best", self.best);
      field("cooldown_counter", self.cooldown_counter);
      field("num_bad_epochs", self.num_bad_epochs);
      field("last_epoch", self.last_epoch);
    }
    void check() const;
  };

  bool is_better(double metric) const;
  void reduce_lr();
  Commit prepare(const Dict& state_dict);

  Optimizer* optimizer_;
  Numbers counts_;
  std::vector<double> min_lrs_;  // by group
};

}  // namespace optim
}  // namespace teff

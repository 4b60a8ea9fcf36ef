// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "teff/engine/dict.h"
#include "teff/nn/load_report.h"

namespace TEFF_EXPORT teff {

struct EarlyStoppingOptions {
  std::int64_t patience = 10;  // values in a row without improvement that end the training
  double min_delta = 0;        // by how much a value must be better than the best
  bool maximise = false;       // an accuracy, not a loss
};

/// Says when a number gets no better any more:
///
///   EarlyStopping stopping({.patience = 5});
///   for (int epoch = 0; epoch < 100 && !stopping.stop(); ++epoch) {
///     train(model);
///     if (stopping.add(validation_loss(model))) save(model.state_dict(), "best.teff");
///   }
class EarlyStopping {
 public:
  /// @throws ValueError for a patience below 1, and a min_delta that is not at least 0 and finite.
  explicit EarlyStopping(const EarlyStoppingOptions& options = {});

  /// Takes the next value. Whether it is the best so far; NaN never is.
  bool add(double value);
  /// Whether the last `patience` values were no improvement.
  bool stop() const { return since_best_ >= options_.patience; }
  /// The best value, and its number from 0; infinity (for maximise: -infinity) and -1 if there is none.
  double best() const { return best_; }
  std::int64_t best_index() const { return best_index_; }

  /// What it has seen, for a checkpoint: TrainingState::add takes it as it takes an optimiser.
  Dict state_dict() const;
  /// Goes on from there, with its own patience and min_delta. @throws StateDictError, and changes nothing, unless the
  /// dict is that of one that maximises if this does.
  void load_state_dict(const Dict& state_dict) { prepare_load(state_dict)(); }
  /// The first half of it, which changes nothing yet.
  Commit prepare_load(const Dict& state_dict);

 private:
  EarlyStoppingOptions options_;
  double best_;
  std::int64_t best_index_ = -1, count_ = 0, since_best_ = 0;
};

}  // namespace teff

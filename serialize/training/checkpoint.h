// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <iosfwd>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "teff/engine/dict.h"
#include "teff/nn/load_report.h"

// Training that stops and goes on as if it had not: the same batches, the same losses, the same weights, bit for bit.

namespace TEFF_EXPORT teff {

class Generator;

/// All that a training run consists of: the parts it is told of, counters, and the state of default_generator().
///
///   TrainingState run;
///   run.add("model", net).add("optimizer", optimizer).add("scheduler", scheduler).add("loader", loader);
///
/// Refers to the parts, which must live as long. While it is saved or loaded, nothing else may use them.
class TrainingState {
 public:
  /// Adds a part: a Module, an Optimizer (with named parameters, so that another model's state is refused), a
  /// scheduler, a DataLoader, or anything else with `Dict state_dict()` and `Commit prepare_load(const Dict&)`.
  /// @throws ValueError if the name is empty or taken.
  template <class Part>
  requires requires(Part& part, const Dict& dict) {
    { part.state_dict() } -> std::convertible_to<Dict>;
    { part.prepare_load(dict) } -> std::convertible_to<Commit>;
  }
  TrainingState& add(std::string name, Part& part) {
    return add_part({std::move(name), [&part] { return Dict(part.state_dict()); },
                     [&part](const Dict& dict) { return Commit(part.prepare_load(dict)); }});
  }
  /// A generator beside default_generator().
  TrainingState& add(std::string name, Generator& generator);

  std::int64_t epoch = 0;  // finished ones
  std::int64_t step = 0;   // optimiser steps: it names the checkpoint's file
  Dict values;             // whatever else the program wants to keep

  /// {"epoch": 2, "step": 1200, "values": {...}, "rng_state": tensor, "model_state_dict": {...}, ...}, with each part
  /// under its name and "_state_dict". Tensors are handles.
  Dict state_dict() const;
  /// Takes over everything or, if anything does not fit, nothing: all parts are then bit for bit what they were.
  /// @throws StateDictError unless the dict has exactly the parts of this run, and each fits; what a part throws.
  void load_state_dict(const Dict& state_dict) { prepare_load(state_dict)(); }
  /// The first half of it, which changes nothing yet.
  Commit prepare_load(const Dict& state_dict);

 private:
  struct Part {
    std::string name;
    std::function<Dict()> state_dict;
    std::function<Commit(const Dict&)> prepare_load;
  };

  TrainingState& add_part(Part part);
  Commit prepare(const Dict& state_dict);
  void check_keys(const Dict& state_dict) const;

  std::vector<Part> parts_;
};

struct CheckpointsOptions {
  /// How many of the newest checkpoints stay; at least 1.
  std::int64_t keep_last = 3;
  /// Whether the checkpoint with the best metric stays as well.
  bool keep_best = true;
  /// Accuracy: true. Loss: false.
  bool higher_is_better = false;
  /// See SaveOptions.
  bool durable = true;
};

/// What a checkpoint file says of itself.
struct CheckpointInfo {
  std::string path;
  std::int64_t step = 0;
  std::optional<double> metric = {};
};

/// What Checkpoints::resume did.
struct ResumeReport {
  struct Refused {
    std::string path;
    std::string reason;
  };
  std::optional<CheckpointInfo> loaded;  // nothing: there was no checkpoint, the run begins
  std::vector<Refused> refused;          // newer ones that could not be read
};

/// `no checkpoint`, or `resumed from runs/checkpoint-0000001200.teff`, and a line for each refused one.
std::ostream& operator<<(std::ostream& out, const ResumeReport& report);

/// The checkpoints of one run: files `checkpoint-<step>.teff` in a folder, of which the last few and the best stay.
///
///   Checkpoints checkpoints("runs/net", {.higher_is_better = true});
///   std::cout << checkpoints.resume(run) << '\n';
///   while (run.epoch < 10) {
///     for (auto [images, labels] : loader) {
///       ...
///       if (++run.step % 100 == 0) checkpoints.save(run);
///     }
///     ++run.epoch;
///     checkpoints.save(run, accuracy(net));
///   }
///
/// One process at a time may write to the folder.
class Checkpoints {
 public:
  /// The folder is made by the first save. @throws ValueError if keep_last is below 1.
  explicit Checkpoints(std::string folder, const CheckpointsOptions& options = {});

  /// Writes the run's state, atomically, then removes what is neither among the last nor the best. Files that cannot
  /// be read are never removed. A metric that is NaN is never the best. Returns the path of the file.
  /// @throws ValueError for a negative step, or if the folder has checkpoints of later steps: whoever begins again
  /// uses another folder, or resumes; what save throws; IoError if the folder cannot be made or read, or an old file
  /// not be removed (the new one is then in place).
  std::string save(const TrainingState& run, std::optional<double> metric = {});

  /// Loads the newest checkpoint. If that is damaged, the one before, and so on: the report names those that were
  /// passed over. save() then lets them be until it reaches their step.
  /// @throws FormatError if there are checkpoints and none can be read; StateDictError if one does not fit the run,
  /// which is then what it was; IoError if the folder cannot be read.
  ResumeReport resume(TrainingState& run);

  /// The readable checkpoints, in the order of their steps. @throws IoError if the folder cannot be read.
  std::vector<CheckpointInfo> list() const;
  /// The one with the best metric, the earliest of equals; nothing if none has a metric.
  std::optional<CheckpointInfo> best() const;

 private:
  std::string path_of(std::int64_t step) const;
  std::vector<CheckpointInfo> files() const;
  std::optional<CheckpointInfo> best_of(const std::vector<CheckpointInfo>& checkpoints) const;
  void remove_old(std::int64_t step) const;

  std::string folder_;
  CheckpointsOptions options_;
  std::set<std::string> refused_;  // paths that resume() passed over
};

}  // namespace teff

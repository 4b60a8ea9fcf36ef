// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "teff/engine/dict.h"
#include "teff/engine/fields.h"
#include "teff/nn/load_report.h"
#include "teff/nn/optim/optimizer.h"

namespace TEFF_EXPORT teff {
namespace optim {

/// One number for all parameter groups, or one for each: `0.1` or `{0.1, 0.01}`.
class PerGroup {
 public:
  PerGroup(double value) : values_{value} {}
  PerGroup(std::initializer_list<double> values) : values_(values) {}
  PerGroup(std::vector<double> values) : values_(std::move(values)) {}

  /// One number for each group. @throws ValueError if there are neither one nor as many as groups.
  std::vector<double> expand(std::size_t groups, std::string_view owner, std::string_view name) const;

 private:
  std::vector<double> values_;
};

/// A learning rate for each group of an optimiser, by the number of calls of step(). The constructor sets the rates of
/// epoch 0; an epoch is whatever lies between two calls.
///
///   optim::StepLR scheduler(optimizer, {.step_size = 30, .gamma = 0.1});
///   for (int epoch = 0; epoch < 90; ++epoch) {
///     train(...);
///     scheduler.step();
///   }
///
/// Refers to the optimiser, which must live as long and stay where it is.
class LRScheduler {
 public:
  virtual ~LRScheduler() = default;
  LRScheduler(const LRScheduler&) = delete;
  LRScheduler& operator=(const LRScheduler&) = delete;

  /// Goes on to the next epoch and sets its rates. @throws ValueError, and changes nothing, if one of them is negative
  /// or infinite.
  virtual void step() = 0;

  const std::string& name() const { return name_; }
  Optimizer& optimizer() const { return *optimizer_; }
  /// The rates that the last step set, by group.
  const std::vector<double>& get_last_lr() const { return last_lr_; }

  /// PyTorch's form: {"step_size": 30, "gamma": 0.1, "base_lrs": [0.1], "last_epoch": 5, "_last_lr": [0.1], ...}. The
  /// rates themselves are the optimiser's, whose state dict goes with it.
  virtual Dict state_dict() const = 0;
  /// Takes over options and place, all or nothing. @throws StateDictError unless the dict is one of such a scheduler
  /// for as many groups.
  void load_state_dict(const Dict& state_dict) { prepare_load(state_dict)(); }
  /// The first half of it, which changes nothing yet.
  Commit prepare_load(const Dict& state_dict);

 protected:
  /// `name` begins error messages.
  LRScheduler(std::string name, Optimizer& optimizer) : name_(std::move(name)), optimizer_(&optimizer) {}

  /// Takes note of the optimiser's rates.
  void remember_lr();
  void set_last_lr(std::vector<double> rates) { last_lr_ = std::move(rates); }
  /// prepare_load, whose errors are made StateDictErrors.
  virtual Commit prepare(const Dict& state_dict) = 0;

 private:
  std::string name_;
  Optimizer* optimizer_;
  std::vector<double> last_lr_;  // by group
};

/// A scheduler that computes each rate from the one before, as PyTorch does: several can act on one optimiser, and the
/// numbers are PyTorch's.
class ChainableLR : public LRScheduler {
 public:
  void step() override;
  std::int64_t last_epoch() const { return last_epoch_; }
  Dict state_dict() const override;

 protected:
  /// Notes the rates of the groups as "initial_lr", unless there are such notes.
  ChainableLR(std::string name, Optimizer& optimizer);
  /// Sets the rates of epoch 0: the last act of a constructor.
  void start();

  double base_lr(std::size_t group) const { return base_lrs_[group]; }

  /// The rate of epoch 0, from the present one or, when a SequentialLR begins with this scheduler, from base_lr.
  virtual double first_lr(std::size_t group, double lr) const;
  /// The rate of an epoch >= 1, from that of the epoch before.
  virtual double next_lr(std::size_t group, double lr, std::int64_t epoch) const = 0;
  /// What else changes with an epoch.
  virtual void on_epoch(std::int64_t epoch) { static_cast<void>(epoch); }

  /// The options by name, and what takes them over. @throws Error if they are not valid.
  virtual Dict options() const = 0;
  virtual Commit prepare_options(const Dict& options) = 0;
  Commit prepare(const Dict& state_dict) override;

  /// Sets the rates of an epoch, of all groups. @throws ValueError, and changes nothing, for one that is negative or
  /// infinite.
  void set_lr(std::int64_t epoch, const std::vector<double>& rates);

 private:
  friend class SequentialLR;

  /// Epoch 0 again, from the rates at the beginning.
  void restart();

  std::vector<double> base_lrs_;  // by group
  std::int64_t last_epoch_ = 0;   // -1: a SequentialLR has not begun with it
};

/// A scheduler by its Options: a struct with fields() (see fields.h) and check(owner), which throws ValueError.
template <class Options>
class ChainableLROf : public ChainableLR {
 protected:
  ChainableLROf(std::string name, Optimizer& optimizer, const Options& options)
      : ChainableLR(std::move(name), optimizer), options_(options) {
    options_.check(this->name());
  }

  Dict options() const override { return to_dict(options_); }
  Commit prepare_options(const Dict& options) override {
    const Options loaded = from_dict<Options>(options, name());
    loaded.check(name());
    return [this, loaded] { options_ = loaded; };
  }

  Options options_;
};

namespace detail {

/// The largest number of epochs: they are counted in double as well.
constexpr std::int64_t kMostEpochs = std::int64_t{1} << 53;

template <class T>
List to_list(const std::vector<T>& values) {
  return List(values.begin(), values.end());
}
/// @throws TypeError, ValueError unless it is a list of that many numbers.
std::vector<double> to_numbers(const Value& value, std::size_t count);
/// @throws TypeError unless it is a list of integers.
std::vector<std::int64_t> to_integers(const Value& value);
/// @throws TypeError, ValueError unless it is a count of epochs, of at least `least`.
std::int64_t to_epoch(const Value& value, std::int64_t least);
/// @throws ValueError that names the first key that only one of the two has.
void expect_keys(const Dict& actual, const Dict& expected);

}  // namespace detail
}  // namespace optim
}  // namespace teff

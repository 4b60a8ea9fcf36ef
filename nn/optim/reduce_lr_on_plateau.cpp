// SPDX-License-Identifier: MIT
#include "teff/nn/optim/reduce_lr_on_plateau.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "teff/engine/error.h"
#include "teff/nn/optim/option_checks.h"

namespace teff::optim {
namespace {

constexpr const char* kPlateau = "ReduceLROnPlateau";

double worst(PlateauMode mode) {
  const double infinity = std::numeric_limits<double>::infinity();
  return mode == PlateauMode::min ? infinity : -infinity;
}

void check_min_lrs(const std::vector<double>& min_lrs) {
  for (const double lr : min_lrs) detail::expect_non_negative(kPlateau, "min_lr", lr);
}

}  // namespace

std::string_view to_string(PlateauMode mode) { return mode == PlateauMode::min ? "min" : "max"; }
std::string_view to_string(ThresholdMode mode) { return mode == ThresholdMode::rel ? "rel" : "abs"; }

void from_string(std::string_view text, PlateauMode& mode) {
  nn::detail::expect(text == "min" || text == "max", kPlateau, "mode \"min\" or \"max\"", nn::detail::quoted(text));
  mode = text == "min" ? PlateauMode::min : PlateauMode::max;
}

void from_string(std::string_view text, ThresholdMode& mode) {
  nn::detail::expect(text == "rel" || text == "abs", kPlateau, "threshold_mode \"rel\" or \"abs\"",
                     nn::detail::quoted(text));
  mode = text == "rel" ? ThresholdMode::rel : ThresholdMode::abs;
}

void ReduceLROnPlateau::Numbers::check() const {
  detail::expect_number(factor >= 0 && factor < 1, kPlateau, "factor", "in [0, 1)", factor);
  detail::expect_finite(kPlateau, "threshold", threshold);
  detail::expect_non_negative(kPlateau, "eps", eps);
  for (const auto& [name, value] : {std::pair("patience", patience), std::pair("cooldown", cooldown),
                                    std::pair("cooldown_counter", cooldown_counter),
                                    std::pair("num_bad_epochs", num_bad_epochs), std::pair("last_epoch", last_epoch)}) {
    nn::detail::expect(value >= 0 && value <= detail::kMostEpochs, kPlateau, std::string(name) + " in [0, 2^53]",
                       std::to_string(value));
  }
}

ReduceLROnPlateau::ReduceLROnPlateau(Optimizer& optimizer, const ReduceLROnPlateauOptions& options)
    : optimizer_(&optimizer), min_lrs_(options.min_lr.expand(optimizer.num_groups(), kPlateau, "min_lr")) {
  counts_.mode = options.mode;
  counts_.factor = options.factor;
  counts_.patience = options.patience;
  counts_.threshold = options.threshold;
  counts_.threshold_mode = options.threshold_mode;
  counts_.cooldown = options.cooldown;
  counts_.eps = options.eps;
  counts_.best = worst(options.mode);
  counts_.check();
  check_min_lrs(min_lrs_);
}

bool ReduceLROnPlateau::is_better(double metric) const {
  const bool relative = counts_.threshold_mode == ThresholdMode::rel;
  if (counts_.mode == PlateauMode::min) {
    return metric < (relative ? counts_.best * (1 - counts_.threshold) : counts_.best - counts_.threshold);
  }
  return metric > (relative ? counts_.best * (counts_.threshold + 1) : counts_.best + counts_.threshold);
}

void ReduceLROnPlateau::step(double metric) {
  ++counts_.last_epoch;
  if (is_better(metric)) {
    counts_.best = metric;
    counts_.num_bad_epochs = 0;
  } else {
    ++counts_.num_bad_epochs;
  }
  if (counts_.cooldown_counter > 0) {
    --counts_.cooldown_counter;
    counts_.num_bad_epochs = 0;
  }
  if (counts_.num_bad_epochs > counts_.patience) {
    reduce_lr();
    counts_.cooldown_counter = counts_.cooldown;
    counts_.num_bad_epochs = 0;
  }
}

void ReduceLROnPlateau::reduce_lr() {
  for (std::size_t group = 0; group < optimizer_->num_groups(); ++group) {
    const double old_lr = optimizer_->lr(group), new_lr = std::max(old_lr * counts_.factor, min_lrs_[group]);
    if (old_lr - new_lr > counts_.eps) optimizer_->set_lr(new_lr, group);
  }
}

std::vector<double> ReduceLROnPlateau::get_last_lr() const {
  std::vector<double> rates;
  for (std::size_t group = 0; group < optimizer_->num_groups(); ++group) rates.push_back(optimizer_->lr(group));
  return rates;
}

Dict ReduceLROnPlateau::state_dict() const {
  Dict state = to_dict(counts_);
  state.insert("min_lrs", detail::to_list(min_lrs_));
  state.insert("mode_worse", worst(counts_.mode));
  return state;
}

Commit ReduceLROnPlateau::prepare_load(const Dict& state_dict) {
  try {
    return prepare(state_dict);
  } catch (const Error& error) {
    throw StateDictError(std::string(kPlateau) + ": loaded state dict is not valid: " + error.what());
  }
}

Commit ReduceLROnPlateau::prepare(const Dict& state_dict) {
  Dict state = state_dict;
  std::vector<double> min_lrs = detail::to_numbers(state.at("min_lrs"), min_lrs_.size());
  check_min_lrs(min_lrs);
  for (const char* key : {"min_lrs", "mode_worse", "_last_lr", "verbose"}) state.erase(key);
  detail::expect_keys(state, to_dict(counts_));
  const Numbers counts = from_dict<Numbers>(state, kPlateau);
  counts.check();
  return [this, counts, min_lrs = std::move(min_lrs)]() mutable {
    counts_ = counts;
    min_lrs_ = std::move(min_lrs);
  };
}

}  // namespace teff::optim

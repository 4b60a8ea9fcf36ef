// SPDX-License-Identifier: MIT
#include "teff/nn/optim/cyclic_lr.h"

#include <cmath>
#include <numbers>

#include "teff/engine/error.h"
#include "teff/nn/optim/option_checks.h"

namespace teff::optim {
namespace {

constexpr const char *kRestarts = "CosineAnnealingWarmRestarts", *kCyclic = "CyclicLR";

void check(const CosineAnnealingWarmRestartsOptions& options) {
  nn::detail::expect_at_least(1, kRestarts, "T_0", options.T_0);
  nn::detail::expect_at_least(1, kRestarts, "T_mult", options.T_mult);
  detail::expect_finite(kRestarts, "eta_min", options.eta_min);
}

}  // namespace

CosineAnnealingWarmRestarts::CosineAnnealingWarmRestarts(Optimizer& optimizer,
                                                         const CosineAnnealingWarmRestartsOptions& options)
    : ChainableLR(kRestarts, optimizer), options_(options) {
  check(options);
  start();
}

CosineAnnealingWarmRestarts::Place CosineAnnealingWarmRestarts::next_place() const {
  if (asked_) return *asked_;
  Place next{place_.epoch + 1, place_.length};
  if (next.epoch >= next.length) {
    next.epoch -= next.length;
    next.length *= static_cast<double>(options_.T_mult);
  }
  return next;
}

double CosineAnnealingWarmRestarts::rate_at(std::size_t group, const Place& place) const {
  return options_.eta_min +
         (base_lr(group) - options_.eta_min) * (1 + std::cos(std::numbers::pi * place.epoch / place.length)) / 2;
}

double CosineAnnealingWarmRestarts::first_lr(std::size_t group, double) const {
  return rate_at(group, {0, static_cast<double>(options_.T_0)});
}
double CosineAnnealingWarmRestarts::next_lr(std::size_t group, double, std::int64_t) const {
  return rate_at(group, next_place());
}

void CosineAnnealingWarmRestarts::on_epoch(std::int64_t epoch) {
  place_ = epoch == 0 && !asked_ ? Place{0, static_cast<double>(options_.T_0)} : next_place();
}

void CosineAnnealingWarmRestarts::step(double epoch) {
  detail::expect_non_negative(name(), "epoch", epoch);
  detail::expect_number(epoch <= static_cast<double>(detail::kMostEpochs), name(), "epoch", "at most 2^53", epoch);
  Place place{epoch, static_cast<double>(options_.T_0)};
  if (options_.T_mult == 1) {
    place.epoch = std::fmod(epoch, place.length);
  } else if (epoch >= place.length) {
    const auto times = static_cast<double>(options_.T_mult);
    const double n = std::floor(std::log(epoch / place.length * (times - 1) + 1) / std::log(times));
    place = {epoch - place.length * (std::pow(times, n) - 1) / (times - 1), place.length * std::pow(times, n)};
  }
  asked_ = place;
  std::vector<double> rates;
  for (std::size_t group = 0; group < get_last_lr().size(); ++group) rates.push_back(rate_at(group, place));
  set_lr(static_cast<std::int64_t>(std::floor(epoch)), rates);
  asked_.reset();
}

Dict CosineAnnealingWarmRestarts::options() const {
  const auto number = [](double value) -> Value {  // as PyTorch counts
    return value == std::floor(value) ? Value(static_cast<std::int64_t>(value)) : Value(value);
  };
  return {{"T_0", options_.T_0},
          {"T_i", number(place_.length)},
          {"T_mult", options_.T_mult},
          {"eta_min", options_.eta_min},
          {"T_cur", number(place_.epoch)}};
}

Commit CosineAnnealingWarmRestarts::prepare_options(const Dict& options) {
  const CosineAnnealingWarmRestartsOptions loaded{options.at("T_0").as_int(), options.at("T_mult").as_int(),
                                                  options.at("eta_min").as_float()};
  check(loaded);
  const Place place{options.at("T_cur").as_float(), options.at("T_i").as_float()};
  detail::expect_number(place.length >= 1 && place.length <= static_cast<double>(detail::kMostEpochs), kRestarts, "T_i",
                        "in [1, 2^53]", place.length);
  detail::expect_number(place.epoch >= 0 && place.epoch <= place.length, kRestarts, "T_cur", "in [0, T_i]",
                        place.epoch);
  return [this, loaded, place] {
    options_ = loaded;
    place_ = place;
  };
}

std::string_view to_string(CyclicMode mode) {
  switch (mode) {
    case CyclicMode::triangular:
      return "triangular";
    case CyclicMode::triangular2:
      return "triangular2";
    case CyclicMode::exp_range:
      return "exp_range";
  }
  return "";
}

void from_string(std::string_view text, CyclicMode& mode) {
  for (const CyclicMode known : {CyclicMode::triangular, CyclicMode::triangular2, CyclicMode::exp_range}) {
    if (to_string(known) != text) continue;
    mode = known;
    return;
  }
  nn::detail::expect(false, kCyclic, "mode \"triangular\", \"triangular2\" or \"exp_range\"", nn::detail::quoted(text));
}

namespace {

/// The optimiser, when its rates and momenta are those of the beginning: before the base class reads them.
Optimizer& at_base(Optimizer& optimizer, const CyclicLROptions& options) {
  nn::detail::expect_at_least(1, kCyclic, "step_size_up", options.step_size_up);
  if (options.step_size_down) nn::detail::expect_at_least(1, kCyclic, "step_size_down", *options.step_size_down);
  detail::expect_non_negative(kCyclic, "gamma", options.gamma);
  nn::detail::expect(!options.cycle_momentum || optimizer.momentum().has_value(), kCyclic,
                     "an optimizer with momentum or betas for cycle_momentum", optimizer.name());
  const std::size_t groups = optimizer.num_groups();
  const std::vector<double> base = options.base_lr.expand(groups, kCyclic, "base_lr");
  for (const double lr : base) detail::expect_non_negative(kCyclic, "base_lr", lr);
  for (const double lr : options.max_lr.expand(groups, kCyclic, "max_lr")) {
    detail::expect_non_negative(kCyclic, "max_lr", lr);
  }
  for (const double m : options.base_momentum.expand(groups, kCyclic, "base_momentum")) {
    detail::expect_rate(kCyclic, "base_momentum", m);
  }
  for (const double m : options.max_momentum.expand(groups, kCyclic, "max_momentum")) {
    detail::expect_rate(kCyclic, "max_momentum", m);
  }
  for (std::size_t group = 0; group < groups; ++group) {
    optimizer.set_lr(base[group], group);
    optimizer.schedule(group)["initial_lr"] = base[group];
  }
  return optimizer;
}

}  // namespace

CyclicLR::CyclicLR(Optimizer& optimizer, const CyclicLROptions& options)
    : ChainableLR(kCyclic, at_base(optimizer, options)),
      total_size_(static_cast<double>(options.step_size_up + options.step_size_down.value_or(options.step_size_up))),
      step_ratio_(static_cast<double>(options.step_size_up) / total_size_),
      mode_(options.mode),
      gamma_(options.gamma),
      cycle_momentum_(options.cycle_momentum),
      max_lrs_(options.max_lr.expand(optimizer.num_groups(), kCyclic, "max_lr")) {
  if (cycle_momentum_) {
    base_momentums_ = options.base_momentum.expand(optimizer.num_groups(), kCyclic, "base_momentum");
    max_momentums_ = options.max_momentum.expand(optimizer.num_groups(), kCyclic, "max_momentum");
  }
  start();
}

double CyclicLR::height(std::int64_t epoch) const {
  const double step = static_cast<double>(epoch), cycle = std::floor(1 + step / total_size_);
  const double x = 1 + step / total_size_ - cycle;
  const double part = x <= step_ratio_ ? x / step_ratio_ : (x - 1) / (step_ratio_ - 1);
  if (mode_ == CyclicMode::triangular) return part;
  return part * (mode_ == CyclicMode::exp_range ? std::pow(gamma_, step) : 1 / std::pow(2.0, cycle - 1));
}

double CyclicLR::next_lr(std::size_t group, double, std::int64_t epoch) const {
  return base_lr(group) + (max_lrs_[group] - base_lr(group)) * height(epoch);
}

void CyclicLR::on_epoch(std::int64_t epoch) {
  for (std::size_t group = 0; group < max_momentums_.size(); ++group) {
    const double most = max_momentums_[group];
    optimizer().set_momentum(most - (most - base_momentums_[group]) * height(epoch), group);
  }
}

Dict CyclicLR::options() const {
  Dict state{{"max_lrs", detail::to_list(max_lrs_)},
             {"total_size", total_size_},
             {"step_ratio", step_ratio_},
             {"mode", to_string(mode_)},
             {"gamma", gamma_},
             {"_scale_fn_custom", Value()},
             {"scale_mode", mode_ == CyclicMode::exp_range ? "iterations" : "cycle"},
             {"cycle_momentum", cycle_momentum_}};
  if (!cycle_momentum_) return state;
  state.insert("base_momentums", detail::to_list(base_momentums_));
  state.insert("max_momentums", detail::to_list(max_momentums_));
  return state;
}

Commit CyclicLR::prepare(const Dict& state_dict) {
  Dict state = state_dict;
  state.erase("_scale_fn_ref");  // a reference of PyTorch 1.13 to its own function
  return ChainableLR::prepare(state);
}

Commit CyclicLR::prepare_options(const Dict& options) {
  const double total = options.at("total_size").as_float(), ratio = options.at("step_ratio").as_float();
  const double gamma = options.at("gamma").as_float();
  detail::expect_number(total >= 2 && std::isfinite(total), kCyclic, "total_size", ">= 2 and finite", total);
  detail::expect_number(ratio > 0 && ratio < 1, kCyclic, "step_ratio", "in (0, 1)", ratio);
  detail::expect_non_negative(kCyclic, "gamma", gamma);
  nn::detail::expect(options.at("_scale_fn_custom").is_none(), kCyclic, "no function of its own", "one");
  nn::detail::expect(options.at("cycle_momentum").as_bool() == cycle_momentum_, kCyclic,
                     cycle_momentum_ ? "cycle_momentum" : "no cycle_momentum",
                     cycle_momentum_ ? "none" : "cycle_momentum");
  CyclicMode mode{};
  from_string(options.at("mode").as_text(), mode);
  std::vector<double> max_lrs = detail::to_numbers(options.at("max_lrs"), max_lrs_.size());
  for (const double lr : max_lrs) detail::expect_non_negative(kCyclic, "max_lr", lr);
  std::vector<double> base, most;
  if (cycle_momentum_) {
    base = detail::to_numbers(options.at("base_momentums"), base_momentums_.size());
    most = detail::to_numbers(options.at("max_momentums"), max_momentums_.size());
    for (const double momentum : base) detail::expect_rate(kCyclic, "base_momentum", momentum);
    for (const double momentum : most) detail::expect_rate(kCyclic, "max_momentum", momentum);
  }
  return [this, total, ratio, gamma, mode, max_lrs = std::move(max_lrs), base = std::move(base),
          most = std::move(most)]() mutable {
    total_size_ = total;
    step_ratio_ = ratio;
    gamma_ = gamma;
    mode_ = mode;
    max_lrs_ = std::move(max_lrs);
    base_momentums_ = std::move(base);
    max_momentums_ = std::move(most);
  };
}

}  // namespace teff::optim

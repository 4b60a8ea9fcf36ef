// SPDX-License-Identifier: MIT
#include "teff/nn/optim/one_cycle_lr.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "teff/engine/error.h"
#include "teff/nn/optim/option_checks.h"

namespace teff::optim {
namespace {

constexpr const char* kOneCycle = "OneCycleLR";

void check_options(const Optimizer& optimizer, const OneCycleLROptions& options) {
  nn::detail::expect(options.total_steps >= 1 && options.total_steps <= detail::kMostEpochs, kOneCycle,
                     "total_steps in [1, 2^53]", std::to_string(options.total_steps));
  detail::expect_number(options.pct_start >= 0 && options.pct_start <= 1, kOneCycle, "pct_start", "in [0, 1]",
                        options.pct_start);
  for (const auto& [name, value] :
       {std::pair("div_factor", options.div_factor), std::pair("final_div_factor", options.final_div_factor)}) {
    detail::expect_number(value > 0 && std::isfinite(value), kOneCycle, name, "> 0 and finite", value);
  }
  nn::detail::expect(!options.cycle_momentum || optimizer.momentum().has_value(), kOneCycle,
                     "an optimizer with momentum or betas for cycle_momentum", optimizer.name());
}

}  // namespace

std::string_view to_string(Annealing annealing) { return annealing == Annealing::cos ? "cos" : "linear"; }

void from_string(std::string_view text, Annealing& annealing) {
  nn::detail::expect(text == "cos" || text == "linear", kOneCycle, "anneal_strategy \"cos\" or \"linear\"",
                     nn::detail::quoted(text));
  annealing = text == "cos" ? Annealing::cos : Annealing::linear;
}

/// The optimiser, when the bounds of the cycle are in its groups: before the base class reads the initial rates.
Optimizer& OneCycleLR::with_bounds(Optimizer& optimizer, const OneCycleLROptions& options) {
  check_options(optimizer, options);
  const std::size_t groups = optimizer.num_groups();
  const std::vector<double> max_lr = options.max_lr.expand(groups, kOneCycle, "max_lr");
  const std::vector<double> base = options.base_momentum.expand(groups, kOneCycle, "base_momentum");
  const std::vector<double> max = options.max_momentum.expand(groups, kOneCycle, "max_momentum");
  for (const double lr : max_lr) {
    detail::expect_number(lr > 0 && std::isfinite(lr), kOneCycle, "max_lr", "> 0 and finite", lr);
  }
  for (const double momentum : base) detail::expect_rate(kOneCycle, "base_momentum", momentum);
  for (const double momentum : max) detail::expect_rate(kOneCycle, "max_momentum", momentum);
  for (std::size_t group = 0; group < groups; ++group) {
    Dict& bounds = optimizer.schedule(group);
    const double initial = max_lr[group] / options.div_factor;
    bounds["initial_lr"] = initial;
    bounds["max_lr"] = max_lr[group];
    bounds["min_lr"] = initial / options.final_div_factor;
    if (!options.cycle_momentum) continue;
    bounds["max_momentum"] = max[group];
    bounds["base_momentum"] = base[group];
  }
  return optimizer;
}

std::vector<OneCycleLR::Phase> OneCycleLR::phases_of(const OneCycleLROptions& options) {
  const double total = static_cast<double>(options.total_steps), up = options.pct_start * total;
  const Phase rise{up - 1, "initial_lr", "max_lr", "max_momentum", "base_momentum"};
  if (!options.three_phase) return {rise, {total - 1, "max_lr", "min_lr", "base_momentum", "max_momentum"}};
  return {rise,
          {2 * options.pct_start * total - 2, "max_lr", "initial_lr", "base_momentum", "max_momentum"},
          {total - 1, "initial_lr", "min_lr", "max_momentum", "max_momentum"}};
}

OneCycleLR::OneCycleLR(Optimizer& optimizer, const OneCycleLROptions& options)
    : ChainableLR(kOneCycle, with_bounds(optimizer, options)),
      total_steps_(options.total_steps),
      phases_(phases_of(options)),
      annealing_(options.anneal_strategy),
      cycle_momentum_(options.cycle_momentum) {
  start();
}

OneCycleLR::Place OneCycleLR::place_of(std::int64_t epoch) const {
  const double step = static_cast<double>(epoch);
  double begin = 0;
  const Phase* phase = &phases_.front();
  while (step > phase->end_step && phase != &phases_.back()) {
    begin = phase->end_step;
    ++phase;
  }
  // The step after the last is made by every loop and used by none: linear, its rate would be negative.
  const double length = phase->end_step - begin;
  return {phase, length == 0 ? 1 : std::min(1.0, (step - begin) / length)};
}

double OneCycleLR::anneal(std::size_t group, const std::string& start, const std::string& end, double part) const {
  const Dict& bounds = optimizer().schedule(group);
  const double from = bounds.at(start).as_float(), to = bounds.at(end).as_float();
  if (annealing_ == Annealing::linear) return (to - from) * part + from;
  return to + (from - to) / 2 * (std::cos(std::numbers::pi * part) + 1);
}

double OneCycleLR::next_lr(std::size_t group, double, std::int64_t epoch) const {
  nn::detail::expect(epoch <= total_steps_, kOneCycle, "at most " + std::to_string(total_steps_) + " steps",
                     std::to_string(epoch));
  const auto [phase, part] = place_of(epoch);
  return anneal(group, phase->start_lr, phase->end_lr, part);
}

void OneCycleLR::on_epoch(std::int64_t epoch) {
  if (!cycle_momentum_) return;
  const auto [phase, part] = place_of(epoch);
  for (std::size_t group = 0; group < optimizer().num_groups(); ++group) {
    optimizer().set_momentum(anneal(group, phase->start_momentum, phase->end_momentum, part), group);
  }
}

Dict OneCycleLR::options() const {
  List phases;
  for (const Phase& phase : phases_) phases.push_back(to_dict(phase));
  return {{"total_steps", total_steps_},
          {"_schedule_phases", std::move(phases)},
          {"_anneal_func_type", to_string(annealing_)},
          {"cycle_momentum", cycle_momentum_}};
}

/// Names that the groups do not have would be found missing in the middle of a step.
void OneCycleLR::check_phase(const Phase& phase) const {
  const Dict& bounds = optimizer().schedule(0);
  for (const std::string& key : {phase.start_lr, phase.end_lr}) static_cast<void>(bounds.at(key));
  if (!cycle_momentum_) return;
  for (const std::string& key : {phase.start_momentum, phase.end_momentum}) static_cast<void>(bounds.at(key));
}

Commit OneCycleLR::prepare(const Dict& state_dict) {
  // PyTorch 1.13 saves the annealing function itself, which no reader of ours constructs.
  Dict state = state_dict;
  for (const char* key : {"anneal_func", "use_beta1"}) state.erase(key);
  if (!state.contains("_anneal_func_type")) state.insert("_anneal_func_type", to_string(annealing_));
  return ChainableLR::prepare(state);
}

Commit OneCycleLR::prepare_options(const Dict& options) {
  const std::int64_t total = options.at("total_steps").as_int();
  nn::detail::expect_at_least(1, kOneCycle, "total_steps", total);
  std::vector<Phase> phases;
  for (const Value& saved : options.at("_schedule_phases").as_list()) {
    phases.push_back(from_dict<Phase>(saved.as_dict(), kOneCycle));
    check_phase(phases.back());
  }
  nn::detail::expect(!phases.empty(), kOneCycle, "phases", "none");
  Annealing annealing{};
  from_string(options.at("_anneal_func_type").as_text(), annealing);
  const bool cycle_momentum = options.at("cycle_momentum").as_bool();
  nn::detail::expect(cycle_momentum == cycle_momentum_, kOneCycle,
                     cycle_momentum_ ? "cycle_momentum" : "no cycle_momentum",
                     cycle_momentum ? "cycle_momentum" : "none");
  return [this, total, annealing, phases = std::move(phases)]() mutable {
    total_steps_ = total;
    annealing_ = annealing;
    phases_ = std::move(phases);
  };
}

}  // namespace teff::optim

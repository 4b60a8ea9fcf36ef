// SPDX-License-Identifier: MIT
#include "teff/nn/optim/schedules.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numbers>

#include "teff/engine/error.h"
#include "teff/nn/optim/option_checks.h"

namespace teff::optim {
namespace {

using nn::detail::expect_at_least;
using std::numbers::pi;

void expect_factor(bool with_zero, std::string_view owner, std::string_view name, double value) {
  const bool ok = value <= 1 && (with_zero ? value >= 0 : value > 0);
  detail::expect_number(ok, owner, name, with_zero ? "in [0, 1]" : "in (0, 1]", value);
}

void check_milestones(std::string_view owner, const MultiStepLROptions& options) {
  for (const std::int64_t milestone : options.milestones) expect_at_least(0, owner, "milestones", milestone);
  detail::expect_non_negative(owner, "gamma", options.gamma);
}

std::int64_t parse_epoch(const std::string& text) {
  std::int64_t epoch = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), epoch);
  if (error != std::errc() || end != text.data() + text.size()) {
    throw ValueError("expected an epoch, got " + nn::detail::quoted(text));
  }
  return epoch;
}

/// Python's Counter: {"30": 1, "80": 2}; or a list.
std::vector<std::int64_t> read_milestones(const Value& value) {
  constexpr std::int64_t kMost = 1000;
  if (value.is_list()) return detail::to_integers(value);
  std::vector<std::int64_t> milestones;
  for (const auto& [key, count] : value.as_dict()) {
    const std::int64_t times = count.as_int();
    if (times < 0 || times > kMost) throw ValueError("expected a count of up to 1000, got " + std::to_string(times));
    milestones.insert(milestones.end(), static_cast<std::size_t>(times), parse_epoch(key));
  }
  return milestones;
}

}  // namespace

void StepLROptions::check(std::string_view owner) const {
  expect_at_least(1, owner, "step_size", step_size);
  detail::expect_non_negative(owner, "gamma", gamma);
}

StepLR::StepLR(Optimizer& optimizer, const StepLROptions& options) : ChainableLROf("StepLR", optimizer, options) {
  start();
}

double StepLR::next_lr(std::size_t, double lr, std::int64_t epoch) const {
  return epoch % options_.step_size == 0 ? lr * options_.gamma : lr;
}

MultiStepLR::MultiStepLR(Optimizer& optimizer, const MultiStepLROptions& options)
    : ChainableLR("MultiStepLR", optimizer), options_(options) {
  check_milestones(name(), options_);
  start();
}

double MultiStepLR::next_lr(std::size_t, double lr, std::int64_t epoch) const {
  const auto count = std::count(options_.milestones.begin(), options_.milestones.end(), epoch);
  return count == 0 ? lr : lr * std::pow(options_.gamma, static_cast<double>(count));
}

Dict MultiStepLR::options() const {
  Dict counter;
  for (const std::int64_t milestone : options_.milestones) {
    Value& count = counter[std::to_string(milestone)];
    count = count.is_none() ? 1 : count.as_int() + 1;
  }
  return {{"milestones", std::move(counter)}, {"gamma", options_.gamma}};
}

Commit MultiStepLR::prepare_options(const Dict& options) {
  MultiStepLROptions loaded{read_milestones(options.at("milestones")), options.at("gamma").as_float()};
  check_milestones(name(), loaded);
  return [this, loaded = std::move(loaded)]() mutable { options_ = std::move(loaded); };
}

void ExponentialLROptions::check(std::string_view owner) const {
  detail::expect_number(gamma > 0 && std::isfinite(gamma), owner, "gamma", "> 0 and finite", gamma);
}

ExponentialLR::ExponentialLR(Optimizer& optimizer, const ExponentialLROptions& options)
    : ChainableLROf("ExponentialLR", optimizer, options) {
  start();
}

double ExponentialLR::next_lr(std::size_t, double lr, std::int64_t) const { return lr * options_.gamma; }

void ConstantLROptions::check(std::string_view owner) const {
  expect_factor(false, owner, "factor", factor);
  expect_at_least(1, owner, "total_iters", total_iters);
}

ConstantLR::ConstantLR(Optimizer& optimizer, const ConstantLROptions& options)
    : ChainableLROf("ConstantLR", optimizer, options) {
  start();
}

double ConstantLR::first_lr(std::size_t, double lr) const { return lr * options_.factor; }

double ConstantLR::next_lr(std::size_t, double lr, std::int64_t epoch) const {
  return epoch == options_.total_iters ? lr * (1.0 / options_.factor) : lr;
}

void LinearLROptions::check(std::string_view owner) const {
  expect_factor(false, owner, "start_factor", start_factor);
  expect_factor(true, owner, "end_factor", end_factor);
  expect_at_least(1, owner, "total_iters", total_iters);
}

LinearLR::LinearLR(Optimizer& optimizer, const LinearLROptions& options)
    : ChainableLROf("LinearLR", optimizer, options) {
  start();
}

double LinearLR::first_lr(std::size_t, double lr) const { return lr * options_.start_factor; }

double LinearLR::next_lr(std::size_t, double lr, std::int64_t epoch) const {
  if (epoch > options_.total_iters) return lr;
  const double change = options_.end_factor - options_.start_factor;
  const double before =
      static_cast<double>(options_.total_iters) * options_.start_factor + static_cast<double>(epoch - 1) * change;
  return lr * (1 + change / before);
}

void CosineAnnealingLROptions::check(std::string_view owner) const {
  nn::detail::expect(T_max >= 1 && T_max <= detail::kMostEpochs, owner, "T_max in [1, 2^53]", std::to_string(T_max));
  detail::expect_non_negative(owner, "eta_min", eta_min);
}

CosineAnnealingLR::CosineAnnealingLR(Optimizer& optimizer, const CosineAnnealingLROptions& options)
    : ChainableLROf("CosineAnnealingLR", optimizer, options) {
  start();
}

double CosineAnnealingLR::next_lr(std::size_t group, double lr, std::int64_t epoch) const {
  const double t_max = static_cast<double>(options_.T_max), eta_min = options_.eta_min;
  // At the lowest point the ratio below is 0 / 0.
  if ((epoch - 1 - options_.T_max) % (2 * options_.T_max) == 0) {
    return lr + (base_lr(group) - eta_min) * (1 - std::cos(pi / t_max)) / 2;
  }
  const double now = static_cast<double>(epoch);
  return (1 + std::cos(pi * now / t_max)) / (1 + std::cos(pi * (now - 1) / t_max)) * (lr - eta_min) + eta_min;
}

LambdaLR::LambdaLR(Optimizer& optimizer, Function lr_lambda)
    : LambdaLR(optimizer, std::vector<Function>(optimizer.num_groups(), lr_lambda)) {}

LambdaLR::LambdaLR(Optimizer& optimizer, std::vector<Function> lr_lambdas)
    : LambdaLR("LambdaLR", optimizer, std::move(lr_lambdas)) {
  start();
}

LambdaLR::LambdaLR(std::string owner, Optimizer& optimizer, std::vector<Function> lr_lambdas)
    : ChainableLR(std::move(owner), optimizer), lr_lambdas_(std::move(lr_lambdas)) {
  nn::detail::expect(lr_lambdas_.size() == optimizer.num_groups(), name(),
                     "a function for each of " + std::to_string(optimizer.num_groups()) + " groups",
                     std::to_string(lr_lambdas_.size()));
  for (const Function& function : lr_lambdas_) {
    if (!function) throw TypeError(name() + ": expected a function, got an empty one");
  }
}

double LambdaLR::next_lr(std::size_t group, double, std::int64_t epoch) const {
  return base_lr(group) * lr_lambdas_[group](epoch);
}

Dict LambdaLR::options() const { return {{"lr_lambdas", List(lr_lambdas_.size())}}; }

Commit LambdaLR::prepare_options(const Dict& options) {
  const std::size_t count = options.at("lr_lambdas").as_list().size();
  if (count != lr_lambdas_.size()) {
    throw ValueError("expected " + std::to_string(lr_lambdas_.size()) + " functions, got " + std::to_string(count));
  }
  return [] {};
}

MultiplicativeLR::MultiplicativeLR(Optimizer& optimizer, Function lr_lambda)
    : MultiplicativeLR(optimizer, std::vector<Function>(optimizer.num_groups(), lr_lambda)) {}

MultiplicativeLR::MultiplicativeLR(Optimizer& optimizer, std::vector<Function> lr_lambdas)
    : LambdaLR("MultiplicativeLR", optimizer, std::move(lr_lambdas)) {
  start();
}

double MultiplicativeLR::next_lr(std::size_t group, double lr, std::int64_t epoch) const {
  return lr * factor(group, epoch);
}

void PolynomialLROptions::check(std::string_view owner) const {
  nn::detail::expect_at_least(1, owner, "total_iters", total_iters);
  detail::expect_finite(owner, "power", power);
}

PolynomialLR::PolynomialLR(Optimizer& optimizer, const PolynomialLROptions& options)
    : ChainableLROf("PolynomialLR", optimizer, options) {
  start();
}

double PolynomialLR::next_lr(std::size_t, double lr, std::int64_t epoch) const {
  if (epoch > options_.total_iters) return lr;
  const auto left = [&](std::int64_t at) {
    return 1 - static_cast<double>(at) / static_cast<double>(options_.total_iters);
  };
  return lr * std::pow(left(epoch) / left(epoch - 1), options_.power);
}

}  // namespace teff::optim

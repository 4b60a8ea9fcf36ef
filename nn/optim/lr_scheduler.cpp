// SPDX-License-Identifier: MIT
#include "teff/nn/optim/lr_scheduler.h"

#include "teff/engine/error.h"
#include "teff/nn/optim/option_checks.h"

namespace teff::optim {
namespace {

/// How PyTorch calls and prints: nothing of it changes a rate.
constexpr const char* kNotState[] = {"verbose", "_get_lr_called_within_step", "_is_initial", "_step_count"};

}  // namespace

std::vector<double> PerGroup::expand(std::size_t groups, std::string_view owner, std::string_view name) const {
  if (values_.size() == 1) return std::vector<double>(groups, values_[0]);
  nn::detail::expect(values_.size() == groups, owner,
                     std::string(name) + " to be one number or one for each of " + std::to_string(groups) + " groups",
                     std::to_string(values_.size()));
  return values_;
}

namespace detail {

std::vector<double> to_numbers(const Value& value, std::size_t count) {
  std::vector<double> numbers;
  for (const Value& number : value.as_list()) numbers.push_back(number.as_float());
  if (numbers.size() != count) {
    throw ValueError("expected numbers for " + std::to_string(count) + " parameter groups, got " +
                     std::to_string(numbers.size()));
  }
  return numbers;
}

std::vector<std::int64_t> to_integers(const Value& value) {
  std::vector<std::int64_t> integers;
  for (const Value& integer : value.as_list()) integers.push_back(integer.as_int());
  return integers;
}

std::int64_t to_epoch(const Value& value, std::int64_t least) {
  const std::int64_t epoch = value.as_int();
  if (epoch < least || epoch > kMostEpochs) {
    throw ValueError("expected last_epoch in [" + std::to_string(least) + ", 2^53], got " + std::to_string(epoch));
  }
  return epoch;
}

void expect_keys(const Dict& actual, const Dict& expected) {
  for (const DictItem& item : expected) static_cast<void>(actual.at(item.key));
  for (const DictItem& item : actual) {
    if (!expected.contains(item.key)) throw ValueError("unexpected key " + nn::detail::quoted(item.key));
  }
}

}  // namespace detail

Commit LRScheduler::prepare_load(const Dict& state_dict) {
  return detail::prepared(name_, [&] { return prepare(state_dict); });
}

void LRScheduler::remember_lr() {
  if (last_lr_.empty()) last_lr_.resize(optimizer_->num_groups());  // groups that are added later do not count
  for (std::size_t group = 0; group < last_lr_.size(); ++group) last_lr_[group] = optimizer_->lr(group);
}

ChainableLR::ChainableLR(std::string name, Optimizer& optimizer) : LRScheduler(std::move(name), optimizer) {
  for (std::size_t group = 0; group < optimizer.num_groups(); ++group) {
    Value& initial = optimizer.schedule(group)["initial_lr"];
    if (initial.is_none()) initial = optimizer.lr(group);
    base_lrs_.push_back(initial.as_float());
  }
}

double ChainableLR::first_lr(std::size_t, double lr) const { return lr; }

void ChainableLR::start() {
  std::vector<double> rates;
  for (std::size_t group = 0; group < base_lrs_.size(); ++group) {
    rates.push_back(first_lr(group, optimizer().lr(group)));
  }
  set_lr(0, rates);
}

void ChainableLR::restart() {
  std::vector<double> rates;
  for (std::size_t group = 0; group < base_lrs_.size(); ++group) rates.push_back(first_lr(group, base_lrs_[group]));
  set_lr(0, rates);
}

void ChainableLR::step() {
  const std::int64_t epoch = last_epoch_ + 1;
  std::vector<double> rates;
  for (std::size_t group = 0; group < base_lrs_.size(); ++group) {
    rates.push_back(next_lr(group, optimizer().lr(group), epoch));
  }
  set_lr(epoch, rates);
}

void ChainableLR::set_lr(std::int64_t epoch, const std::vector<double>& rates) {
  for (const double rate : rates) detail::expect_non_negative(name(), "lr", rate);
  for (std::size_t group = 0; group < rates.size(); ++group) optimizer().set_lr(rates[group], group);
  on_epoch(epoch);
  last_epoch_ = epoch;
  remember_lr();
}

Dict ChainableLR::state_dict() const {
  Dict state = options();
  state.insert("base_lrs", detail::to_list(base_lrs_));
  state.insert("last_epoch", last_epoch_);
  state.insert("_step_count", last_epoch_ + 1);
  state.insert("_last_lr", detail::to_list(get_last_lr()));
  return state;
}

Commit ChainableLR::prepare(const Dict& state_dict) {
  Dict state = state_dict;
  std::vector<double> base = detail::to_numbers(state.at("base_lrs"), base_lrs_.size());
  std::vector<double> last = detail::to_numbers(state.at("_last_lr"), base_lrs_.size());
  const std::int64_t epoch = detail::to_epoch(state.at("last_epoch"), -1);
  for (const char* key : {"base_lrs", "_last_lr", "last_epoch"}) state.erase(key);
  for (const char* key : kNotState) state.erase(key);
  detail::expect_keys(state, options());
  return [this, epoch, base = std::move(base), last = std::move(last), set = prepare_options(state)]() mutable {
    base_lrs_ = std::move(base);
    set_last_lr(std::move(last));
    last_epoch_ = epoch;
    set();
  };
}

}  // namespace teff::optim

// SPDX-License-Identifier: MIT
#include "teff/nn/optim/composed_lr.h"

#include <algorithm>
#include <functional>
#include <sstream>

#include "teff/engine/error.h"
#include "teff/nn/text.h"

namespace teff::optim {
namespace {

/// The optimiser of all schedulers.
Optimizer& common_optimizer(const char* owner, const std::vector<ChainableLR*>& schedulers) {
  nn::detail::expect(!schedulers.empty(), owner, "at least one scheduler", "none");
  for (const ChainableLR* scheduler : schedulers) {
    if (scheduler == nullptr) throw TypeError(std::string(owner) + ": expected schedulers, got a null pointer");
    nn::detail::expect(&scheduler->optimizer() == &schedulers[0]->optimizer(), owner, "schedulers of one optimizer",
                       "schedulers of several");
  }
  return schedulers[0]->optimizer();
}

std::string text_of(const std::vector<std::int64_t>& values) {
  std::ostringstream text;
  text << Value(detail::to_list(values));
  return text.str();
}

List state_dicts(const std::vector<ChainableLR*>& schedulers) {
  List states;
  for (const ChainableLR* scheduler : schedulers) states.push_back(scheduler->state_dict());
  return states;
}

std::vector<Commit> prepare_all(const std::vector<ChainableLR*>& schedulers, const Value& saved) {
  const List& states = saved.as_list();
  if (states.size() != schedulers.size()) {
    throw ValueError("expected the state of " + std::to_string(schedulers.size()) + " schedulers, got " +
                     std::to_string(states.size()));
  }
  std::vector<Commit> commits;
  for (std::size_t i = 0; i < states.size(); ++i) commits.push_back(schedulers[i]->prepare_load(states[i].as_dict()));
  return commits;
}

}  // namespace

SequentialLR::SequentialLR(Optimizer& optimizer, std::vector<ChainableLR*> schedulers,
                           std::vector<std::int64_t> milestones)
    : LRScheduler("SequentialLR", optimizer), schedulers_(std::move(schedulers)), milestones_(std::move(milestones)) {
  nn::detail::expect(&common_optimizer("SequentialLR", schedulers_) == &optimizer, name(),
                     "schedulers of the given optimizer", "schedulers of another");
  nn::detail::expect(milestones_.size() + 1 == schedulers_.size(), name(),
                     std::to_string(schedulers_.size() - 1) + " milestones between " +
                         std::to_string(schedulers_.size()) + " schedulers",
                     std::to_string(milestones_.size()));
  nn::detail::expect(std::is_sorted(milestones_.begin(), milestones_.end(), std::less_equal<>()) &&
                         (milestones_.empty() || milestones_[0] > 0),
                     name(), "milestones > 0 that grow", text_of(milestones_));
  // The constructors of all have set rates: only the first is to count.
  for (ChainableLR* scheduler : schedulers_) scheduler->last_epoch_ = -1;
  for (std::size_t group = 0; group < optimizer.num_groups(); ++group) {
    optimizer.set_lr(optimizer.schedule(group).at("initial_lr").as_float(), group);
  }
  schedulers_[0]->start();
  remember_lr();
}

void SequentialLR::step() {
  const std::int64_t epoch = last_epoch_ + 1;
  const auto next = std::upper_bound(milestones_.begin(), milestones_.end(), epoch);
  ChainableLR& scheduler = *schedulers_[static_cast<std::size_t>(next - milestones_.begin())];
  if (next != milestones_.begin() && *(next - 1) == epoch) {
    scheduler.restart();
  } else {
    scheduler.step();
  }
  last_epoch_ = epoch;
  remember_lr();
}

Dict SequentialLR::state_dict() const {
  return {{"_milestones", detail::to_list(milestones_)},
          {"last_epoch", last_epoch_},
          {"_last_lr", detail::to_list(get_last_lr())},
          {"_schedulers", state_dicts(schedulers_)}};
}

Commit SequentialLR::prepare(const Dict& state_dict) {
  detail::expect_keys(state_dict, this->state_dict());
  const std::vector<std::int64_t> milestones = detail::to_integers(state_dict.at("_milestones"));
  if (milestones != milestones_) {
    throw ValueError("expected milestones " + text_of(milestones_) + ", got " + text_of(milestones));
  }
  const std::int64_t epoch = detail::to_epoch(state_dict.at("last_epoch"), 0);
  std::vector<double> last = detail::to_numbers(state_dict.at("_last_lr"), optimizer().num_groups());
  return [this, epoch, last = std::move(last),
          commits = prepare_all(schedulers_, state_dict.at("_schedulers"))]() mutable {
    for (const Commit& commit : commits) commit();
    last_epoch_ = epoch;
    set_last_lr(std::move(last));
  };
}

ChainedScheduler::ChainedScheduler(std::vector<ChainableLR*> schedulers)
    : LRScheduler("ChainedScheduler", common_optimizer("ChainedScheduler", schedulers)),
      schedulers_(std::move(schedulers)) {
  remember_lr();
}

void ChainedScheduler::step() {
  for (ChainableLR* scheduler : schedulers_) scheduler->step();
  remember_lr();
}

Dict ChainedScheduler::state_dict() const {
  return {{"_last_lr", detail::to_list(get_last_lr())}, {"_schedulers", state_dicts(schedulers_)}};
}

Commit ChainedScheduler::prepare(const Dict& state_dict) {
  detail::expect_keys(state_dict, this->state_dict());
  std::vector<double> last = detail::to_numbers(state_dict.at("_last_lr"), optimizer().num_groups());
  return [this, last = std::move(last), commits = prepare_all(schedulers_, state_dict.at("_schedulers"))]() mutable {
    for (const Commit& commit : commits) commit();
    set_last_lr(std::move(last));
  };
}

}  // namespace teff::optim

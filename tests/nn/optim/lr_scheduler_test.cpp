// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>
#include <memory>

#include "golden/optim_golden.h"
#include "nn/optim/optim_test.h"

using namespace teff;
using namespace teff::nn_testing;
using namespace teff::optim;

namespace {

/// A scheduler of make_optim_golden.py with what it refers to.
struct Schedule {
  std::unique_ptr<SGD> optimizer = std::make_unique<SGD>(two_groups());
  std::vector<std::unique_ptr<ChainableLR>> parts;  // of a composed one
  std::unique_ptr<LRScheduler> scheduler;

  template <class S, class... Args>
  static Schedule of(Args&&... args) {
    Schedule schedule;
    schedule.scheduler = std::make_unique<S>(*schedule.optimizer, std::forward<Args>(args)...);
    return schedule;
  }
  template <class S, class... Args>
  ChainableLR* part(Args&&... args) {
    parts.push_back(std::make_unique<S>(*optimizer, std::forward<Args>(args)...));
    return parts.back().get();
  }
};

Schedule sequential() {
  Schedule s;
  const std::vector<ChainableLR*> parts{s.part<LinearLR>(LinearLROptions{.start_factor = 0.1, .total_iters = 4}),
                                        s.part<CosineAnnealingLR>(CosineAnnealingLROptions{.T_max = 8}),
                                        s.part<ExponentialLR>(ExponentialLROptions{.gamma = 0.5})};
  s.scheduler = std::make_unique<SequentialLR>(*s.optimizer, parts, std::vector<std::int64_t>{4, 12});
  return s;
}

Schedule chained() {
  Schedule s;
  const std::vector<ChainableLR*> parts{s.part<LinearLR>(LinearLROptions{.start_factor = 0.1, .total_iters = 4}),
                                        s.part<StepLR>(StepLROptions{.step_size = 5})};
  s.scheduler = std::make_unique<ChainedScheduler>(parts);
  return s;
}

Schedule lambda() {
  const std::vector<LambdaLR::Function> functions{
      [](std::int64_t epoch) { return 1 / (1 + static_cast<double>(epoch)); },
      [](std::int64_t epoch) { return std::pow(0.95, static_cast<double>(epoch)); }};
  return Schedule::of<LambdaLR>(functions);
}

struct Golden {
  const char* name;
  std::function<Schedule()> make;
  const std::vector<double>& rates;
  const std::vector<std::string>& keys;
};

const std::vector<Golden>& goldens() {
  static const std::vector<Golden> all{
      {"StepLR", [] { return Schedule::of<StepLR>(StepLROptions{.step_size = 3, .gamma = 0.3}); }, golden::kStepLR,
       golden::kStepLRKeys},
      {"MultiStepLR",
       [] {
         return Schedule::of<MultiStepLR>(MultiStepLROptions{.milestones = {2, 5, 5, 11}, .gamma = 0.7});
       },
       golden::kMultiStepLR, golden::kMultiStepLRKeys},
      {"ExponentialLR", [] { return Schedule::of<ExponentialLR>(ExponentialLROptions{.gamma = 0.9}); },
       golden::kExponentialLR, golden::kExponentialLRKeys},
      {"ConstantLR", [] { return Schedule::of<ConstantLR>(ConstantLROptions{.factor = 0.3, .total_iters = 4}); },
       golden::kConstantLR, golden::kConstantLRKeys},
      {"LinearLR",
       [] { return Schedule::of<LinearLR>(LinearLROptions{.start_factor = 0.2, .end_factor = 0.9, .total_iters = 7}); },
       golden::kLinearLR, golden::kLinearLRKeys},
      {"CosineAnnealingLR",
       [] { return Schedule::of<CosineAnnealingLR>(CosineAnnealingLROptions{.T_max = 6, .eta_min = 0.01}); },
       golden::kCosineAnnealingLR, golden::kCosineAnnealingLRKeys},
      {"LambdaLR", lambda, golden::kLambdaLR, golden::kLambdaLRKeys},
      {"SequentialLR", sequential, golden::kSequentialLR, golden::kSequentialLRKeys},
      {"ChainedScheduler", chained, golden::kChainedScheduler, golden::kChainedSchedulerKeys},
  };
  return all;
}

/// The rates of both groups in epochs [begin, end), which the scheduler is in.
std::vector<double> rates(const Schedule& s, int begin = 0, int end = kEpochs) {
  std::vector<double> all;
  for (int epoch = begin; epoch < end; ++epoch) {
    for (std::size_t group = 0; group < 2; ++group) all.push_back(s.optimizer->lr(group));
    CHECK(s.scheduler->get_last_lr() == std::vector<double>(all.end() - 2, all.end()));
    s.scheduler->step();
  }
  return all;
}

void check_rates(const std::vector<double>& actual, const std::vector<double>& expected) {
  REQUIRE(actual.size() == expected.size());
  for (std::size_t i = 0; i < actual.size(); ++i) {
    CAPTURE(i);
    CHECK(actual[i] == doctest::Approx(expected[i]).epsilon(1e-14));
  }
}

template <class S>
void check_state_refused(S& scheduler, const Dict& state, const std::string& text) {
  const Dict before = scheduler.state_dict();
  CHECK(error_of<StateDictError>([&] { scheduler.load_state_dict(state); }) == text);
  CHECK(scheduler.state_dict() == before);
}

}  // namespace

TEST_CASE("schedulers give PyTorch's rates") {
  for (const Golden& golden : goldens()) {
    CAPTURE(golden.name);
    check_rates(rates(golden.make()), golden.rates);
  }
}

TEST_CASE("a scheduler's state dict has PyTorch's keys, but for how it prints") {
  for (const Golden& golden : goldens()) {
    CAPTURE(golden.name);
    std::vector<std::string> expected = golden.keys;
    std::erase(expected, "verbose");
    std::erase(expected, "_get_lr_called_within_step");
    std::vector<std::string> keys = keys_of(golden.make().scheduler->state_dict());
    std::sort(keys.begin(), keys.end());
    CHECK(keys == expected);
  }
}

TEST_CASE("a scheduler continues from its state dict, and PyTorch's extra keys do not disturb") {
  for (const Golden& golden : goldens()) {
    for (const int stop : {1, 4, 6, 13}) {
      CAPTURE(golden.name);
      CAPTURE(stop);
      const Schedule start = golden.make(), rest = golden.make();
      const std::vector<double> first = rates(start, 0, stop);
      Dict state = start.scheduler->state_dict();
      if (state.contains("base_lrs")) {
        state["verbose"] = false;
        state["_get_lr_called_within_step"] = false;
      }
      rest.scheduler->load_state_dict(state);
      rest.optimizer->load_state_dict(start.optimizer->state_dict());
      CHECK(rest.scheduler->state_dict() == start.scheduler->state_dict());
      std::vector<double> all = first;
      for (const double rate : rates(rest, stop)) all.push_back(rate);
      CHECK(all == rates(golden.make()));
    }
  }
}

TEST_CASE("a scheduler's state is refused by every other one") {
  for (const Golden& from : goldens()) {
    for (const Golden& to : goldens()) {
      if (from.name == to.name) continue;
      CAPTURE(from.name);
      const Schedule other = to.make();
      const Dict before = other.scheduler->state_dict();
      CHECK(error_of<StateDictError>([&] {
              other.scheduler->load_state_dict(from.make().scheduler->state_dict());
            }).starts_with(std::string(to.name) + ": loaded state dict is not valid: "));
      CHECK(other.scheduler->state_dict() == before);
    }
  }
}

TEST_CASE("states that are not valid are refused and change nothing") {
  SGD optimizer(two_groups());
  StepLR scheduler(optimizer, {.step_size = 3});
  scheduler.step();
  const auto refused = [&](const char* key, const Value& value, const std::string& text) {
    Dict state = scheduler.state_dict();
    state[key] = value;
    check_state_refused(scheduler, state, "StepLR: loaded state dict is not valid: " + text);
  };
  refused("step_size", 0, "StepLR: expected step_size >= 1, got 0");
  refused("gamma", -1, "StepLR: expected gamma >= 0 and finite, got -1");
  refused("gamma", "much", "StepLR: attribute \"gamma\": value: expected a floating-point number, got text");
  refused("base_lrs", List{0.1}, "expected numbers for 2 parameter groups, got 1");
  refused("last_epoch", -2, "expected last_epoch in [-1, 2^53], got -2");
  refused("last_epoch", std::int64_t{1} << 60, "expected last_epoch in [-1, 2^53], got 1152921504606846976");
  refused("T_max", 3, "unexpected key \"T_max\"");
}

TEST_CASE("MultiStepLR reads Python's Counter and lists") {
  SGD optimizer(two_groups());
  MultiStepLR scheduler(optimizer, {.milestones = {5, 30, 30}});
  const Dict state = scheduler.state_dict();
  CHECK(state.at("milestones").as_dict() == Dict{{"5", 1}, {"30", 2}});
  Dict list = state;
  list["milestones"] = List{5, 30, 30};
  scheduler.load_state_dict(list);
  CHECK(scheduler.state_dict() == state);
  for (const Value& bad : {Value(Dict{{"x", 1}}), Value(Dict{{"5", -1}}), Value(Dict{{"5", 100000}}),
                           Value(Dict{{"-5", 1}}), Value(7), Value(List{1.5})}) {
    list["milestones"] = bad;
    CHECK_THROWS_AS(scheduler.load_state_dict(list), StateDictError);
    CHECK(scheduler.state_dict() == state);
  }
}

TEST_CASE("rates that no optimiser takes are refused, and nothing changes") {
  SGD optimizer(two_groups());
  LambdaLR scheduler(optimizer, [](std::int64_t epoch) { return epoch < 2 ? 1 : -1; });
  scheduler.step();
  const Dict before = scheduler.state_dict(), rates = optimizer.state_dict();
  CHECK(error_of<ValueError>([&] { scheduler.step(); }) == "LambdaLR: expected lr >= 0 and finite, got -0.1");
  CHECK(scheduler.state_dict() == before);
  CHECK(optimizer.state_dict() == rates);
}

TEST_CASE("schedulers validate their options") {
  SGD optimizer(two_groups()), other(two_groups());
  const auto refused = [](auto&& make) { return error_of<ValueError>(make); };
  CHECK(refused([&] { StepLR(optimizer, {}); }) == "StepLR: expected step_size >= 1, got 0");
  CHECK(refused([&] {
          MultiStepLR(optimizer, {.milestones = {3, -1}});
        }) == "MultiStepLR: expected milestones >= 0, got -1");
  CHECK(refused([&] { ExponentialLR(optimizer, {}); }) == "ExponentialLR: expected gamma > 0 and finite, got 0");
  CHECK(refused([&] { ConstantLR(optimizer, {.factor = 0}); }) == "ConstantLR: expected factor in (0, 1], got 0");
  CHECK(refused([&] { LinearLR(optimizer, {.end_factor = 1.5}); }) ==
        "LinearLR: expected end_factor in [0, 1], got 1.5");
  CHECK(refused([&] { CosineAnnealingLR(optimizer, {}); }) == "CosineAnnealingLR: expected T_max in [1, 2^53], got 0");
  CHECK(refused([&] { LambdaLR(optimizer, std::vector<LambdaLR::Function>(3)); }) ==
        "LambdaLR: expected a function for each of 2 groups, got 3");
  CHECK_THROWS_AS(LambdaLR(optimizer, LambdaLR::Function()), TypeError);
  StepLR a(optimizer, {.step_size = 1}), b(optimizer, {.step_size = 1}), c(other, {.step_size = 1});
  CHECK(refused([&] {
          SequentialLR(optimizer, {&a, &b}, {});
        }) == "SequentialLR: expected 1 milestones between 2 schedulers, got 0");
  CHECK(refused([&] {
          SequentialLR(optimizer, {&a, &b, &a}, {4, 4});
        }) == "SequentialLR: expected milestones > 0 that grow, got [4, 4]");
  CHECK(refused([&] {
          SequentialLR(other, {&a, &b}, {4});
        }) == "SequentialLR: expected schedulers of the given optimizer, got schedulers of another");
  CHECK(refused([&] {
          ChainedScheduler({&a, &c});
        }) == "ChainedScheduler: expected schedulers of one optimizer, got schedulers of several");
  CHECK(refused([] { ChainedScheduler({}); }) == "ChainedScheduler: expected at least one scheduler, got none");
  CHECK_THROWS_AS(ChainedScheduler({&a, nullptr}), TypeError);
}

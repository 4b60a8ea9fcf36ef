// SPDX-License-Identifier: MIT

// ReduceLROnPlateau and OneCycleLR.

#include <algorithm>
#include <cmath>
#include <limits>

#include "golden/optim_golden.h"
#include "nn/optim/optim_test.h"

using namespace teff;
using namespace teff::nn_testing;
using namespace teff::optim;

namespace {

const std::vector<double> kMetrics{1,   0.9, 0.95, 0.9, 0.91, 0.8, 0.81, NAN, 0.81, 0.79999,
                                   0.5, 0.6, 0.6,  0.6, 0.6,  0.6, 0.6,  0.4, 9,    9};

struct PlateauGolden {
  ReduceLROnPlateauOptions options;
  const std::vector<double>& rates;
};

const std::vector<PlateauGolden>& plateaus() {
  static const std::vector<PlateauGolden> all{
      {{.factor = 0.5, .patience = 1}, golden::kPlateau},
      {{.mode = PlateauMode::max,
        .patience = 2,
        .threshold = 0.05,
        .threshold_mode = ThresholdMode::abs,
        .cooldown = 2,
        .min_lr = {0.001, 0.1}},
       golden::kPlateauMax},
      {{.factor = 0.9, .patience = 0, .threshold_mode = ThresholdMode::abs, .eps = 0.03}, golden::kPlateauEps},
  };
  return all;
}

std::vector<double> rates(Optimizer& optimizer, ReduceLROnPlateau& scheduler, int begin = 0, int end = kEpochs) {
  std::vector<double> all;
  for (int epoch = begin; epoch < end; ++epoch) {
    for (const double rate : scheduler.get_last_lr()) all.push_back(rate);
    CHECK(optimizer.lr(1) == all.back());
    scheduler.step(kMetrics[static_cast<std::size_t>(epoch)]);
  }
  return all;
}

/// Rate and momentum of each group in epochs [begin, end).
std::vector<double> cycle(const Optimizer& optimizer, OneCycleLR& scheduler, int begin = 0, int end = kEpochs) {
  std::vector<double> all;
  for (int epoch = begin; epoch < end; ++epoch) {
    for (std::size_t group = 0; group < 2; ++group) {
      all.push_back(optimizer.lr(group));
      all.push_back(optimizer.momentum(group).value());
    }
    scheduler.step();
  }
  return all;
}

void check_numbers(const std::vector<double>& actual, const std::vector<double>& expected) {
  REQUIRE(actual.size() == expected.size());
  for (std::size_t i = 0; i < actual.size(); ++i) {
    CAPTURE(i);
    CHECK(actual[i] == doctest::Approx(expected[i]).epsilon(1e-13));
  }
}

const OneCycleLROptions kThreePhases{.max_lr = {0.1, 1},
                                     .total_steps = 20,
                                     .pct_start = 0.35,
                                     .anneal_strategy = Annealing::linear,
                                     .div_factor = 10,
                                     .final_div_factor = 50,
                                     .three_phase = true};

}  // namespace

TEST_CASE("ReduceLROnPlateau gives PyTorch's rates") {
  for (const PlateauGolden& golden : plateaus()) {
    SGD optimizer(two_groups());
    ReduceLROnPlateau scheduler(optimizer, golden.options);
    check_numbers(rates(optimizer, scheduler), golden.rates);
  }
}

TEST_CASE("ReduceLROnPlateau continues from its state dict, which has PyTorch's keys") {
  for (const PlateauGolden& golden : plateaus()) {
    for (const int stop : {0, 7, 12}) {
      SGD optimizer(two_groups()), other(two_groups());
      ReduceLROnPlateau start(optimizer, golden.options), rest(other);
      rates(optimizer, start, 0, stop);
      Dict state = start.state_dict();
      state["verbose"] = false;
      state["_last_lr"] = List{0.1, 0.5};
      rest.load_state_dict(state);
      other.load_state_dict(optimizer.state_dict());
      CHECK(rest.state_dict() == start.state_dict());
      CHECK(rates(other, rest, stop) == rates(optimizer, start, stop));
    }
  }
  SGD optimizer(two_groups());
  std::vector<std::string> keys = keys_of(ReduceLROnPlateau(optimizer).state_dict());
  for (const char* key : {"_last_lr", "verbose"}) keys.emplace_back(key);
  std::sort(keys.begin(), keys.end());
  CHECK(keys == golden::kPlateauKeys);
}

TEST_CASE("ReduceLROnPlateau validates options and state") {
  SGD optimizer(two_groups());
  CHECK(error_of<ValueError>([&] { ReduceLROnPlateau(optimizer, {.factor = 1}); }) ==
        "ReduceLROnPlateau: expected factor in [0, 1), got 1");
  CHECK(error_of<ValueError>([&] { ReduceLROnPlateau(optimizer, {.patience = -1}); }) ==
        "ReduceLROnPlateau: expected patience in [0, 2^53], got -1");
  CHECK(error_of<ValueError>([&] {
          ReduceLROnPlateau(optimizer, {.min_lr = {1, 2, 3}});
        }) == "ReduceLROnPlateau: expected min_lr to be one number or one for each of 2 groups, got 3");
  ReduceLROnPlateau scheduler(optimizer);
  CHECK(scheduler.best() == std::numeric_limits<double>::infinity());
  const Dict before = scheduler.state_dict();
  for (const auto& [key, value] : std::vector<DictItem>{
           {"mode", "best"}, {"factor", 2}, {"num_bad_epochs", -1}, {"min_lrs", List{0.0}}, {"gamma", 1}}) {
    Dict state = before;
    state[key] = value;
    CHECK(error_of<StateDictError>([&] {
            scheduler.load_state_dict(state);
          }).starts_with("ReduceLROnPlateau: loaded state dict is not valid: "));
    CHECK(scheduler.state_dict() == before);
  }
}

TEST_CASE("OneCycleLR gives PyTorch's rates and momenta") {
  SGD first(two_groups()), second(two_groups());
  Adam adam({{.params = {five()}, .options = {.lr = 0.1}}, {.params = {five()}, .options = {.lr = 0.5}}});
  OneCycleLR plain(first, {.max_lr = 0.1, .total_steps = 20}), three(second, kThreePhases);
  OneCycleLR betas(adam, {.max_lr = 0.1, .total_steps = 4 * 5, .base_momentum = 0.5, .max_momentum = 0.75});
  check_numbers(cycle(first, plain), golden::kOneCycle);
  check_numbers(cycle(second, three), golden::kOneCycleThree);
  check_numbers(cycle(adam, betas), golden::kOneCycleAdam);
  std::vector<std::string> keys = keys_of(first.state_dict().at("param_groups").as_list()[0].as_dict());
  std::sort(keys.begin(), keys.end());
  CHECK(keys == golden::kOneCycleGroupKeys);
}

TEST_CASE("OneCycleLR continues from its state dict and the optimiser's") {
  for (const OneCycleLROptions& options : {OneCycleLROptions{.max_lr = 0.1, .total_steps = 20}, kThreePhases}) {
    SGD optimizer(two_groups()), other(two_groups());
    OneCycleLR start(optimizer, options), rest(other, {.max_lr = 7, .total_steps = 3});
    cycle(optimizer, start, 0, 9);
    Dict state = start.state_dict();
    state["use_beta1"] = false;
    rest.load_state_dict(state);
    other.load_state_dict(optimizer.state_dict());
    CHECK(cycle(other, rest, 9) == cycle(optimizer, start, 9));
    CHECK(rest.state_dict() == start.state_dict());
  }
}

TEST_CASE("OneCycleLR ends") {
  SGD optimizer(two_groups());
  OneCycleLR scheduler(optimizer, {.max_lr = 0.1, .total_steps = 4, .anneal_strategy = Annealing::linear});
  for (int step = 0; step < 3; ++step) scheduler.step();
  const double last = optimizer.lr();
  scheduler.step();  // that of the last batch
  CHECK(optimizer.lr() == last);
  CHECK(error_of<ValueError>([&] { scheduler.step(); }) == "OneCycleLR: expected at most 4 steps, got 5");
  CHECK(scheduler.last_epoch() == 4);
}

TEST_CASE("OneCycleLR validates options and state") {
  SGD optimizer(two_groups());
  Adagrad adagrad({five()});
  const auto refused = [&](Optimizer& o, const OneCycleLROptions& options) {
    return error_of<ValueError>([&] { OneCycleLR(o, options); });
  };
  CHECK(refused(optimizer, {.max_lr = 1}) == "OneCycleLR: expected total_steps in [1, 2^53], got 0");
  CHECK(refused(optimizer, {.total_steps = 5}) == "OneCycleLR: expected max_lr > 0 and finite, got 0");
  CHECK(refused(optimizer, {.max_lr = 1, .total_steps = 5, .pct_start = 2}) ==
        "OneCycleLR: expected pct_start in [0, 1], got 2");
  CHECK(refused(optimizer, {.max_lr = 1, .total_steps = 5, .max_momentum = 1}) ==
        "OneCycleLR: expected max_momentum in [0, 1), got 1");
  CHECK(refused(adagrad, {.max_lr = 1, .total_steps = 5}) ==
        "OneCycleLR: expected an optimizer with momentum or betas for cycle_momentum, got Adagrad");
  CHECK(adagrad.schedule(0).empty());
  OneCycleLR(adagrad, {.max_lr = 1, .total_steps = 5, .cycle_momentum = false});
  OneCycleLR scheduler(optimizer, {.max_lr = 1, .total_steps = 5});
  const Dict before = scheduler.state_dict();
  const Dict phase = before.at("_schedule_phases").as_list()[0].as_dict();
  Dict elsewhere = phase;
  elsewhere["end_lr"] = "params";
  for (const auto& [key, value] : std::vector<DictItem>{{"total_steps", 0},
                                                        {"_schedule_phases", List{}},
                                                        {"_schedule_phases", List{elsewhere}},
                                                        {"_anneal_func_type", "square"},
                                                        {"cycle_momentum", false}}) {
    Dict state = before;
    state[key] = value;
    CHECK(error_of<StateDictError>([&] {
            scheduler.load_state_dict(state);
          }).starts_with("OneCycleLR: loaded state dict is not valid: "));
    CHECK(scheduler.state_dict() == before);
  }
}

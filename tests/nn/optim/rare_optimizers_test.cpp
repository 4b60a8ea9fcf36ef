// SPDX-License-Identifier: MIT

// NAdam, RAdam, Adamax, Adadelta, Rprop, ASGD and LBFGS; groups that join, and loading of what fits.

#include <algorithm>

#include "golden/rare_optim_golden.h"
#include "nn/optim/optim_test.h"
#include "support/same.h"
#include "support/temp_file.h"
#include "teff/engine/testing.h"
#include "teff/serialize/save_load.h"

using namespace teff;
using namespace teff::nn_testing;
using namespace teff::testing;

namespace {

template <class OptimizerClass, class OptionsClass>
struct RareCase {
  using Optimizer = OptimizerClass;
  const char* name;
  std::vector<OptionsClass> variants;
  const std::vector<double>&end, &state;
  const std::vector<std::string>&state_keys, &group_keys;
};

Tensor five_doubles() { return tensor<double>({1, -2, 0.5, 0, 3}).requires_grad_(); }

void check_numbers(const std::vector<double>& actual, const std::vector<double>& expected, double tolerance = 1e-12) {
  CHECK_NOTHROW(assert_close(tensor(actual), tensor(expected), {tolerance, tolerance}));
}

void append(std::vector<double>& values, const Tensor& tensor) {
  const Tensor numbers = tensor.detach().to(DType::float64);
  for (const double value : numbers.span<double>()) values.push_back(value);
}

std::vector<std::string> sorted_keys(const Dict& dict) {
  std::vector<std::string> keys = keys_of(dict);
  std::sort(keys.begin(), keys.end());
  return keys;
}

/// The float32 numbers of the state (mu_product, eta) limit what agrees.
template <class Case>
void check_case(const Case& c) {
  INFO(c.name);
  std::vector<double> rows;
  Dict state;
  for (const auto& options : c.variants) {
    const Tensor p = five_doubles(), q = five_doubles();
    typename Case::Optimizer optimizer({p}, options);
    run(optimizer, {p});
    append(rows, p);
    state = optimizer.state_dict();

    typename Case::Optimizer first({q}, options);  // half of the steps, and the rest after loading
    run(first, {q}, 0, kSteps / 2);
    const Dict half = deep_copy(first.state_dict()).as_dict();
    typename Case::Optimizer second({q});
    second.load_state_dict(half);
    run(second, {q}, kSteps / 2, kSteps);
    CHECK(same(q.detach(), p.detach()));
  }
  check_numbers(rows, c.end, 1e-9);
  CHECK(keys_of(state_of(state, "0")) == c.state_keys);
  CHECK(sorted_keys(group_of(state, 0)) == c.group_keys);
  std::vector<double> numbers;
  for (const auto& [key, value] : state_of(state, "0")) {
    append(numbers, value.is_tensor() ? value.as_tensor() : scalar_tensor(value.as_float()));
  }
  check_numbers(numbers, c.state, 1e-9);
}

/// Rosenbrock's function of two pairs, and a third parameter with a square: make_rare_optim_golden.py.
struct Valley {
  Tensor x = tensor<double>({-1.2, 1.0, 0.5, 2.0}).requires_grad_();
  Tensor y = tensor<double>({3.0}, {1, 1}).requires_grad_();

  optim::LBFGS::Closure closure(optim::Optimizer& optimizer) const {
    return [this, &optimizer] {
      optimizer.zero_grad();
      const Tensor a = x.slice(0, 0, {}, 2), b = x.slice(0, 1, {}, 2);
      const Tensor miss = b - a * a, far = 1 - a, third = y - x[0];
      const Tensor loss = (miss * miss * 100.0 + far * far).sum() + (third * third).sum();
      loss.backward();
      return loss;
    };
  }
};

std::vector<double> descend(const optim::LBFGSOptions& options, int steps) {
  const Valley valley;
  optim::LBFGS optimizer({valley.x, valley.y}, options);
  std::vector<double> values;
  for (int step = 0; step < steps; ++step) {
    append(values, optimizer.step(valley.closure(optimizer)));
    append(values, valley.x);
    append(values, valley.y);
  }
  Dict state = optimizer.state_dict();
  for (const char* key : {"func_evals", "n_iter"}) values.push_back(state_of(state, "0").at(key).as_float());
  return values;
}

}  // namespace

TEST_SUITE("rare_optimizers") {
  TEST_CASE("NAdam, RAdam and Adamax compute PyTorch's numbers and keep its state") {
    check_case(RareCase<optim::NAdam, optim::NAdamOptions>{
        "NAdam",
        {{}, {.lr = 0.1, .betas = {0.5, 0.75}, .eps = 0.5}, {.lr = 0.1, .weight_decay = 0.25, .momentum_decay = 0.5}},
        golden::kNAdam,
        golden::kNAdamState,
        golden::kNAdamStateKeys,
        golden::kNAdamGroupKeys});
    check_case(RareCase<optim::RAdam, optim::RAdamOptions>{
        "RAdam",
        {{}, {.lr = 0.1, .betas = {0.5, 0.75}}, {.lr = 0.1, .betas = {0.8, 0.6}, .eps = 0.5, .weight_decay = 0.25}},
        golden::kRAdam,
        golden::kRAdamState,
        golden::kRAdamStateKeys,
        golden::kRAdamGroupKeys});
    check_case(RareCase<optim::Adamax, optim::AdamaxOptions>{
        "Adamax",
        {{}, {.lr = 0.1, .betas = {0.5, 0.75}, .eps = 0.5}, {.lr = 0.1, .weight_decay = 0.25, .maximize = true}},
        golden::kAdamax,
        golden::kAdamaxState,
        golden::kAdamaxStateKeys,
        golden::kAdamaxGroupKeys});
  }

  TEST_CASE("Adadelta, Rprop and ASGD compute PyTorch's numbers and keep its state") {
    check_case(RareCase<optim::Adadelta, optim::AdadeltaOptions>{
        "Adadelta",
        {{}, {.lr = 0.5, .rho = 0.5, .eps = 0.25}, {.weight_decay = 0.25, .maximize = true}},
        golden::kAdadelta,
        golden::kAdadeltaState,
        golden::kAdadeltaStateKeys,
        golden::kAdadeltaGroupKeys});
    check_case(RareCase<optim::Rprop, optim::RpropOptions>{
        "Rprop",
        {{}, {.lr = 0.1, .etas = {0.25, 1.5}, .step_sizes = {0.05, 0.5}}, {.lr = 0.5, .maximize = true}},
        golden::kRprop,
        golden::kRpropState,
        golden::kRpropStateKeys,
        golden::kRpropGroupKeys});
    check_case(RareCase<optim::ASGD, optim::ASGDOptions>{"ASGD",
                                                         {{},
                                                          {.lr = 0.1, .lambd = 0.5, .alpha = 0.5, .t0 = 4},
                                                          {.lr = 0.1, .t0 = 0, .weight_decay = 0.25, .maximize = true}},
                                                         golden::kASGD,
                                                         golden::kASGDState,
                                                         golden::kASGDStateKeys,
                                                         golden::kASGDGroupKeys});
  }

  TEST_CASE("options that are not valid are refused by name") {
    const Tensor p = five();
    CHECK(error_of<ValueError>([&] { optim::NAdam({p}, {.momentum_decay = -1}); }) ==
          "NAdam: expected momentum_decay >= 0 and finite, got -1");
    CHECK(error_of<ValueError>([&] {
            optim::RAdam({p}, {.betas = {1, 0.5}});
          }) == "RAdam: expected betas[0] in [0, 1), got 1");
    CHECK(error_of<ValueError>([&] { optim::Adadelta({p}, {.rho = 1.5}); }) ==
          "Adadelta: expected rho in [0, 1], got 1.5");
    CHECK(error_of<ValueError>([&] {
            optim::Rprop({p}, {.etas = {0.5, 0.9}});
          }) == "Rprop: expected etas[1] > 1 and finite, got 0.9");
    CHECK(error_of<ValueError>([&] { optim::ASGD({p}, {.lr = -1}); }) == "ASGD: expected lr >= 0 and finite, got -1");
    CHECK(error_of<ValueError>([&] { optim::LBFGS({p}, {.max_iter = 0}); }) == "LBFGS: expected max_iter >= 1, got 0");
  }

  TEST_CASE("a number of the state that has a shape is refused") {
    const Tensor p = five();
    optim::NAdam optimizer({p});
    run(optimizer, {p}, 0, 1);
    Dict state = deep_copy(optimizer.state_dict()).as_dict();
    state_of(state, "0")["mu_product"] = zeros({5});
    check_refused(
        optimizer, state,
        "NAdam: size mismatch for mu_product of parameter 0: copying a tensor with shape [5] from checkpoint, "
        "the shape of the number is []");
  }

  TEST_CASE("LBFGS goes PyTorch's way, with and without a line search") {
    check_numbers(descend({.lr = 0.001, .max_iter = 4}, 6), golden::kLbfgs, 1e-9);
    check_numbers(descend({.max_iter = 5, .history_size = 3, .line_search_fn = optim::LineSearch::strong_wolfe}, 6),
                  golden::kLbfgsWolfe, 1e-6);
    check_numbers(descend({.max_iter = 200, .line_search_fn = optim::LineSearch::strong_wolfe}, 1), golden::kLbfgsLong,
                  1e-5);
  }

  TEST_CASE("LBFGS goes on after loading as if nothing had happened, through a file, too") {
    const optim::LBFGSOptions options{
        .max_iter = 3, .history_size = 4, .line_search_fn = optim::LineSearch::strong_wolfe};
    const Valley expected, actual;
    optim::LBFGS whole({expected.x, expected.y}, options), first({actual.x, actual.y}, options);
    for (int i = 0; i < 4; ++i) whole.step(expected.closure(whole));
    for (int i = 0; i < 2; ++i) first.step(actual.closure(first));
    Dict state = first.state_dict();
    CHECK(sorted_keys(state_of(state, "0")) == golden::kLbfgsStateKeys);
    CHECK(sorted_keys(group_of(state, 0)) == golden::kLbfgsGroupKeys);
    const TempFile file("lbfgs.pt");
    save(state, file.path());
    optim::LBFGS second({actual.x, actual.y});
    second.load_state_dict(load(file.path()));
    for (int i = 0; i < 2; ++i) second.step(actual.closure(second));
    CHECK(same(actual.x.detach(), expected.x.detach()));
    CHECK(same(actual.y.detach(), expected.y.detach()));
  }

  TEST_CASE("LBFGS refuses steps without closure, further groups, mixed dtypes and states of other parameters") {
    const Valley valley;
    optim::LBFGS optimizer({valley.x, valley.y});
    CHECK(error_of<Error>([&] { optimizer.step(); }) ==
          "LBFGS: expected step(closure), which computes the loss anew, got step()");
    CHECK(error_of<TypeError>([&] { optimizer.step(optim::LBFGS::Closure()); }) ==
          "LBFGS: expected a closure, got an empty one");
    CHECK(error_of<TypeError>([&] {
            optim::LBFGS({valley.x, five()});
          }) == "LBFGS: expected parameters of one dtype, got float64 and float32");
    optimizer.step(valley.closure(optimizer));
    Dict state = deep_copy(optimizer.state_dict()).as_dict();
    state_of(state, "0")["d"] = zeros({3});
    CHECK(error_of<StateDictError>([&] { optimizer.load_state_dict(state); }) ==
          "LBFGS: loaded state dict is not valid: expected tensors of shape [5] for all parameters, got [3]");
  }

  TEST_CASE("a group joins with options of its own, and its state is saved") {
    const Tensor a = five(), b = five();
    optim::SGD optimizer({a}, {.lr = 0.1, .momentum = 0.9});
    run(optimizer, {a}, 0, 2);
    optimizer.add_param_group({.params = {b}, .options = {.lr = 0.5}});
    CHECK(optimizer.num_groups() == 2);
    CHECK(optimizer.lr(1) == 0.5);
    const Tensor before = b.detach().clone();
    b.set_grad(ones({5}));
    optimizer.step();
    CHECK(same(b.detach(), before - 0.5));
    optim::SGD other({{.params = {a}, .options = {.lr = 1}}, {.params = {b}, .options = {.lr = 1}}});
    other.load_state_dict(optimizer.state_dict());
    CHECK(other.lr(1) == 0.5);
  }

  TEST_CASE("a group that does not fit leaves everything as it was") {
    const Tensor a = five();
    optim::SGD optimizer({a}, {.lr = 0.1});
    CHECK(error_of<ValueError>([&] { optimizer.add_param_group({.params = {a}, .options = {.lr = 0.5}}); }) ==
          "SGD: some parameters appear in more than one parameter group");
    CHECK(error_of<ValueError>([&] { optimizer.add_param_group({.params = {five()}, .options = {.lr = -1}}); }) ==
          "SGD: expected lr >= 0 and finite, got -1");
    CHECK(optimizer.num_groups() == 1);
    run(optimizer, {a}, 0, 1);
  }

  TEST_CASE("a scheduler that was there before leaves a group that joins alone") {
    const Tensor a = five(), b = five();
    optim::SGD optimizer({a}, {.lr = 1});
    optim::ExponentialLR scheduler(optimizer, {.gamma = 0.5});
    optimizer.add_param_group({.params = {b}, .options = {.lr = 3}});
    scheduler.step();
    CHECK(optimizer.lr(0) == 0.5);
    CHECK(optimizer.lr(1) == 3);
    scheduler.load_state_dict(scheduler.state_dict());
  }

  TEST_CASE("what fits of an optimiser's state is loaded by name, the rest begins anew") {
    const Tensor a = five(), b = five(), c = tensor<float>({1, 2}).requires_grad_();
    optim::Adam saved(NamedTensors{{"body.w", a}, {"head.w", b}}, {.lr = 0.25});
    run(saved, {a, b}, 0, 3);
    const Dict dict = deep_copy(saved.state_dict()).as_dict();
    optim::Adam optimizer(NamedTensors{{"head.w", c}, {"body.w", a}, {"new.w", five()}});
    const auto report = optimizer.load_state_dict(dict, {.strict = false});
    CHECK(report.loaded == std::vector<std::string>{"body.w"});
    CHECK(report.fresh == std::vector<std::string>{"head.w", "new.w"});
    CHECK(report.ignored == std::vector<std::string>{"head.w"});
    CHECK(optimizer.lr() == 0.25);
    Dict now = optimizer.state_dict();
    CHECK(now.at("state").as_dict().size() == 1);
    CHECK(Value(state_of(now, "1")) == dict.at("state").as_dict().at("0"));
  }

  TEST_CASE("without names what fits is loaded by its place") {
    const Tensor a = five(), b = five();
    optim::Adam saved({a, b});
    run(saved, {a, b}, 0, 2);
    optim::Adam optimizer({five(), tensor<float>({1}).requires_grad_(), five()});
    const auto report = optimizer.load_state_dict(saved.state_dict(), {.strict = false});
    CHECK(report.loaded == std::vector<std::string>{"0"});
    CHECK(report.fresh == std::vector<std::string>{"1", "2"});
    CHECK(report.ignored == std::vector<std::string>{"1"});
    CHECK(error_of<StateDictError>([&] {
            optimizer.load_state_dict(Dict{{"state", Dict()}}, {.strict = false});
          }) ==
          "Adam: loaded state dict is not valid: dict: expected one of its keys (\"state\"), got \"param_groups\"");
  }
}

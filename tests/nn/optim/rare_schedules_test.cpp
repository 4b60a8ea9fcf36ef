// SPDX-License-Identifier: MIT

// Schedules that come back, PolynomialLR, MultiplicativeLR, SWALR, and averages of models.

#include <algorithm>

#include "golden/rare_optim_golden.h"
#include "nn/optim/optim_test.h"
#include "support/same.h"
#include "teff/engine/testing.h"
#include "teff/nn/data/data_loader.h"

using namespace teff;
using namespace teff::nn_testing;
using namespace teff::testing;

namespace {

using Rates = std::vector<double>;

void check_close_rates(const Rates& actual, const Rates& expected) {
  CHECK_NOTHROW(assert_close(tensor(actual), tensor(expected), {1e-12, 1e-12}));
}

/// The keys that both write; PyTorch says more of how it calls and prints.
void check_keys(const Dict& state, std::vector<std::string> expected, std::vector<std::string> own = {}) {
  std::vector<std::string> keys;
  for (const DictItem& item : state) keys.push_back(item.key);
  std::erase_if(expected, [](const auto& key) { return key == "verbose" || key == "_get_lr_called_within_step"; });
  expected.insert(expected.end(), own.begin(), own.end());
  std::sort(keys.begin(), keys.end());
  std::sort(expected.begin(), expected.end());
  CHECK(keys == expected);
}

/// Makes the schedule twice: one goes all the way, the other is saved in the middle and goes on in a third.
template <class Make>
void check_schedule(const Make& make, const Rates& expected, const std::vector<std::string>& keys,
                    bool momentum = false, const std::vector<std::string>& own_keys = {}) {
  Rates rates;
  const auto note = [&](const optim::Optimizer& optimizer) {
    for (std::size_t group = 0; group < 2; ++group) {
      rates.push_back(optimizer.lr(group));
      if (momentum) rates.push_back(*optimizer.momentum(group));
    }
  };
  optim::SGD optimizer(two_groups()), resumed(two_groups());
  auto scheduler = make(optimizer);
  for (int epoch = 0; epoch < 7; ++epoch) {
    note(optimizer);
    scheduler->step();
  }
  auto second = make(resumed);
  resumed.load_state_dict(optimizer.state_dict());
  second->load_state_dict(scheduler->state_dict());
  for (int epoch = 7; epoch < kEpochs; ++epoch) {
    note(resumed);
    second->step();
  }
  check_close_rates(rates, expected);
  check_keys(second->state_dict(), keys, own_keys);
}

using optim::Optimizer;

}  // namespace

TEST_SUITE("rare_schedules") {
  TEST_CASE("CosineAnnealingWarmRestarts has PyTorch's rates") {
    using optim::CosineAnnealingWarmRestarts;
    check_schedule(
        [](Optimizer& o) {
          return std::make_unique<CosineAnnealingWarmRestarts>(
              o, optim::CosineAnnealingWarmRestartsOptions{.T_0 = 3, .T_mult = 2, .eta_min = 0.01});
        },
        golden::kRestarts, golden::kRestartsKeys);
    check_schedule(
        [](Optimizer& o) {
          return std::make_unique<CosineAnnealingWarmRestarts>(o, optim::CosineAnnealingWarmRestartsOptions{.T_0 = 4});
        },
        golden::kRestartsEqual, golden::kRestartsEqualKeys);
  }

  TEST_CASE("CosineAnnealingWarmRestarts can be stepped in parts of epochs") {
    const auto check = [](std::int64_t times, const Rates& expected) {
      optim::SGD optimizer(two_groups());
      optim::CosineAnnealingWarmRestarts scheduler(optimizer, {.T_0 = 2, .T_mult = times});
      Rates rates;
      for (int i = 0; i < kEpochs; ++i) {
        for (std::size_t group = 0; group < 2; ++group) rates.push_back(optimizer.lr(group));
        scheduler.step(i * 0.37);
      }
      check_close_rates(rates, expected);
      CHECK(scheduler.last_epoch() == 7);
    };
    check(2, golden::kRestartsPart);
    check(1, golden::kRestartsPartEqual);
  }

  TEST_CASE("CyclicLR has PyTorch's rates and momenta") {
    check_schedule(
        [](Optimizer& o) {
          return std::make_unique<optim::CyclicLR>(
              o, optim::CyclicLROptions{.base_lr = 0.01, .max_lr = 0.2, .step_size_up = 3, .step_size_down = 4});
        },
        golden::kCyclic, golden::kCyclicKeys, true);
    check_schedule(
        [](Optimizer& o) {
          return std::make_unique<optim::CyclicLR>(o, optim::CyclicLROptions{.base_lr = {0.01, 0.02},
                                                                             .max_lr = {0.2, 1.0},
                                                                             .step_size_up = 3,
                                                                             .mode = optim::CyclicMode::triangular2,
                                                                             .base_momentum = 0.5,
                                                                             .max_momentum = 0.75});
        },
        golden::kCyclic2, golden::kCyclic2Keys, true);
    check_schedule(
        [](Optimizer& o) {
          return std::make_unique<optim::CyclicLR>(o, optim::CyclicLROptions{.base_lr = 0.01,
                                                                             .max_lr = 0.2,
                                                                             .step_size_up = 3,
                                                                             .mode = optim::CyclicMode::exp_range,
                                                                             .gamma = 0.9,
                                                                             .cycle_momentum = false});
        },
        golden::kCyclicExp, golden::kCyclicExpKeys);
  }

  TEST_CASE("PolynomialLR and MultiplicativeLR have PyTorch's rates") {
    check_schedule(
        [](Optimizer& o) {
          return std::make_unique<optim::PolynomialLR>(o, optim::PolynomialLROptions{.total_iters = 7, .power = 2});
        },
        golden::kPolynomial, golden::kPolynomialKeys);
    check_schedule(
        [](Optimizer& o) {
          return std::make_unique<optim::MultiplicativeLR>(
              o, std::vector<optim::LambdaLR::Function>{[](std::int64_t e) { return 1 / (1 + static_cast<double>(e)); },
                                                        [](std::int64_t) { return 0.95; }});
        },
        golden::kMultiplicative, golden::kMultiplicativeKeys);
  }

  TEST_CASE("SWALR has PyTorch's rates") {
    const auto make = [](optim::SWALROptions options) {
      return [options](Optimizer& o) { return std::make_unique<optim::SWALR>(o, options); };
    };
    check_schedule(make({.swa_lr = {0.05, 0.7}, .anneal_epochs = 6}), golden::kSwaLr, golden::kSwaLrKeys, false,
                   {"_anneal_func_type"});
    check_schedule(make({.swa_lr = 0.05, .anneal_epochs = 3, .anneal_strategy = optim::Annealing::linear}),
                   golden::kSwaLrLinear, golden::kSwaLrLinearKeys, false, {"_anneal_func_type"});
    check_schedule(make({.swa_lr = 0.05, .anneal_epochs = 0}), golden::kSwaLrAtOnce, golden::kSwaLrAtOnceKeys, false,
                   {"_anneal_func_type"});
  }

  TEST_CASE("schedules refuse what they cannot do") {
    optim::SGD optimizer(two_groups());
    optim::Adagrad without_momentum({five()});
    CHECK(error_of<ValueError>([&] { optim::CosineAnnealingWarmRestarts(optimizer, {.T_0 = 0}); }) ==
          "CosineAnnealingWarmRestarts: expected T_0 >= 1, got 0");
    CHECK(error_of<ValueError>([&] { optim::CyclicLR(without_momentum, {.base_lr = 0.1, .max_lr = 1}); }) ==
          "CyclicLR: expected an optimizer with momentum or betas for cycle_momentum, got Adagrad");
    CHECK(error_of<ValueError>([&] {
            optim::CyclicLR(optimizer, {.base_lr = {1, 2, 3}, .max_lr = 1});
          }) == "CyclicLR: expected base_lr to be one number or one for each of 2 groups, got 3");
    CHECK(error_of<ValueError>([&] { optim::PolynomialLR(optimizer, {.total_iters = 0}); }) ==
          "PolynomialLR: expected total_iters >= 1, got 0");
    CHECK(error_of<ValueError>([&] { optim::SWALR(optimizer, {.swa_lr = -1}); }) ==
          "SWALR: expected swa_lr >= 0 and finite, got -1");
    optim::CosineAnnealingWarmRestarts restarts(optimizer, {.T_0 = 3});
    CHECK(error_of<ValueError>([&] { restarts.step(-0.5); }) ==
          "CosineAnnealingWarmRestarts: expected epoch >= 0 and finite, got -0.5");
  }

  TEST_CASE("averages of a model are PyTorch's, and so are batch norm's statistics after update_bn") {
    const auto check = [](optim::AveragedModel::Average average, bool use_buffers, const std::vector<std::string>& keys,
                          const std::vector<double>& expected, const std::vector<double>& expected_bn) {
      const Tensor x = tensor<double>({0.5, -1.0, 2.0, 0.25, 1.5, 3.0, -0.75, 1.0}, {4, 2});
      nn::Sequential net(nn::Linear(2, 1), nn::BatchNorm1d(1));
      net.to(DType::float64);
      const NoGradGuard no_grad;
      int i = 0;
      for (const Tensor& p : net.parameters()) {
        p.copy_(arange(0, static_cast<double>(p.numel()), 1, {.dtype = DType::float64}).view(p.shape()) * 0.5 +
                static_cast<double>(i++));
      }
      optim::AveragedModel averaged(net, std::move(average), use_buffers);
      for (int step = 0; step < 3; ++step) {
        net(x);
        for (const Tensor& p : net.parameters()) p.copy_(p * 0.75 + 0.25 * step);
        averaged.update_parameters(net);
      }
      const auto check_state = [&](const std::vector<double>& numbers) {
        std::vector<double> values;
        std::vector<std::string> names;
        for (const auto& [key, value] : averaged.state_dict()) {
          names.push_back(key);
          const Tensor tensor = value.as_tensor().to(DType::float64);
          for (const double number : tensor.span<double>()) values.push_back(number);
        }
        CHECK(names == keys);
        check_close_rates(values, numbers);
      };
      check_state(expected);
      averaged.eval();
      nn::update_bn(std::vector<Tensor>{x, x * 2.0 + 1.0}, averaged);
      CHECK_FALSE(averaged.is_training());
      check_state(expected_bn);
      CHECK(same(averaged(x), (*averaged.module)(x)));
    };
    check(optim::AveragedModel::mean(), false, golden::kSwaKeys, golden::kSwa, golden::kSwaBn);
    check(optim::AveragedModel::ema(0.75), true, golden::kEmaKeys, golden::kEma, golden::kEmaBn);
  }

  TEST_CASE("update_bn puts momentum back and takes batches of a loader") {
    nn::Sequential net(nn::Linear(2, 3), nn::BatchNorm1d(3));
    const auto dataset = std::make_shared<teff::data::TensorDataset>(randn({8, 2}));
    teff::data::DataLoader loader(dataset, {.batch_size = 4});
    nn::update_bn(loader, net);
    CHECK(net.state_dict().at("1.num_batches_tracked").as_tensor().item<std::int64_t>() == 2);
    const auto* layer = dynamic_cast<nn::BatchNorm1d*>(net.named_modules()[2].second);
    REQUIRE(layer != nullptr);
    CHECK(contains(layer->extra_repr(), "momentum=0.1"));
    CHECK(error_of<Error>([&] { nn::renew_running_stats(net, [] { throw Error("no"); }); }) == "no");
    CHECK(contains(layer->extra_repr(), "momentum=0.1"));
  }

  TEST_CASE("an averaged model refuses another network") {
    nn::Linear net(2, 3), other(3, 3);
    optim::AveragedModel averaged(net);
    CHECK(error_of<ValueError>([&] { averaged.update_parameters(other); }) ==
          "AveragedModel: expected a model like the one that it was made of, got one with other parameters");
    CHECK(error_of<ValueError>([] { optim::AveragedModel::ema(1.5); }) ==
          "AveragedModel: expected decay in [0, 1], got 1.5");
    CHECK(error_of<TypeError>([&] { optim::AveragedModel(net, optim::AveragedModel::Average()); }) ==
          "AveragedModel: expected a function for the average, got an empty one");
  }
}

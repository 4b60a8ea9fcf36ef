// SPDX-License-Identifier: MIT
#include <cmath>

#include "golden/nn_golden.h"
#include "nn/optim/optim_test.h"

using namespace teff;
using namespace teff::nn_testing;

namespace {

constexpr int kSgdSteps = 5;  // of make_nn_golden.py

nn::Parameter first() { return tensor<float>({1, -2, 0.5f}); }
nn::Parameter second() { return tensor<float>({3, 4}); }

optim::SGD with_momentum(const Tensor& p) { return optim::SGD({p}, {.lr = 0.1, .momentum = 0.9}); }

}  // namespace

TEST_CASE("SGD computes PyTorch's numbers with every option") {
  const std::vector<optim::SGDOptions> variants{
      {.lr = 0.1},
      {.lr = 0.1, .momentum = 0.9},
      {.lr = 0.1, .momentum = 0.9, .dampening = 0.25},
      {.lr = 0.1, .weight_decay = 0.5},
      {.lr = 0.1, .momentum = 0.9, .weight_decay = 0.01, .nesterov = true},
      {.lr = 0.1, .momentum = 0.5, .weight_decay = 0.125, .maximize = true},
  };
  std::vector<Tensor> rows;
  for (const optim::SGDOptions& options : variants) {
    const Tensor p = first();
    optim::SGD optimizer({p}, options);
    run(optimizer, {p}, 0, kSgdSteps);
    rows.push_back(p.detach());
  }
  check_values(stack(rows), golden::kSgd);
}

TEST_CASE("groups have options of their own") {
  const Tensor a = first(), b = second();
  optim::SGD optimizer(
      {{.params = {a}, .options = {.lr = 0.01}}, {.params = {b}, .options = {.lr = 0.1, .momentum = 0.9}}});
  run(optimizer, {a, b}, 0, kSgdSteps);
  const Dict state = optimizer.state_dict().at("state").as_dict();
  check_values(cat({a.detach(), b.detach(), state.at("1").as_dict().at("momentum_buffer").as_tensor()}),
               golden::kSgdGroups);
}

TEST_CASE("the recipe's network learns along PyTorch's curve") {
  manual_seed(0);
  Net net;
  optim::SGD optimizer(net.parameters(), {.lr = 0.01, .momentum = 0.9});
  const Tensor images = randn({4, 3, 32, 32}), labels = tensor<std::int64_t>({3, 1, 4, 1});
  for (const double expected : golden::kLosses) {
    optimizer.zero_grad();
    const Tensor loss = cross_entropy(net(images), labels);
    loss.backward();
    optimizer.step();
    CHECK(loss.item<double>() == doctest::Approx(expected).epsilon(1e-6));
  }
}

TEST_CASE("parameters without a gradient are left alone") {
  const Tensor a = first(), b = second();
  optim::SGD optimizer({a, b}, {.lr = 0.1, .momentum = 0.9, .weight_decay = 1});
  run(optimizer, {b});
  CHECK(same_bits(a.detach(), first().detach()));
  CHECK(keys_of(optimizer.state_dict().at("state").as_dict()) == std::vector<std::string>{"1"});
  optimizer.zero_grad();
  CHECK_FALSE(b.grad().defined());
}

TEST_CASE("the state dict has PyTorch's form") {
  const Tensor a = first(), b = second();
  optim::SGD optimizer({{.params = {a}, .options = {.lr = 0.5}},
                        {.params = NamedTensors{{"b", b}}, .options = {.lr = 0.25, .momentum = 0.5}}});
  CHECK(printed(optimizer.state_dict().at("state")) == "{}");
  run(optimizer, {a, b}, 0, 1);
  const Dict group{{"lr", 0.5},           {"momentum", 0.0},         {"dampening", 0.0},
                   {"weight_decay", 0.0}, {"nesterov", false},       {"maximize", false},
                   {"foreach", nullptr},  {"differentiable", false}, {"params", List{0}}};
  Dict other = group;
  other["lr"] = 0.25;
  other["momentum"] = 0.5;
  other["params"] = List{1};
  other["param_names"] = List{"b"};
  const Dict state{{"1", Dict{{"momentum_buffer", tensor<float>({0.25f, 0.5f})}}}};
  CHECK(optimizer.state_dict() == Dict{{"state", state}, {"param_groups", List{group, other}}});
  CHECK(keys_of(optimizer.state_dict().at("param_groups").as_list()[0].as_dict()) == keys_of(group));
}

TEST_CASE("an optimiser continues from a state dict bit for bit") {
  const Tensor a = first(), b = first();
  optim::SGD whole = with_momentum(a), start = with_momentum(b), rest({b}, {.lr = 3});
  run(whole, {a}, 0, 5);
  run(start, {b}, 0, 2);
  const Dict state = start.state_dict();
  rest.load_state_dict(state);
  CHECK(rest.options().lr == 0.1);
  run(rest, {b}, 2, 5);
  CHECK(same_bits(a.detach(), b.detach()));
  const Tensor kept = state.at("state").as_dict().at("0").as_dict().at("momentum_buffer").as_tensor();
  CHECK_FALSE(kept.shares_memory_with(
      rest.state_dict().at("state").as_dict().at("0").as_dict().at("momentum_buffer").as_tensor()));
}

TEST_CASE("parameters with names are matched by name") {
  const Tensor a = first(), b = second();
  optim::SGD saved(NamedTensors{{"a", a}, {"b", b}}, {.lr = 0.1, .momentum = 0.9});
  run(saved, {a, b});
  optim::SGD loaded(NamedTensors{{"b", second()}, {"a", first()}}, {.lr = 0.1});
  loaded.load_state_dict(saved.state_dict());
  const Dict was = saved.state_dict().at("state").as_dict(), is = loaded.state_dict().at("state").as_dict();
  CHECK(was.at("0") == is.at("1"));
  CHECK(was.at("1") == is.at("0"));
  optim::SGD other(NamedTensors{{"b", second()}, {"c", first()}});
  check_refused(other, saved.state_dict(),
                "SGD: loaded state dict contains parameter \"a\" in group 0, which the optimizer does not have there");
}

TEST_CASE("dicts that do not fit are refused and change nothing") {
  const Tensor a = first(), b = second();
  optim::SGD optimizer({{.params = {a}}, {.params = NamedTensors{{"b", b}}, .options = {.momentum = 0.5}}});
  run(optimizer, {a, b}, 0, 1);
  const auto changed = [&](auto&& change) {
    Dict state = optimizer.state_dict();
    change(state);
    return state;
  };
  const auto buffer_of = [](Dict& state) -> Value& {
    return state.at("state").as_dict().at("1").as_dict().at("momentum_buffer");
  };
  check_refused(optimizer, changed([](Dict& s) { s.at("param_groups").as_list().pop_back(); }),
                "SGD: loaded state dict has a different number of parameter groups: expected 2, got 1");
  check_refused(optimizer, changed([](Dict& s) {
                  group_of(s, 0)["params"] = List{0, 7};
                }),
                "SGD: loaded state dict contains a parameter group that doesn't match the size of optimizer's group: "
                "expected 1 parameters in group 0, got 2");
  check_refused(optimizer, changed([](Dict& s) { group_of(s, 1)["params"] = List{0}; }),
                "SGD: loaded state dict lists parameter 0 twice");
  check_refused(optimizer, changed([](Dict& s) { group_of(s, 1)["params"] = List{5}; }),
                "SGD: loaded state dict contains the state of 1 parameters that no parameter group lists");
  check_refused(optimizer, changed([&](Dict& s) { buffer_of(s) = ones({3}); }),
                "SGD: size mismatch for momentum_buffer of parameter 1 (\"b\"): copying a tensor with shape [3] from "
                "checkpoint, the shape of the parameter is [2]");
  check_refused(optimizer, changed([&](Dict& s) {
                  buffer_of(s) = tensor<float>({1, INFINITY});
                }),
                "SGD: momentum_buffer of parameter 1 (\"b\") is not finite");
  check_refused(optimizer, changed([](Dict& s) { s.at("state").as_dict().at("1").as_dict()["exp_avg"] = ones({2}); }),
                "SGD: loaded state dict contains \"exp_avg\" for parameter 1 (\"b\"), which SGD does not know");
  check_refused(optimizer, changed([](Dict& s) { group_of(s, 1)["lr"] = -1; }),
                "SGD: loaded state dict is not valid: SGD: expected lr >= 0 and finite, got -1");
  for (const char* key : {"state", "param_groups"}) {
    const std::string text =
        error_of<StateDictError>([&] { optimizer.load_state_dict(changed([&](Dict& s) { s.erase(key); })); });
    CHECK(text.starts_with("SGD: loaded state dict is not valid: "));
  }
}

TEST_CASE("dicts of newer PyTorch and absent buffers are understood") {
  const Tensor a = first();
  optim::SGD optimizer = with_momentum(a);
  run(optimizer, {a}, 0, 1);
  Dict state = optimizer.state_dict();
  state.at("state").as_dict().at("0").as_dict()["momentum_buffer"] = nullptr;
  group_of(state, 0)["fused"] = nullptr;
  group_of(state, 0)["initial_lr"] = 0.1;
  group_of(state, 0).erase("maximize");
  group_of(state, 0)["momentum"] = 0;  // Python's int
  optimizer.load_state_dict(state);
  CHECK(optimizer.state_dict().at("state").as_dict().empty());
  CHECK(optimizer.options().momentum == 0);
}

TEST_CASE("options are validated") {
  const Tensor a = first();
  const auto refused = [&](const optim::SGDOptions& options) {
    return error_of<ValueError>([&] { optim::SGD({a}, options); });
  };
  CHECK(refused({.lr = -1}) == "SGD: expected lr >= 0 and finite, got -1");
  CHECK(refused({.lr = NAN}) == "SGD: expected lr >= 0 and finite, got nan");
  CHECK(refused({.momentum = -0.5}) == "SGD: expected momentum >= 0 and finite, got -0.5");
  CHECK(refused({.weight_decay = INFINITY}) == "SGD: expected weight_decay >= 0 and finite, got inf");
  CHECK(refused({.nesterov = true}) ==
        "SGD: expected momentum > 0 and dampening 0 with nesterov, got momentum 0.0 and dampening 0.0");
  optim::SGD optimizer({a}, {.lr = 1});
  optimizer.set_lr(0.5);
  CHECK(optimizer.options().lr == 0.5);
  CHECK(error_of<ValueError>([&] { optimizer.set_options({.lr = -2}); }) == "SGD: expected lr >= 0 and finite, got -2");
}

TEST_CASE("parameters are validated") {
  const Tensor a = first(), b = second();
  const auto refused = [](std::vector<optim::SGDGroup> groups) {
    return error_of<ValueError>([&] { optim::SGD(std::move(groups)); });
  };
  CHECK(refused({}) == "SGD: optimizer got an empty parameter list");
  CHECK(refused({{.params = {}}}) == "SGD: optimizer got an empty parameter list");
  CHECK(refused({{.params = {a, a}}}) == "SGD: optimizer contains a parameter group with duplicate parameters");
  CHECK(refused({{.params = {a, b}}, {.params = {b}}}) ==
        "SGD: some parameters appear in more than one parameter group");
  CHECK(refused({{.params = {a * 2}}}) == "SGD: can't optimize a non-leaf Tensor");
  CHECK(refused({{.params = NamedTensors{{"x", a}, {"x", b}}}}) ==
        "SGD: expected a name of its own for each parameter, got 1 names for 2 parameters");
  CHECK_THROWS_AS(optim::SGD({Tensor()}, {}), TypeError);
  CHECK_THROWS_AS(optim::SGD({arange(3)}, {}), TypeError);
}

TEST_CASE("a step counts as a change in place") {
  const Tensor p = first();
  optim::SGD optimizer({p}, {.lr = 0.1});
  const Tensor loss = (p * p).sum();
  p.set_grad(ones({3}));
  optimizer.step();
  CHECK_THROWS_AS(loss.backward(), Error);
}

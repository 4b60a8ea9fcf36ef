// SPDX-License-Identifier: MIT

// Adam, AdamW, RMSprop and Adagrad.

#include <algorithm>
#include <cmath>

#include "golden/optim_golden.h"
#include "nn/optim/optim_test.h"
#include "support/threads_guard.h"

using namespace teff;
using namespace teff::nn_testing;

namespace {

/// An optimiser, the variants of make_optim_golden.py and what PyTorch computed.
struct AdamCase {
  using Optimizer = optim::Adam;
  using Options = optim::AdamOptions;
  static constexpr const char* kName = "Adam";
  static inline const std::vector<Options> kVariants{
      {},
      {.lr = 0.1, .betas = {0.5, 0.75}},
      {.lr = 0.1, .eps = 0.5, .weight_decay = 0.25},
      {.lr = 0.1, .betas = {0.8, 0.6}, .amsgrad = true},
      {.lr = 0.1, .weight_decay = 0.125, .amsgrad = true, .maximize = true},
  };
  static inline const std::vector<double>&kEnd = golden::kAdam, &kHalf = golden::kAdamHalf,
                      &kState = golden::kAdamState;
  static inline const std::vector<std::string>&kStateKeys = golden::kAdamStateKeys,
                      &kGroupKeys = golden::kAdamGroupKeys;
};

struct AdamWCase {
  using Optimizer = optim::AdamW;
  using Options = optim::AdamWOptions;
  static constexpr const char* kName = "AdamW";
  static inline const std::vector<Options> kVariants{
      {},
      {.lr = 0.1, .betas = {0.5, 0.75}, .weight_decay = 0.5},
      {.lr = 0.1, .eps = 0.5, .weight_decay = 0},
      {.lr = 0.1, .betas = {0.8, 0.6}, .amsgrad = true},
      {.lr = 0.1, .weight_decay = 0.125, .amsgrad = true, .maximize = true},
  };
  static inline const std::vector<double>&kEnd = golden::kAdamW, &kHalf = golden::kAdamWHalf,
                      &kState = golden::kAdamWState;
  static inline const std::vector<std::string>&kStateKeys = golden::kAdamWStateKeys,
                      &kGroupKeys = golden::kAdamWGroupKeys;
};

struct RMSpropCase {
  using Optimizer = optim::RMSprop;
  using Options = optim::RMSpropOptions;
  static constexpr const char* kName = "RMSprop";
  static inline const std::vector<Options> kVariants{
      {},
      {.lr = 0.1, .alpha = 0.5, .eps = 0.25},
      {.lr = 0.1, .momentum = 0.9},
      {.lr = 0.1, .weight_decay = 0.25, .centered = true},
      {.lr = 0.01, .alpha = 0.75, .momentum = 0.5, .centered = true, .maximize = true},
  };
  static inline const std::vector<double>&kEnd = golden::kRMSprop, &kHalf = golden::kRMSpropHalf,
                      &kState = golden::kRMSpropState;
  static inline const std::vector<std::string>&kStateKeys = golden::kRMSpropStateKeys,
                      &kGroupKeys = golden::kRMSpropGroupKeys;
};

struct AdagradCase {
  using Optimizer = optim::Adagrad;
  using Options = optim::AdagradOptions;
  static constexpr const char* kName = "Adagrad";
  static inline const std::vector<Options> kVariants{
      {},
      {.lr = 0.1, .lr_decay = 0.5},
      {.lr = 0.1, .weight_decay = 0.25, .initial_accumulator_value = 0.75},
      {.lr = 0.5, .eps = 0.5, .maximize = true},
  };
  static inline const std::vector<double>&kEnd = golden::kAdagrad, &kHalf = golden::kAdagradHalf,
                      &kState = golden::kAdagradState;
  static inline const std::vector<std::string>&kStateKeys = golden::kAdagradStateKeys,
                      &kGroupKeys = golden::kAdagradGroupKeys;
};

#define ALL_CASES AdamCase, AdamWCase, RMSpropCase, AdagradCase

Tensor to_tensor(const std::vector<double>& values, std::size_t from, std::size_t count) {
  const std::vector<double> part(values.begin() + static_cast<std::ptrdiff_t>(from),
                                 values.begin() + static_cast<std::ptrdiff_t>(from + count));
  return tensor(part).to(DType::float32);
}

/// The state that PyTorch had after half of the steps.
template <class Case>
Dict golden_state() {
  Dict state;
  std::size_t next = 0;
  for (const std::string& key : Case::kStateKeys) {
    if (key == "step") {
      state.insert(key, Case::kName == std::string("RMSprop") ? Value(kSteps / 2) : Value(full({}, kSteps / 2)));
    } else {
      state.insert(key, to_tensor(Case::kState, next, 5));
      next += 5;
    }
  }
  return state;
}

}  // namespace

TEST_CASE_TEMPLATE("an optimiser computes PyTorch's numbers with every option", Case, ALL_CASES) {
  std::vector<Tensor> rows, doubles;
  for (const auto& options : Case::kVariants) {
    const Tensor p = five(), q = five().detach().to(DType::float64);
    q.requires_grad_();
    typename Case::Optimizer optimizer({p, q}, options);
    run(optimizer, {p, q});
    rows.push_back(p.detach());
    doubles.push_back(q.detach());
  }
  check_values(stack(rows), Case::kEnd);
  check_values(stack(doubles), Case::kEnd, 1e-4);
}

TEST_CASE_TEMPLATE("the state dict is PyTorch's, and PyTorch's is continued", Case, ALL_CASES) {
  const Tensor p = to_tensor(Case::kHalf, 0, 5), q = five();
  p.requires_grad_();
  typename Case::Optimizer own({q}, Case::kVariants.back()), optimizer({p}, Case::kVariants.back());
  run(own, {q}, 0, kSteps / 2);
  Dict state = own.state_dict();
  CHECK(keys_of(state_of(state, "0")) == Case::kStateKeys);
  std::vector<std::string> group_keys = keys_of(group_of(state, 0));
  std::sort(group_keys.begin(), group_keys.end());
  CHECK(group_keys == Case::kGroupKeys);
  CHECK(state_of(state, "0").at("step") == golden_state<Case>().at("step"));

  state_of(state, "0") = golden_state<Case>();
  optimizer.load_state_dict(state);
  run(optimizer, {p}, kSteps / 2);
  const std::size_t last = Case::kEnd.size() - 5;
  check_values(p, {Case::kEnd.begin() + static_cast<std::ptrdiff_t>(last), Case::kEnd.end()});
}

TEST_CASE_TEMPLATE("an optimiser continues from its state dict bit for bit", Case, ALL_CASES) {
  const Tensor a = five(), b = five();
  typename Case::Optimizer whole({a}, Case::kVariants.back()), start({b}, Case::kVariants.back()), rest({b});
  run(whole, {a});
  run(start, {b}, 0, 5);
  rest.load_state_dict(start.state_dict());
  run(rest, {b}, 5);
  CHECK(same_bits(a.detach(), b.detach()));
  CHECK(whole.state_dict() == rest.state_dict());
}

TEST_CASE_TEMPLATE("groups have options and counts of their own", Case, ALL_CASES) {
  const Tensor a = five(), b = five(), alone_a = five(), alone_b = five();
  const auto slow = Case::kVariants.front(), fast = Case::kVariants.back();
  typename Case::Optimizer both({{.params = {a}, .options = slow}, {.params = {b}, .options = fast}});
  typename Case::Optimizer first({alone_a}, slow), second({alone_b}, fast);
  run(both, {a, b}, 0, 3);
  a.set_grad({});
  b.set_grad(ones({5}));
  both.step();  // a is left alone, and its step is not counted
  run(both, {a, b}, 4, 6);
  run(first, {alone_a}, 0, 3);
  run(first, {alone_a}, 4, 6);
  run(second, {alone_b}, 0, 3);
  alone_b.set_grad(ones({5}));
  second.step();
  run(second, {alone_b}, 4, 6);
  CHECK(same_bits(a.detach(), alone_a.detach()));
  CHECK(same_bits(b.detach(), alone_b.detach()));
}

TEST_CASE_TEMPLATE("state that is not whole, or not a state, is refused", Case, ALL_CASES) {
  const Tensor p = five();
  typename Case::Optimizer optimizer({p}, Case::kVariants.back());
  run(optimizer, {p}, 0, 2);
  const std::string name = Case::kName, slot = Case::kStateKeys[1];
  const std::string square = name.starts_with("Adam") ? "exp_avg_sq" : slot;
  const auto changed = [&](auto&& change) {
    Dict state = optimizer.state_dict();
    change(state_of(state, "0"));
    return state;
  };
  check_refused(optimizer, changed([&](Dict& s) { s.erase("step"); }),
                name + ": loaded state dict lacks \"step\" for parameter 0");
  check_refused(optimizer, changed([&](Dict& s) { s.erase(slot); }),
                name + ": loaded state dict lacks \"" + slot + "\" for parameter 0");
  for (const Value& bad : {Value(-1), Value(1.5), Value(INFINITY), Value(ones({2})), Value(full({}, 0.5))}) {
    check_refused(optimizer, changed([&](Dict& s) { s["step"] = bad; }), name + ": step of parameter 0 is not a count");
  }
  check_refused(optimizer, changed([&](Dict& s) { s[square] = full({5}, -1); }),
                name + ": " + square + " of parameter 0 is negative");
  check_refused(optimizer, changed([&](Dict& s) { s[slot] = zeros({4}); }),
                name + ": size mismatch for " + slot +
                    " of parameter 0: copying a tensor with shape [4] from checkpoint, the shape of the parameter is "
                    "[5]");
  check_refused(optimizer, changed([&](Dict& s) { s["momentum"] = zeros({5}); }),
                name + ": loaded state dict contains \"momentum\" for parameter 0, which " + name + " does not know");
}

TEST_CASE_TEMPLATE("a model of the same shapes and other names is refused", Case, ALL_CASES) {
  const Tensor a = five(), b = five();
  typename Case::Optimizer saved(NamedTensors{{"conv.weight", a}, {"fc.weight", b}});
  run(saved, {a, b}, 0, 2);
  typename Case::Optimizer other(NamedTensors{{"conv.weight", five()}, {"head.weight", five()}});
  check_refused(other, saved.state_dict(),
                std::string(Case::kName) +
                    ": loaded state dict contains parameter \"fc.weight\" in group 0, which the optimizer does not "
                    "have there");
}

TEST_CASE_TEMPLATE("options are validated", Case, ALL_CASES) {
  typename Case::Options options;
  options.lr = -1;
  const std::string name = Case::kName;
  CHECK(error_of<ValueError>([&] { typename Case::Optimizer({five()}, options); }) ==
        name + ": expected lr >= 0 and finite, got -1");
  typename Case::Optimizer optimizer({five()});
  options.lr = 1;
  options.eps = NAN;
  CHECK(error_of<ValueError>([&] { optimizer.set_options(options); }) ==
        name + ": expected eps >= 0 and finite, got nan");
  options.eps = 0;
  options.weight_decay = -0.5;
  CHECK(error_of<ValueError>([&] { optimizer.set_options(options); }) ==
        name + ": expected weight_decay >= 0 and finite, got -0.5");
  CHECK(error_of<ValueError>([&] { optimizer.set_lr(INFINITY); }) == name + ": expected lr >= 0 and finite, got inf");
}

TEST_CASE("betas lie in [0, 1)") {
  CHECK(error_of<ValueError>([] {
          optim::Adam({five()}, {.betas = {1, 0.5}});
        }) == "Adam: expected betas[0] in [0, 1), got 1");
  CHECK(error_of<ValueError>([] {
          optim::AdamW({five()}, {.betas = {0.5, -0.1}});
        }) == "AdamW: expected betas[1] in [0, 1), got -0.1");
  optim::Adam optimizer({five()});
  CHECK(optimizer.momentum() == 0.9);
  optimizer.set_momentum(0.25, 0);
  CHECK(optimizer.options().betas[0] == 0.25);
  CHECK(optim::Adagrad({five()}).momentum() == std::nullopt);
}

TEST_CASE("Adam and AdamW are told apart where the dict tells") {
  optim::Adam adam({five()});
  optim::AdamW adamw({five()});
  Dict state = adam.state_dict();
  group_of(state, 0)["decoupled_weight_decay"] = true;
  adamw.load_state_dict(state);
  check_refused(adam, state,
                "Adam: loaded state dict is not valid: Adam: expected the state of an optimizer with the same weight "
                "decay, got AdamW's");
  group_of(state, 0)["decoupled_weight_decay"] = false;
  adam.load_state_dict(state);
  CHECK_THROWS_AS(adamw.load_state_dict(state), StateDictError);
}

TEST_CASE("a count beyond the integers of float32 is kept") {
  const Tensor p = five();
  optim::Adagrad optimizer({p}, {.lr_decay = 1e-9});
  Dict state = optimizer.state_dict();
  state_of(state, "0")["step"] = std::int64_t{1} << 24;
  optimizer.load_state_dict(state);
  run(optimizer, {p}, 0, 1);
  state = optimizer.state_dict();
  CHECK(state_of(state, "0").at("step").as_tensor().item<double>() == (1 << 24) + 1);
  optimizer.load_state_dict(state);
  CHECK(optimizer.state_dict() == state);
}

TEST_CASE_TEMPLATE("any number of threads gives the same bits", Case, ALL_CASES) {
  std::vector<Tensor> results;
  for (const int threads : {1, 2, 5}) {
    const testing::ThreadsGuard guard(threads);
    const Tensor p = ones({100003});
    p.requires_grad_();
    typename Case::Optimizer optimizer({p}, Case::kVariants.back());
    run(optimizer, {p}, 0, 3);
    results.push_back(p.detach());
  }
  CHECK(same_bits(results[0], results[1]));
  CHECK(same_bits(results[0], results[2]));
}

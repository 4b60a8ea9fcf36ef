// SPDX-License-Identifier: MIT

// autograd::grad, hooks of tensors, retain_grad and what goes with them.

#include <doctest/doctest.h>

#include <limits>

#include "engine/ops/op_test.h"
#include "support/error_of.h"
#include "teff/engine/autograd.h"
#include "teff/engine/error.h"
#include "teff/engine/op.h"
#include "teff/engine/ops.h"

using namespace teff;
using namespace teff::testing;

namespace {

/// y = x; counts the calls of backward.
class CountedIdentity : public OpWith<CountedIdentity> {
 public:
  static constexpr std::string_view kName = "counted_identity";
  static inline int calls = 0;
  TensorType output_type(std::span<const TensorType> inputs) const override { return inputs[0]; }
  Tensor forward(const ForwardContext& context) const override { return context.inputs[0].clone(); }
  TensorList backward(const BackwardContext& context) const override {
    ++calls;
    return {context.grad};
  }
};

Tensor counted(const Tensor& x) { return teff::apply(CountedIdentity(), {x}); }

}  // namespace

TEST_SUITE("grad") {
  TEST_CASE("grad gives the derivatives by leaves and by results on the way, and touches no grad()") {
    const Tensor a = leaf({1, 2}, {2}), b = leaf({3, 4}, {2});
    const Tensor c = a * b, d = c * c;
    const std::vector<Tensor> grads = autograd::grad({d.sum()}, {b, c, a, c});
    CHECK(show(grads[0]) == "float32 [2]: 6 32");
    CHECK(show(grads[1]) == "float32 [2]: 6 16");
    CHECK(show(grads[2]) == "float32 [2]: 18 64");
    CHECK(show(grads[3]) == show(grads[1]));
    for (const Tensor& tensor : {a, b, c}) CHECK_FALSE(tensor.grad().defined());
  }

  TEST_CASE("grad of several outputs is the sum, each by its own gradient") {
    const Tensor x = leaf({1, 2}, {2});
    const Tensor y = x * 2.0, z = x * x;
    CHECK(show(autograd::grad({y, z}, {x}, {.grad_outputs = {tensor({1.0F, 10.0F}), tensor({1.0F, 1.0F})}})[0]) ==
          "float32 [2]: 4 24");
    CHECK(show(autograd::grad({x.sum(), (x * x).sum()}, {x})[0]) == "float32 [2]: 3 5");
  }

  TEST_CASE("an output is its own derivative, a leaf too") {
    const Tensor x = leaf({2}, {1});
    const Tensor y = x * 3.0;
    CHECK(show(autograd::grad({y}, {y}, {.grad_outputs = {tensor({5.0F})}})[0]) == "float32 [1]: 5");
    CHECK(show(autograd::grad({x}, {x})[0]) == "float32 [1]: 1");
  }

  TEST_CASE("grad computes only what lies between outputs and inputs") {
    const Tensor a = leaf({1, 2}, {2}), b = leaf({3, 4}, {2});
    const Tensor left = counted(a), right = counted(counted(b));
    const Tensor loss = (left * right).sum();
    CountedIdentity::calls = 0;
    CHECK(show(autograd::grad({loss}, {a}, {.retain_graph = true})[0]) == "float32 [2]: 3 4");
    CHECK(CountedIdentity::calls == 1);
    CHECK(show(autograd::grad({loss}, {right})[0]) == "float32 [2]: 1 2");
    CHECK(CountedIdentity::calls == 1);
  }

  TEST_CASE("gradients that grad gives are the caller's own") {
    const Tensor a = leaf({1, 2}, {2}), b = leaf({3, 4}, {2});
    const std::vector<Tensor> grads = autograd::grad({(a + b).sum()}, {a, b});
    grads[0].fill_(7.0);
    CHECK(show(grads[1]) == "float32 [2]: 1 1");
  }

  TEST_CASE("grad frees what backward needs unless it is told not to") {
    const Tensor x = leaf({1, 2}, {2});
    const Tensor loss = (x * x).sum();
    CHECK(autograd::grad({loss}, {x}, {.retain_graph = true}).size() == 1);
    CHECK(autograd::grad({loss}, {x}).size() == 1);
    CHECK(contains(error_of<Error>([&] { autograd::grad({loss}, {x}); }), "was freed by an earlier backward()"));
  }

  TEST_CASE("an input that nothing depends on is an error, or an undefined gradient") {
    const Tensor x = leaf({1, 2}, {2}), other = leaf({1}, {1});
    const Tensor loss = (x * x).sum();
    CHECK(
        error_of<Error>([&] {
          autograd::grad({loss}, {x, other}, {.retain_graph = true});
        }) ==
        "autograd::grad: expected outputs that depend on all inputs, got input 1, float32 [1], which none depends on; "
        "pass {.allow_unused = true} for an undefined gradient");
    const auto grads = autograd::grad({loss}, {other, x}, {.allow_unused = true});
    CHECK_FALSE(grads[0].defined());
    CHECK(grads[1].defined());
  }

  TEST_CASE("grad refuses what it cannot do") {
    const Tensor x = leaf({1, 2}, {2}), constant = tensor({1.0F, 2.0F});
    const Tensor y = x * 2.0;
    CHECK(error_of<ValueError>([&] { autograd::grad(std::span<const Tensor>(), std::span<const Tensor>(&x, 1)); }) ==
          "autograd::grad: expected at least 1 output, got none");
    CHECK(error_of<ValueError>([&] { autograd::grad({y}, std::span<const Tensor>()); }) ==
          "autograd::grad: expected at least 1 input, got none");
    CHECK(error_of<ValueError>([&] {
            autograd::grad({y}, {x}, {.grad_outputs = {y, y}});
          }) == "autograd::grad: expected a gradient for each of the 1 outputs, got 2");
    CHECK(error_of<ShapeError>([&] { autograd::grad({y}, {x}); }) ==
          "autograd::grad: expected a tensor of one element, or a gradient, got float32 [2]");
    CHECK(error_of<ShapeError>([&] { autograd::grad({y}, {x}, {.grad_outputs = {ones({3})}}); }) ==
          "autograd::grad: expected a gradient float32 [2], got float32 [3]");
    CHECK(error_of<Error>([&] { autograd::grad({y.sum()}, {constant}); }) ==
          "autograd::grad: expected inputs that require grad, got float32 [2] as input 0, which does not");
    CHECK(error_of<TypeError>([&] { autograd::grad({y.sum()}, {Tensor()}); }) ==
          "autograd::grad: expected defined inputs, got an undefined one");
    CHECK(contains(error_of<Error>([&] { autograd::grad({constant.sum()}, {x}); }),
                   "autograd::grad: expected a tensor that requires grad"));
  }

  TEST_CASE("backward to given inputs leaves other leaves alone, and reaches results on the way") {
    const Tensor a = leaf({1, 2}, {2}), b = leaf({3, 4}, {2});
    const Tensor c = a * b;
    autograd::backward({(c * c).sum()}, {.inputs = {a, c}});
    CHECK(show(a.grad()) == "float32 [2]: 18 64");
    CHECK(show(c.grad()) == "float32 [2]: 6 16");
    CHECK_FALSE(b.grad().defined());
  }

  TEST_CASE("retain_grad keeps the gradient of a result, added up over calls") {
    const Tensor x = leaf({1, 2}, {2});
    const Tensor y = x * 2.0;
    y.retain_grad();
    const Tensor loss = (y * y).sum();
    loss.backward({}, {.retain_graph = true});
    CHECK(show(y.grad()) == "float32 [2]: 4 8");
    CHECK(show(x.grad()) == "float32 [2]: 8 16");
    loss.backward();
    CHECK(show(y.grad()) == "float32 [2]: 8 16");
    CHECK_FALSE(loss.grad().defined());
  }

  TEST_CASE("retain_grad of a leaf does nothing, and of what has no gradient is an error") {
    const Tensor x = leaf({1, 2}, {2});
    x.retain_grad();
    (x * x).sum().backward();
    CHECK(show(x.grad()) == "float32 [2]: 2 4");
    CHECK(error_of<Error>([] { tensor({1.0F}).retain_grad(); }) ==
          "retain_grad: expected a tensor that requires grad, got one that does not");
  }

  TEST_CASE("a hook sees the whole gradient of a result once, and may replace it") {
    const Tensor x = leaf({1, 2}, {2});
    const Tensor y = x * 2.0;
    std::vector<std::string> seen;
    const HookGuard looks = y.register_hook([&](const Tensor& grad) {
      seen.push_back(show(grad));
      return Tensor();
    });
    const HookGuard halves = y.register_hook([](const Tensor& grad) { return grad * 0.5; });
    y.retain_grad();
    (y * y + y).sum().backward();
    CHECK(seen == std::vector<std::string>{"float32 [2]: 5 9"});
    CHECK(show(y.grad()) == "float32 [2]: 2.5 4.5");
    CHECK(show(x.grad()) == "float32 [2]: 5 9");
  }

  TEST_CASE("a hook sees the whole gradient of a leaf, in backward and in grad") {
    const Tensor x = leaf({1, 2}, {2});
    int calls = 0;
    const HookGuard clips = x.register_hook([&](const Tensor& grad) {
      ++calls;
      return clamp(grad, -5, 5);
    });
    const auto loss = [&] { return (x * x + x * 3.0).sum(); };
    loss().backward();
    CHECK(show(x.grad()) == "float32 [2]: 5 5");
    CHECK(show(autograd::grad({loss()}, {x})[0]) == "float32 [2]: 5 5");
    std::string complete;
    backward(loss(), [&](const Tensor& tensor) { complete = show(tensor.grad()); });
    CHECK(complete == "float32 [2]: 10 10");
    CHECK(calls == 3);
  }

  TEST_CASE("a hook goes with its guard, or stays if told to") {
    const Tensor x = leaf({1}, {1});
    int calls = 0;
    const auto count = [&](const Tensor&) {
      ++calls;
      return Tensor();
    };
    const auto run = [&] { (x * 2.0).sum().backward(); };
    {
      HookGuard first = x.register_hook(count);
      HookGuard second = x.register_hook(count);
      run();
      CHECK(calls == 2);
      first.remove();
      first.remove();
      first = std::move(second);
      run();
      CHECK(calls == 3);
    }
    run();
    CHECK(calls == 3);
    x.register_hook(count).keep();
    run();
    CHECK(calls == 4);
  }

  TEST_CASE("a hook may remove itself, and a guard may outlive its tensor") {
    HookGuard guard;
    int calls = 0;
    {
      const Tensor x = leaf({1}, {1});
      guard = x.register_hook([&](const Tensor&) {
        ++calls;
        guard.remove();
        return Tensor();
      });
      for (int i = 0; i < 2; ++i) (x * 2.0).sum().backward();
      guard = x.register_hook([](const Tensor&) { return Tensor(); });
    }
    CHECK(calls == 1);
    guard.remove();
  }

  TEST_CASE("hooks that do not fit are refused") {
    const Tensor x = leaf({1, 2}, {2});
    CHECK(error_of<TypeError>([&] { const HookGuard guard = x.register_hook({}); }) ==
          "register_hook: expected a function, got an empty one");
    const HookGuard wrong = x.register_hook([](const Tensor&) { return ones({3}); });
    CHECK(error_of<Error>([&] { (x * x).sum().backward(); }) ==
          "register_hook: expected a hook that returns a gradient float32 [2], got float32 [3]");
  }

  TEST_CASE("a hook that throws leaves a computation that can be gone back through again") {
    const Tensor x = leaf({1, 2}, {2});
    const Tensor y = x * 2.0;
    HookGuard fails = y.register_hook([](const Tensor&) -> Tensor { throw Error("no"); });
    const Tensor loss = (y * y).sum();
    CHECK(error_of<Error>([&] { loss.backward({}, {.retain_graph = true}); }) == "no");
    fails.remove();
    loss.backward();
    CHECK(show(x.grad()) == "float32 [2]: 8 16");
  }

  TEST_CASE("anomalies are found where they arise") {
    const Tensor x = leaf({0, 4}, {2});
    const auto run = [&] { (sqrt(x) * 0.0).sum().backward(); };
    run();
    x.set_grad({});
    const DetectAnomalyGuard guard;
    CHECK(error_of<Error>(run) ==
          "backward: expected no NaN (DetectAnomalyGuard), got one in the gradient of sqrt for its input 0, float32 "
          "[2]");
  }

  TEST_CASE("set_grad_enabled switches recording until it is switched back") {
    const Tensor x = leaf({1}, {1});
    set_grad_enabled(false);
    CHECK_FALSE((x * 2.0).requires_grad());
    set_grad_enabled(true);
    CHECK((x * 2.0).requires_grad());
  }
}

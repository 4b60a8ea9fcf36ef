// SPDX-License-Identifier: MIT
#include "teff/engine/checkpoint.h"

#include <doctest/doctest.h>

#include "support/error_of.h"
#include "support/same.h"
#include "teff/engine/allocator.h"
#include "teff/engine/autograd.h"
#include "teff/engine/error.h"
#include "teff/engine/ops.h"
#include "teff/engine/random.h"

using namespace teff;
using namespace teff::testing;

namespace {

struct Weights {
  Tensor a, b;
  Weights() {
    Generator generator(3);
    a = randn({16, 8}, generator, {.requires_grad = true});
    b = randn({8, 16}, generator, {.requires_grad = true});
  }
  Tensor block(const Tensor& x) const { return tanh(linear(dropout(relu(linear(x, a)), 0.5, true), b)) + x; }
};

Tensor input() {
  Generator generator(4);
  return randn({5, 8}, generator, {.requires_grad = true});
}

/// The gradients of a chain of blocks with respect to input and weights.
std::vector<Tensor> gradients(bool with_checkpoints) {
  const Weights w;
  const Tensor x = input();
  manual_seed(11);
  Tensor y = x;
  for (int i = 0; i < 4; ++i) {
    const auto block = [&w](const Tensor& value) { return w.block(value); };
    y = with_checkpoints ? checkpoint(block, y) : block(y);
  }
  (y * y).sum().backward();
  return {x.grad(), w.a.grad(), w.b.grad(), rand({3})};
}

}  // namespace

TEST_SUITE("checkpoint") {
  TEST_CASE("gradients are those without, bit by bit, and so are the random numbers that follow") {
    const std::vector<Tensor> expected = gradients(false), actual = gradients(true);
    for (std::size_t i = 0; i < expected.size(); ++i) CHECK(same(actual[i], expected[i]));
  }

  TEST_CASE("autograd::grad and second derivatives go through it") {
    const auto second = [](bool with_checkpoint) {
      const Tensor x = input();
      const auto f = [](const Tensor& value) { return exp(tanh(value) * value); };
      const Tensor y = with_checkpoint ? checkpoint(f, x) : f(x);
      const Tensor g = autograd::grad({y.sum()}, {x}, {.create_graph = true})[0];
      return autograd::grad({(g * g).sum()}, {x})[0];
    };
    CHECK(same(second(true), second(false)));
  }

  TEST_CASE("between forward and backward only inputs are in memory") {
    const auto held = [](bool with_checkpoint) {
      const Tensor x = zeros({64, 256}).requires_grad_();
      const auto f = [](const Tensor& value) {
        Tensor y = value;
        for (int i = 0; i < 10; ++i) y = sigmoid(y * 1.5);
        return y;
      };
      const std::size_t before = memory_stats().bytes_in_use;
      const Tensor y = with_checkpoint ? checkpoint(f, x) : f(x);
      const std::size_t after = memory_stats().bytes_in_use;
      y.sum().backward();
      CHECK(x.grad().defined());
      return after - before;
    };
    const std::size_t tensor = 64 * 256 * sizeof(float);
    CHECK(held(true) < 2 * tensor);
    CHECK(held(false) > 9 * tensor);
  }

  TEST_CASE("running statistics move once, as without") {
    const auto statistics = [](bool with_checkpoint) {
      const Tensor mean = zeros({8}), variance = ones({8}), x = input();
      const auto f = [&](const Tensor& value) {
        return relu(batch_norm(value, mean, variance, {}, {}, {.training = true}));
      };
      const Tensor y = with_checkpoint ? checkpoint(f, x) : f(x);
      (y * y).sum().backward();
      return std::vector<Tensor>{mean, variance, x.grad()};
    };
    const auto expected = statistics(false), actual = statistics(true);
    for (std::size_t i = 0; i < 3; ++i) CHECK(same(actual[i], expected[i]));
  }

  TEST_CASE("it can be gone back through twice with retain_graph, and once without") {
    const Tensor x = input();
    const Tensor loss = checkpoint([](const Tensor& value) { return value * value; }, x).sum();
    loss.backward({}, {.retain_graph = true});
    loss.backward();
    CHECK(same(x.grad(), x.detach() * 4.0));
    CHECK(contains(error_of<Error>([&] { loss.backward(); }), "was freed by an earlier backward()"));
  }

  TEST_CASE("several inputs and results, one of which is an input") {
    const Tensor x = input(), y = input();
    const auto f = [](std::span<const Tensor> in) { return std::vector<Tensor>{in[0] * in[1], in[0], exp(in[1])}; };
    const std::vector<Tensor> inputs{x, y}, outputs = checkpoint(f, inputs);
    REQUIRE(outputs.size() == 3);
    CHECK(outputs[1].is(x));
    const std::vector<Tensor> expected = autograd::grad({(x * y).sum() + exp(y).sum()}, {x, y});
    const std::vector<Tensor> actual = autograd::grad({outputs[0].sum() + outputs[2].sum()}, {x, y});
    CHECK(same(actual[0], expected[0]));
    CHECK(same(actual[1], expected[1]));
  }

  TEST_CASE("a checkpoint in a checkpoint is part of it") {
    const Tensor x = input();
    const auto inner = [](const Tensor& value) { return tanh(value * value); };
    const Tensor y = checkpoint([&](const Tensor& value) { return checkpoint(inner, value) * value; }, x);
    const Tensor plain = inner(x) * x;
    CHECK(same(autograd::grad({y.sum()}, {x})[0], autograd::grad({plain.sum()}, {x})[0]));
  }

  TEST_CASE("without recording it is a call") {
    const NoGradGuard no_grad;
    int calls = 0;
    const Tensor y = checkpoint(
        [&](const Tensor& value) {
          ++calls;
          return value * 2.0;
        },
        ones({2}));
    CHECK_FALSE(y.requires_grad());
    CHECK(calls == 1);
  }

  TEST_CASE("what changes in between is found") {
    const Tensor x = input(), weight = ones({8}).requires_grad_(), constant = ones({8});
    const auto loss = [&] {
      return checkpoint([&](const Tensor& value) { return tanh(value * weight) * constant; }, x).sum();
    };
    for (const Tensor& tensor : {x, weight, constant}) {
      const Tensor y = loss();
      {
        const NoGradGuard no_grad;
        tensor.mul_(1.0);
      }
      CHECK(
          contains(error_of<Error>([&] { y.backward(); }),
                   "backward: expected what a checkpoint's function uses to be unchanged since forward, but float32 "));
    }
  }

  TEST_CASE("a function that does something else the second time is found") {
    int calls = 0;
    const auto f = [&](const Tensor& value) { return ++calls == 1 ? exp(value * value) : tanh(value * value); };
    const Tensor y = checkpoint(f, input()).sum();
    CHECK(
        error_of<Error>([&] { y.backward(); }) ==
        "backward: expected a checkpoint's function to do the same when backward runs it again, got other operations");
  }

  TEST_CASE("what a function throws the second time comes out of backward, and modes are as before") {
    int calls = 0;
    const Tensor y = checkpoint(
                         [&](const Tensor& value) {
                           if (++calls == 2) throw Error("no");
                           return value * value;
                         },
                         input())
                         .sum();
    CHECK(error_of<Error>([&] { y.backward({}, {.retain_graph = true}); }) == "no");
    CHECK_FALSE(is_recomputing());
    y.backward();
  }

  TEST_CASE("an empty function or an undefined input is refused") {
    CHECK(error_of<TypeError>([] { checkpoint(std::function<Tensor(const Tensor&)>(), ones({1})); }) ==
          "checkpoint: expected a function, got an empty one");
    CHECK(error_of<TypeError>([] { checkpoint([](const Tensor& x) { return x; }, Tensor()); }) ==
          "checkpoint: expected defined inputs, got an undefined one");
  }
}

// SPDX-License-Identifier: MIT
#include "teff/engine/autograd.h"

#include <doctest/doctest.h>

#include <thread>

#include "support/error_of.h"
#include "teff/engine/error.h"
#include "teff/engine/op.h"
#include "teff/engine/ops.h"
#include "teff/engine/optim_steps.h"
#include "teff/engine/random.h"
#include "teff/engine/tensor_impl.h"
#include "teff/engine/testing.h"

using namespace teff;

namespace {

Tensor leaf(std::initializer_list<float> values) { return tensor<float>(values).requires_grad_(); }

void check_grad(const Tensor& x, std::initializer_list<float> expected) {
  REQUIRE(x.grad().defined());
  CHECK_NOTHROW(assert_close(x.grad(), tensor(expected), {0, 0}));
}

/// y = a + b; remembers which gradients it was asked for.
class Spy : public OpWith<Spy> {
 public:
  static constexpr std::string_view kName = "spy";
  static inline std::vector<bool> wanted;
  static inline int calls = 0;

  TensorType output_type(std::span<const TensorType> inputs) const override { return inputs[0]; }
  Tensor forward(const ForwardContext& context) const override { return context.inputs[0] + context.inputs[1]; }
  TensorList backward(const BackwardContext& context) const override {
    wanted.assign(context.wanted.begin(), context.wanted.end());
    ++calls;
    return {context.grad, context.grad};
  }
};

struct WrongOptions {
  std::int64_t count = 1;
  std::int64_t size = 1;
  static void fields(auto& self, auto&& field) {
    field("count", self.count);
    field("size", self.size);
  }
};

/// y = x, with a backward that returns `count` gradients of `size` elements.
class WrongBackward : public OpWith<WrongBackward, WrongOptions> {
 public:
  static constexpr std::string_view kName = "wrong";
  using OpWith::OpWith;
  TensorType output_type(std::span<const TensorType> inputs) const override { return inputs[0]; }
  Tensor forward(const ForwardContext& context) const override { return context.inputs[0].clone(); }
  TensorList backward(const BackwardContext&) const override {
    return TensorList(static_cast<std::size_t>(options_.count), ones({options_.size}));
  }
};

/// A forward that does not return what output_type promised.
class WrongForward : public OpWith<WrongForward> {
 public:
  static constexpr std::string_view kName = "wrong_forward";
  TensorType output_type(std::span<const TensorType>) const override { return {{3}, DType::float32}; }
  Tensor forward(const ForwardContext&) const override { return zeros({2}); }
  TensorList backward(const BackwardContext&) const override { return {{}}; }
};

/// A forward that returns a tensor which is somebody else's.
class Borrower : public Op {
 public:
  enum class What { input, second_input, saved, kept, recorded, asks_for_gradient, nothing };
  explicit Borrower(What what, Tensor kept = {}) : what_(what), kept_(std::move(kept)) {}

  std::string_view name() const override { return "borrower"; }
  Dict attributes() const override { return {}; }
  TensorType output_type(std::span<const TensorType> inputs) const override { return inputs[0]; }
  Tensor forward(const ForwardContext& context) const override {
    switch (what_) {
      case What::input:
        return context.inputs[0];
      case What::second_input:
        return context.inputs[1];
      case What::saved:
        if (!context.recording()) return context.inputs[0].clone();
        context.saved->push_back(context.inputs[0].clone());
        return context.saved->back();
      case What::kept:
        return kept_;
      case What::recorded: {
        const GradModeGuard record(true);
        return zeros({2}).requires_grad_() * 1.0;
      }
      case What::asks_for_gradient:
        return zeros({2}).requires_grad_();
      case What::nothing:
        break;
    }
    return {};
  }
  TensorList backward(const BackwardContext& context) const override { return TensorList(context.inputs.size()); }
  std::shared_ptr<const Op> share() const override { return std::make_shared<Borrower>(what_, kept_); }

 private:
  What what_;
  Tensor kept_;
};

std::uint32_t version(const Tensor& tensor) { return tensor.impl()->storage->version; }

}  // namespace

TEST_SUITE("autograd") {
  TEST_CASE("backward adds the derivative to the leaves that require grad, and to no others") {
    const Tensor x = leaf({1, 2}), w = leaf({3, 4}), constant = tensor<float>({5, 6});
    sum(x * w * constant).backward();
    check_grad(x, {15, 24});
    check_grad(w, {5, 12});
    CHECK_FALSE(constant.grad().defined());
  }

  TEST_CASE("gradients accumulate, in the tensor that the user may hold") {
    const Tensor x = leaf({1, 2});
    sum(x * 2.0).backward();
    const Tensor held = x.grad();
    sum(x * 3.0).backward();
    check_grad(x, {5, 5});
    CHECK(held.is(x.grad()));
  }

  TEST_CASE("a gradient does not share elements with the one that was passed in") {
    const Tensor x = leaf({1, 2});
    const Tensor gradient = ones({2});
    (x + 0.0).backward(gradient);
    x.backward(gradient);
    check_grad(x, {2, 2});
    CHECK_NOTHROW(assert_close(gradient, ones({2})));
  }

  TEST_CASE("two leaves that receive the same gradient get elements of their own") {
    const Tensor a = leaf({1}), b = leaf({2});
    (a + b).backward();
    CHECK_FALSE(a.grad().shares_memory_with(b.grad()));
    a.grad().fill_(7);
    check_grad(b, {1});
  }

  TEST_CASE("a diamond passes each node once, with the sum of what arrives") {
    const Tensor x = leaf({3});
    const Tensor y = x * x;
    const Tensor z = y * 2.0 + y * y;
    z.backward();
    check_grad(x, {2 * 2 * 3 + 4 * 27});
  }

  TEST_CASE("a tensor used twice by one operation gets both parts") {
    const Tensor x = leaf({3});
    (x + x).backward();
    check_grad(x, {2});
    const Tensor y = leaf({3});
    (y * y).backward();
    check_grad(y, {6});
  }

  TEST_CASE("a repeated doubling takes time in proportion to the nodes, not to the paths") {
    const Tensor x = leaf({1});
    Tensor y = x;
    for (int i = 0; i < 60; ++i) y = (y + y) * 0.5;
    y.backward();
    check_grad(x, {1});
  }

  TEST_CASE("broadcasting sums gradients") {
    const Tensor x = leaf({1, 2}), row = leaf({1});
    sum(x + row).backward();
    check_grad(row, {2});
  }

  TEST_CASE("backward without retain_graph frees the graph, and a second one says so") {
    const Tensor x = leaf({2});
    const Tensor y = x * x;
    y.backward();
    CHECK_THROWS_WITH_AS(
        y.backward(),
        "backward: expected a graph that was not used before, but what mul kept was freed by an earlier "
        "backward(); pass {.retain_graph = true} to that one",
        Error);
    check_grad(x, {4});
  }

  TEST_CASE("retain_graph allows a second backward") {
    const Tensor x = leaf({2});
    const Tensor y = x * x;
    y.backward({}, {.retain_graph = true});
    y.backward();
    check_grad(x, {8});
  }

  TEST_CASE("a graph that ends in a node of an earlier backward is an error, not a wrong gradient") {
    const Tensor x = leaf({2});
    const Tensor y = x * x;
    const Tensor z = y * 3.0;
    y.backward();
    CHECK_THROWS_AS(z.backward(), Error);
  }

  TEST_CASE("after an error in backward the graph can be used again") {
    const Tensor x = leaf({2}), y = leaf({3});
    const Tensor shared = x * y;
    const Tensor bad = teff::apply(WrongBackward({.size = 7}), {shared});
    CHECK_THROWS_AS(sum(bad + shared).backward({}, {.retain_graph = true}), Error);
    x.set_grad({});
    y.set_grad({});
    shared.backward();
    check_grad(x, {3});
  }

  TEST_CASE("backward tells of each leaf once, when its gradient is complete") {
    const Tensor a = leaf({1, 2}), b = leaf({3, 4}), shared = leaf({5, 6}), unused = leaf({1, 1});
    const Tensor first = (a * shared).exp() * unused.detach();
    std::vector<Tensor> told;
    backward((first * shared + b * b).sum(), [&](const Tensor& tensor) { told.push_back(tensor); });
    REQUIRE(told.size() == 3);
    CHECK(told[0].is(b));  // used last
    CHECK(told[1].is(a));
    CHECK(told[2].is(shared));  // has both of its parts
    const Tensor before = shared.grad().clone();
    int calls = 0;
    backward((shared * 2).sum(), [&](const Tensor& tensor) {
      ++calls;
      CHECK_NOTHROW(assert_close(tensor.grad(), before + 2, {0, 0}));
    });
    backward(leaf({1}), [&](const Tensor& tensor) {
      ++calls;
      check_grad(tensor, {1});
    });
    CHECK(calls == 2);
  }

  TEST_CASE("what is thrown when a leaf is told of comes out of backward") {
    const Tensor a = leaf({1, 2});
    const auto fail = [](const Tensor&) { throw ValueError("enough"); };
    CHECK_THROWS_WITH_AS(backward((a * 2).sum(), fail), "enough", ValueError);
    CHECK(a.grad().defined());
  }

  TEST_CASE("backward needs one element or a gradient of the tensor's type") {
    const Tensor y = leaf({1, 2}) * 2.0;
    CHECK_THROWS_WITH_AS(y.backward(), "backward: expected a tensor of one element, or a gradient, got float32 [2]",
                         ShapeError);
    CHECK_THROWS_WITH_AS(y.backward(ones({3})), "backward: expected a gradient float32 [2], got float32 [3]",
                         ShapeError);
    CHECK_THROWS_AS(y.backward(ones({2}, {.dtype = DType::float64})), Error);
  }

  TEST_CASE("backward of what was computed from no leaf is an error") {
    CHECK_THROWS_WITH_AS((ones({1}) * 2.0).backward(),
                         "backward: expected a tensor that requires grad, got one that was computed from none; see "
                         "requires_grad_() and NoGradGuard",
                         Error);
  }

  TEST_CASE("a saved tensor that was changed in place is an error, not a wrong gradient") {
    const Tensor x = leaf({2}), w = tensor<float>({3});
    const Tensor y = x * w;
    w.fill_(100);
    CHECK_THROWS_WITH_AS(y.backward(),
                         "backward: expected the tensors that mul needs to be unchanged since forward, but float32 [1] "
                         "was changed in place; change a clone() instead",
                         Error);
  }

  TEST_CASE("a saved result or a view of a saved tensor counts as the tensor") {
    const Tensor x = leaf({0.5});
    const Tensor y = exp(x);
    y.detach().fill_(9);
    CHECK_THROWS_AS(y.backward(), Error);
    const Tensor w = tensor<float>({3, 4}, {2, 1});
    const Tensor z = x * w[0];
    w.mul_(2.0);
    CHECK_THROWS_AS(z.backward(), Error);
  }

  TEST_CASE("a change in place of what backward does not need is allowed") {
    const Tensor x = leaf({2}), b = tensor<float>({3});
    const Tensor y = x + b;
    b.fill_(100);
    CHECK_NOTHROW(y.backward());
  }

  TEST_CASE("NoGradGuard stops recording in this thread, for its lifetime") {
    const Tensor x = leaf({2});
    {
      const NoGradGuard no_grad;
      CHECK_FALSE(is_grad_enabled());
      CHECK_FALSE((x * 2.0).requires_grad());
      {
        const GradModeGuard enabled(true);
        CHECK((x * 2.0).requires_grad());
      }
      CHECK_FALSE(is_grad_enabled());
      bool elsewhere = false;
      std::thread([&] { elsewhere = is_grad_enabled(); }).join();
      CHECK(elsewhere);
    }
    CHECK(is_grad_enabled());
    CHECK((x * 2.0).requires_grad());
  }

  TEST_CASE("detach cuts the graph") {
    const Tensor x = leaf({2});
    (x * (x * 3.0).detach()).backward();
    check_grad(x, {6});
  }

  TEST_CASE("conversion passes the gradient in the leaf's dtype") {
    const Tensor x = leaf({2});
    (x.to(DType::float64) * 3.0).backward();
    CHECK(x.grad().dtype() == DType::float32);
    check_grad(x, {3});
    CHECK_FALSE(x.to(DType::int64).requires_grad());
  }

  TEST_CASE("an operation is asked only for the gradients that somebody needs") {
    const Tensor x = leaf({1}), constant = tensor<float>({2});
    Spy::calls = 0;
    teff::apply(Spy(), {x, constant}).backward();
    CHECK(Spy::wanted == std::vector<bool>{true, false});
    teff::apply(Spy(), {constant, x * 2.0}).backward();
    CHECK(Spy::wanted == std::vector<bool>{false, true});
    CHECK(Spy::calls == 2);
    CHECK_FALSE(teff::apply(Spy(), {constant, constant}).requires_grad());
    CHECK_FALSE(constant.grad().defined());
  }

  TEST_CASE("a backward that returns wrong shapes or too few gradients is an error that names the operation") {
    const Tensor x = leaf({1});
    CHECK_THROWS_WITH_AS(teff::apply(WrongBackward({.size = 2}), {x}).backward(),
                         "wrong: expected backward to return a gradient float32 [1] for input 0, got float32 [2]",
                         Error);
    CHECK_THROWS_WITH_AS(teff::apply(WrongBackward({.count = 2}), {x}).backward(),
                         "wrong: expected backward to return 1 gradients, got 2", Error);
    CHECK_FALSE(x.grad().defined());
  }

  TEST_CASE("a forward that does not keep output_type's promise is an error") {
    CHECK_THROWS_WITH_AS(teff::apply(WrongForward(), {ones({1})}),
                         "wrong_forward: expected forward to return a new tensor float32 [3], as output_type said, got "
                         "float32 [2]",
                         Error);
  }

  TEST_CASE("a forward that returns a tensor of somebody else's is an error, recorded or not") {
    using What = Borrower::What;
    const std::string expected =
        "borrower: expected forward to return a new tensor float32 [2], as output_type said, got ";
    const std::string cure = "; return a clone() or, to share its elements, a detach() of it";
    for (const bool leaf_input : {true, false}) {
      const Tensor parent = leaf({1, 2}), x = leaf_input ? parent : parent * 2.0, y = zeros({2}), kept = zeros({2});
      const auto text_of = [&](What what) {
        return teff::testing::error_of<Error>([&] { teff::apply(Borrower(what, kept), {x, y}); });
      };
      CHECK(text_of(What::input) == expected + "its input 0" + cure);
      CHECK(text_of(What::second_input) == expected + "its input 1" + cure);
      CHECK(text_of(What::saved) == expected + "one that is held or recorded elsewhere" + cure);
      CHECK(text_of(What::kept) == expected + "one that is held or recorded elsewhere" + cure);
      CHECK(text_of(What::recorded) == expected + "one that is held or recorded elsewhere" + cure);
      CHECK(text_of(What::asks_for_gradient) == expected + "one that is held or recorded elsewhere" + cure);
      CHECK(text_of(What::nothing) == expected + "none");
      CHECK(x.is_leaf() == leaf_input);
      CHECK_FALSE(kept.requires_grad());
      const NoGradGuard no_grad;
      CHECK(text_of(What::input) == expected + "its input 0" + cure);
      CHECK(text_of(What::kept) == expected + "one that is held or recorded elsewhere" + cure);
    }
  }

  TEST_CASE("a call in place that fails changes neither values nor version: backward still works") {
    const Tensor w = leaf({3, 4}), x = tensor<float>({1, 2});
    const Tensor y = sum(w * x);  // needs x
    const std::uint32_t before = version(x);
    const Tensor wrong = zeros({3}), whole = zeros({2}, {.dtype = DType::int64}), none;
    CHECK_THROWS_AS(x.copy_(wrong), ShapeError);
    CHECK_THROWS_AS(x.copy_(none), TypeError);
    CHECK_THROWS_AS(x.add_(wrong), ShapeError);
    CHECK_THROWS_AS(x.add_(whole), TypeError);
    CHECK_THROWS_AS(x.add_(zeros({2, 2})), ShapeError);
    CHECK_THROWS_AS(x.sub_(wrong), ShapeError);
    CHECK_THROWS_AS(x.mul_(wrong), ShapeError);
    CHECK_THROWS_AS(x.mul_(zeros({2, 2})), ShapeError);
    CHECK_THROWS_AS(x.div_(wrong), ShapeError);
    CHECK_THROWS_AS(x.div_(none), TypeError);
    CHECK_THROWS_AS(x.uniform_(1, 0), ValueError);
    CHECK_THROWS_AS(x.normal_(0, -1), ValueError);
    CHECK_THROWS_AS(x.bernoulli_(2), ValueError);
    CHECK_THROWS_AS(sgd_step_(x, wrong, none, {.lr = 1}), ShapeError);
    CHECK_THROWS_AS(sgd_step_(x, x, none, {.lr = 1, .momentum = 1}), TypeError);
    CHECK_THROWS_AS(whole.fill_(1e30), ValueError);
    CHECK(version(x) == before);
    CHECK(version(whole) == 0);
    y.backward();
    check_grad(w, {1, 2});
    x.add_(x);
    CHECK(version(x) == before + 1);
  }

  TEST_CASE("several threads may add to the gradients of the same leaves") {
    constexpr int kThreads = 4, kPasses = 200;
    const Tensor w = leaf({1, 2, 3}), bias = leaf({0, 0, 0});
    std::vector<std::thread> threads;
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back([&, i] {
        const Tensor x = full({3}, i + 1);
        for (int pass = 0; pass < kPasses; ++pass) sum(w * x + bias).backward();
      });
    }
    for (std::thread& thread : threads) thread.join();
    const float passes = kPasses;  // small whole numbers: every order gives the same sum
    check_grad(w, {10 * passes, 10 * passes, 10 * passes});
    check_grad(bias, {4 * passes, 4 * passes, 4 * passes});
  }

  TEST_CASE("a chain of 200 000 operations overflows the stack neither in backward nor when it is let go") {
    const Tensor x = leaf({1});
    {
      Tensor y = x;
      for (int i = 0; i < 200000; ++i) y = y + 0.0;
      y.backward();
      check_grad(x, {1});
    }
    Tensor y = x;
    for (int i = 0; i < 200000; ++i) y = relu(y * x);  // keeps its inputs
    y = Tensor();
  }

  TEST_CASE("two threads may use one graph's leaves in forward and each have a backward of its own") {
    const Tensor w = tensor<float>({2});
    float results[2] = {};
    std::vector<std::thread> threads;
    for (float& result : results) {
      threads.emplace_back([&] {
        const Tensor x = leaf({3});
        for (int i = 0; i < 200; ++i) {
          x.set_grad({});
          (x * x * w).backward();
        }
        result = x.grad().item<float>();
      });
    }
    for (std::thread& thread : threads) thread.join();
    CHECK(results[0] == 12);
    CHECK(results[1] == 12);
  }
}

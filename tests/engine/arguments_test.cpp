// SPDX-License-Identifier: MIT
// What C++ would convert and what then would mean something else is refused, by the compiler where it can.

#include <doctest/doctest.h>

#include <concepts>
#include <limits>
#include <optional>
#include <type_traits>

#include "support/error_of.h"
#include "teff/engine/testing.h"
#include "teff/teff.h"

using namespace teff;
using teff::testing::error_of;

namespace {

// Whole numbers of any size make a list, a pair, a value; bools, characters, fractions and pointers do not.
template <class T, class From>
constexpr bool takes = std::is_convertible_v<From, T>&& std::is_constructible_v<T, From>;

static_assert(takes<IntList, int> && takes<IntList, std::int64_t> && takes<IntList, std::size_t> &&
              takes<IntList, std::uint8_t>);
static_assert(!takes<IntList, double> && !takes<IntList, float> && !takes<IntList, bool> && !takes<IntList, char> &&
              !takes<IntList, void*> && !takes<IntList, std::nullptr_t>);
static_assert(takes<Pair, int> && takes<Pair, std::size_t> && !takes<Pair, double> && !takes<Pair, bool>);
static_assert(std::is_constructible_v<Pair, int, long> && !std::is_constructible_v<Pair, double, int> &&
              !std::is_constructible_v<Pair, int, bool>);
static_assert(takes<Integer, int> && takes<Integer, unsigned> && !takes<Integer, double> && !takes<Integer, bool> &&
              !takes<Integer, char> && !takes<Integer, void*>);
static_assert(takes<Value, bool> && takes<Value, int> && takes<Value, std::size_t> && takes<Value, double> &&
              takes<Value, const char*> && takes<Value, std::string>);
static_assert(!takes<Value, void*> && !takes<Value, int*> && !takes<Value, char> && !takes<Value, Shape*>);
static_assert(takes<nn::ConvPadding, int> && !takes<nn::ConvPadding, double> && !takes<nn::ConvPadding, bool>);
static_assert(takes<nn::PadSizes, int> && !takes<nn::PadSizes, double> && !takes<nn::PadSizes, bool>);
static_assert(takes<transforms::Borders, int> && !takes<transforms::Borders, double>);

static_assert(std::is_constructible_v<nn::Linear, int, int> && !std::is_constructible_v<nn::Linear, double, int> &&
              !std::is_constructible_v<nn::Linear, int, bool>);
static_assert(std::is_constructible_v<nn::Conv2d, int, int, int> &&
              !std::is_constructible_v<nn::Conv2d, int, int, double> &&
              !std::is_constructible_v<nn::Conv2d, double, int, int>);
static_assert(std::is_constructible_v<nn::Embedding, int, int> && !std::is_constructible_v<nn::Embedding, int, double>);
static_assert(!std::is_constructible_v<nn::BatchNorm2d, double> &&
              !std::is_constructible_v<nn::GroupNorm, int, double>);
static_assert(!std::is_constructible_v<nn::Softmax, bool> && !std::is_constructible_v<nn::MaxPool2d, double>);
static_assert(!std::is_constructible_v<nn::PReLU, double> && !std::is_constructible_v<metrics::Accuracy, double>);

template <class T>
concept CanMakeZeros = requires(T size) {
  zeros(size);
};
template <class T>
concept CanSum = requires(Tensor x, T dims) {
  x.sum(dims);
  sum(x, dims);
  x.mean(dims);
  x.amax(dims);
  x.amin(dims);
};
template <class T>
concept CanBeDim = requires(Tensor x, T dim) {
  x.softmax(dim);
  log_softmax(x, dim);
  x.argmax(dim);
  x.squeeze(dim);
  x.unsqueeze(dim);
  x.transpose(dim, dim);
  x.select(dim, dim);
  x.slice(dim, dim, dim, dim);
  x.flatten(dim, dim);
  x.size(dim);
  x[dim];
  cat({x}, dim);
  stack({x}, dim);
  index_select(x, dim, x);
};
template <class T>
concept CanCount = requires(T n) {
  eye(n);
  randperm(n);
  randint(n, n, {1});
};
static_assert(CanMakeZeros<int> && CanMakeZeros<std::size_t> && !CanMakeZeros<double> && !CanMakeZeros<bool>);
static_assert(CanSum<int> && !CanSum<bool> && !CanSum<double>);
static_assert(CanBeDim<int> && CanBeDim<std::int64_t> && CanBeDim<std::size_t>);
static_assert(CanCount<int> && !CanCount<double> && !CanCount<bool>);
template <class T>
concept CanBeSomeDim = requires(Tensor x, T dim) {
  x.softmax(dim);
}
|| requires(Tensor x, T dim) { x.argmax(dim); }
|| requires(Tensor x, T dim) { x.squeeze(dim); }
|| requires(Tensor x, T dim) { x.unsqueeze(dim); }
|| requires(Tensor x, T dim) { x.transpose(0, dim); }
|| requires(Tensor x, T dim) { x.select(0, dim); }
|| requires(Tensor x, T dim) { x[dim]; }
|| requires(Tensor x, T dim) { x.slice(0, dim); }
|| requires(Tensor x, T dim) { x.size(dim); }
|| requires(Tensor x, T dim) { cat({x}, dim); }
|| requires(Tensor x, T dim) { stack({x}, dim); };
static_assert(!CanBeSomeDim<bool> && !CanBeSomeDim<double> && !CanBeSomeDim<float>);
template <class T>
concept CanPool = requires(Tensor x, T size) {
  max_pool2d(x, size);
};
static_assert(CanPool<int> && !CanPool<double> && !CanPool<bool>);

constexpr std::uint64_t kLarge = std::numeric_limits<std::uint64_t>::max();

}  // namespace

TEST_SUITE("arguments") {
  TEST_CASE("a whole number that no int64 holds is refused") {
    const char* text = "argument: expected a whole number below 2^63, got 18446744073709551615";
    CHECK_THROWS_WITH_AS(static_cast<void>(Value(kLarge)), text, ValueError);
    CHECK_THROWS_WITH_AS(zeros(kLarge), text, ValueError);
    CHECK_THROWS_WITH_AS(zeros({2, kLarge}), text, ValueError);
    CHECK_THROWS_WITH_AS(static_cast<void>(Pair(kLarge)), text, ValueError);
    CHECK_THROWS_WITH_AS(static_cast<void>(zeros({2}).select(0, kLarge)), text, ValueError);
    CHECK(Value(std::uint64_t{1} << 62).as_int() == std::int64_t{1} << 62);
    CHECK(zeros({std::size_t{2}, 3}).shape() == Shape{2, 3});
  }

  TEST_CASE("a value is what it was made of") {
    CHECK(Value("text").is_text());
    CHECK(Value(true).is_bool());
    CHECK(Value(1).is_int());
    CHECK(Value(std::uint8_t{200}).as_int() == 200);
    CHECK(Value(1.5F).as_float() == 1.5);
    CHECK(Value(nullptr).is_none());
    CHECK_THROWS_WITH_AS(static_cast<void>(Value(static_cast<const char*>(nullptr))),
                         "value: expected text, got a null pointer", ValueError);
  }

  TEST_CASE("a list of integers has the places that it has") {
    IntList none, list{1, 2, 3};
    CHECK(list.front() == 1);
    CHECK(list.back() == 3);
    CHECK_THROWS_WITH_AS(none.back(), "shape: expected a place below the list's size 0, got -1", IndexError);
    CHECK_THROWS_WITH_AS(none.front(), "shape: expected a place below the list's size 0, got 0", IndexError);
    CHECK_THROWS_WITH_AS(static_cast<void>(list[3]), "shape: expected a place below the list's size 3, got 3",
                         IndexError);
    CHECK_THROWS_AS(list[8] = 1, IndexError);
    CHECK_THROWS_AS(static_cast<void>(std::as_const(list)[3]), IndexError);
    CHECK_THROWS_WITH_AS(list.erase(3), "shape: expected a place below the list's size 3, got 3", IndexError);
    CHECK_THROWS_AS(list.insert(4, 1), IndexError);
    CHECK_THROWS_AS(none.erase(0), IndexError);
    list.insert(3, 4);
    CHECK(list == IntList{1, 2, 3, 4});
    CHECK_THROWS_AS(static_cast<void>(zeros({2}).shape()[1]), IndexError);
  }

  TEST_CASE("groups of an optimiser count to their number") {
    const Tensor p = ones({2}).requires_grad_();
    optim::SGD sgd({p}, {.lr = 0.1});
    const char* text = "SGD: expected a group below 1, got 5";
    CHECK_THROWS_WITH_AS(sgd.lr(5), text, IndexError);
    CHECK_THROWS_WITH_AS(sgd.set_lr(0.1, 5), text, IndexError);
    CHECK_THROWS_WITH_AS(static_cast<void>(sgd.parameters(5)), text, IndexError);
    CHECK_THROWS_WITH_AS(static_cast<void>(sgd.options(5)), text, IndexError);
    CHECK_THROWS_WITH_AS(sgd.set_options({.lr = 1}, 5), text, IndexError);
    CHECK_THROWS_WITH_AS(static_cast<void>(sgd.momentum(5)), text, IndexError);
    CHECK_THROWS_WITH_AS(sgd.set_momentum(0.1, 5), text, IndexError);
    CHECK_THROWS_WITH_AS(static_cast<void>(sgd.schedule(5)), text, IndexError);
    optim::Adam adam({p}, {.lr = 0.1});
    CHECK_THROWS_WITH_AS(static_cast<void>(adam.momentum(1)), "Adam: expected a group below 1, got 1", IndexError);
  }

  TEST_CASE("functions that are not there are refused as such") {
    nn::ReLU relu;
    CHECK_THROWS_WITH_AS(relu.apply({}), "ReLU: expected a function to apply, got an empty one", TypeError);
    CHECK_THROWS_WITH_AS(transforms::Compose({transforms::Transform()}),
                         "Compose: expected functions, got an empty one", TypeError);
    CHECK_THROWS_WITH_AS(gradcheck({}, {}), "gradcheck: expected a function, got an empty one", TypeError);
    CHECK_THROWS_WITH_AS(capture(GraphFunction(), {}, {}), "capture: expected a function, got an empty one", TypeError);
  }

  TEST_CASE("more examples than memory has addresses for are refused as a number") {
    struct Endless : data::Dataset {
      std::int64_t size() const override { return std::int64_t{1} << 61; }
      data::Example get(std::int64_t) override { return {ones({1}), {}}; }
    } endless;
    Generator generator(1);
    const std::string text = "Sampler: expected a number of examples from 0 to 2^48, got 2305843009213693952";
    CHECK_THROWS_WITH_AS(data::SequentialSampler(endless).sample(generator), text.c_str(), ValueError);
    CHECK_THROWS_WITH_AS(data::RandomSampler(endless).sample(generator), text.c_str(), ValueError);
    CHECK_THROWS_AS(data::RandomSampler(endless, {.replacement = true}).sample(generator), ValueError);
  }
}

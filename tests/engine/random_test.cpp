// SPDX-License-Identifier: MIT
#include "teff/engine/random.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <numeric>
#include <thread>
#include <type_traits>

#include "golden/random_golden.h"
#include "teff/engine/error.h"

using namespace teff;

namespace {

// FNV-1a, 64 bits, as in make_random_golden.py.
std::uint64_t checksum(const void* data, std::size_t bytes) {
  std::uint64_t value = 0xcbf29ce484222325u;
  for (std::size_t i = 0; i < bytes; ++i) value = (value ^ static_cast<const std::uint8_t*>(data)[i]) * 0x100000001b3u;
  return value;
}

// The n numbers of type T that fill(out) writes. Not a std::vector: T may be bool.
template <class T, class Fill>
std::uint64_t checksum_of(std::int64_t n, Fill fill) {
  const auto count = static_cast<std::size_t>(n);
  const auto numbers = std::make_unique<T[]>(count);
  fill(numbers.get());
  return checksum(numbers.get(), count * sizeof(T));
}

std::uint64_t checksum_of(golden::RandomCall call, std::int64_t n, Generator& g) {
  using enum golden::RandomCall;
  using Int = std::int64_t;
  switch (call) {
    case kUniformFloat:
      return checksum_of<float>(n, [&](float* out) { uniform_(out, n, 0, 1, g); });
    case kUniformDouble:
      return checksum_of<double>(n, [&](double* out) { uniform_(out, n, 0, 1, g); });
    case kScaledFloat:
      return checksum_of<float>(n, [&](float* out) { uniform_(out, n, -0.31, 0.77, g); });
    case kScaledDouble:
      return checksum_of<double>(n, [&](double* out) { uniform_(out, n, -0.31, 0.77, g); });
    case kDropoutMask:
      return checksum_of<float>(n, [&](float* out) { bernoulli_(out, n, 1 - 0.3, g); });
    case kRandint:
      return checksum_of<Int>(n, [&](Int* out) { random_(out, n, -5, 1000, g); });
    case kRandintWide:
      return checksum_of<Int>(n, [&](Int* out) { random_(out, n, -(Int{1} << 40), Int{1} << 41, g); });
    case kRandomFull:
      return checksum_of<Int>(n, [&](Int* out) { random_(out, n, g); });
    case kRandperm:
      return checksum_of<Int>(n, [&](Int* out) { randperm(out, n, g); });
    case kNormalBlocks:
      return checksum_of<float>(n, [&](float* out) { normal_(out, n, 0.3, 1.7, g); });
  }
  return 0;
}

// Draws expected.size() numbers with draw(out, n) and compares: normals to `tolerance`, the rest exactly.
template <class T, std::size_t kSize, class Draw>
void check_drawn(const std::array<T, kSize>& expected, double tolerance, Draw draw) {
  std::array<T, kSize> actual;
  draw(actual.data(), static_cast<std::int64_t>(kSize));
  for (std::size_t i = 0; i < kSize; ++i) {
    INFO("number ", i, ": expected ", expected[i], ", got ", actual[i]);
    CHECK(std::abs(static_cast<double>(expected[i] - actual[i])) <= tolerance);
  }
}

void check_program(const golden::RandomProgram& golden, Generator& g) {
  // The C library's log, sin and cos of another machine may differ in the last bit.
  const auto normal = [&](double mean, double std) {
    return [&g, mean, std](auto* out, std::int64_t n) { normal_(out, n, mean, std, g); };
  };
  check_drawn(golden.normal_float_3, 1e-6, normal(0, 1));
  check_drawn(golden.normal_float_3_again, 1e-6, normal(0, 1));
  check_drawn(golden.normal_float_1, 1e-6, normal(1.5, 0.25));
  check_drawn(golden.uniform_float_2, 0, [&](float* out, std::int64_t n) { uniform_(out, n, 0, 1, g); });
  check_drawn(golden.normal_double_3, 1e-14, normal(-2, 3));
  check_drawn(golden.normal_float_17, 0, normal(0, 1));
  check_drawn(golden.normal_double_2, 1e-14, normal(0, 1));
  check_drawn(golden.normal_double_19, 1e-14, normal(0.5, 2));
  check_drawn(golden.uniform_double_2, 0, [&](double* out, std::int64_t n) { uniform_(out, n, -1, 1, g); });
  check_drawn(golden.bernoulli_8, 0, [&](float* out, std::int64_t n) { bernoulli_(out, n, 0.25, g); });
  check_drawn(golden.randint_4, 0, [&](std::int64_t* out, std::int64_t n) { random_(out, n, 0, 10, g); });
  check_drawn(golden.random_2, 0, [&](std::int64_t* out, std::int64_t n) { random_(out, n, g); });
  check_drawn(golden.randperm_10, 0, [&](std::int64_t* out, std::int64_t n) { randperm(out, n, g); });
}

// A state with one byte changed.
std::vector<std::uint8_t> state_with(std::size_t offset, std::uint8_t value) {
  auto state = Generator(0).get_state();
  state[offset] = value;
  return state;
}

void set_state(const std::vector<std::uint8_t>& state) { Generator().set_state(state); }

}  // namespace

TEST_CASE("the same seed and the same mixed calls give PyTorch's numbers and PyTorch's state") {
  for (const auto& golden : golden::kRandomPrograms) {
    INFO("seed ", golden.seed);
    Generator g(golden.seed);
    check_program(golden, g);
    const auto state = g.get_state();
    CHECK(checksum(state.data(), state.size()) == golden.state_checksum);
  }
}

TEST_CASE("every call gives PyTorch's bits, at lengths around the blocks of 16") {
  for (const auto& golden : golden::kRandomChecksums) {
    INFO("call ", static_cast<int>(golden.call), ", seed ", golden.seed, ", n ", golden.n);
    Generator g(golden.seed);
    CHECK(checksum_of(golden.call, golden.n, g) == golden.checksum);
  }
}

TEST_CASE("a default-constructed generator has PyTorch's default seed") {
  CHECK(Generator().initial_seed() == 67280421310721u);
  CHECK(Generator().random() == Generator(67280421310721u).random());
}

TEST_CASE("seeds with the same low 32 bits draw the same numbers but are remembered whole") {
  const std::uint64_t wide = (std::uint64_t{7} << 32) + 5;
  CHECK(Generator(wide).random64() == Generator(5).random64());
  CHECK(Generator(wide).initial_seed() == wide);
}

TEST_CASE("the ten thousandth draw of seed 5489 is the one the C++ standard names for mt19937") {
  Generator g(5489);
  for (int i = 1; i < 10000; ++i) g.random();
  CHECK(g.random() == 4123659995u);
}

TEST_CASE("manual_seed starts the default generator again, cached sample included") {
  double first = 0, again = 0;
  manual_seed(3);
  normal_(&first, 1, 0, 1, default_generator());
  manual_seed(3);
  CHECK_FALSE(default_generator().next_double_normal_sample());
  normal_(&again, 1, 0, 1, default_generator());
  CHECK(first == again);
  CHECK(default_generator().initial_seed() == 3);
}

TEST_CASE("a copy and a restored state continue with the same numbers") {
  Generator original(11);
  std::array<double, 5> skipped;  // an odd number, so that a sample is cached
  normal_(skipped.data(), 5, 0, 1, original);
  original.set_next_float_normal_sample(0.5f);
  Generator copy = original;
  Generator restored;
  restored.set_state(original.get_state());
  CHECK(restored.initial_seed() == 11);
  CHECK(restored.next_float_normal_sample() == 0.5f);

  for (int i = 0; i < 700; ++i) {  // over the renewal of the words
    const std::uint32_t expected = original.random();
    REQUIRE(copy.random() == expected);
    REQUIRE(restored.random() == expected);
  }
  std::array<double, 3> numbers{};
  Generator* generators[] = {&original, &copy, &restored};
  for (std::size_t i = 0; i < 3; ++i) normal_(&numbers[i], 1, 0, 1, *generators[i]);
  CHECK(numbers[1] == numbers[0]);
  CHECK(numbers[2] == numbers[0]);
}

TEST_CASE("a state survives at every place in the words") {
  Generator g(1);
  for (int i = 0; i <= 625; ++i) {
    Generator restored;
    restored.set_state(g.get_state());
    REQUIRE(restored.get_state() == g.get_state());
    REQUIRE(restored.random() == g.random());
  }
}

TEST_CASE("a malformed state is refused and changes nothing") {
  Generator g(1);
  const auto before = g.get_state();
  CHECK_THROWS_WITH_AS(g.set_state({}), "set_state: expected 5056 bytes, got 0", ValueError);
  CHECK_THROWS_WITH_AS(g.set_state(state_with(28, 1)), "set_state: expected words below 2^32, got 4294967296",
                       ValueError);
  CHECK(g.get_state() == before);
  CHECK_THROWS_WITH_AS(set_state(state_with(8, 0)), "set_state: expected left in 1..624, got 0", ValueError);
  CHECK_THROWS_WITH_AS(set_state(state_with(8, 2)), "set_state: expected next = 625 - left, got 624", ValueError);
  CHECK_THROWS_WITH_AS(set_state(state_with(12, 0)), "set_state: expected seeded = 1, got 0", ValueError);
  CHECK_THROWS_WITH_AS(set_state(state_with(5040, 2)), "set_state: expected a normal sample flagged 0 or 1, got 2",
                       ValueError);

  auto zeros = Generator(0).get_state();
  std::fill(zeros.begin() + 24, zeros.begin() + 5016, std::uint8_t{0});
  CHECK_THROWS_WITH_AS(set_state(zeros), "set_state: expected a word that is not 0, got 0", ValueError);
  auto infinite = Generator(0).get_state();
  infinite[5052] = 1;
  infinite[5050] = 0x80;
  infinite[5051] = 0x7f;
  CHECK_THROWS_WITH_AS(set_state(infinite), "set_state: expected a finite normal sample, got inf", ValueError);
}

TEST_CASE("bernoulli_ draws the same for every type, and nothing but 0 and 1 at the ends") {
  constexpr std::int64_t n = 200;
  const auto draw = [&]<class T>(T, double p) {
    Generator g(9);
    std::array<T, n> out;
    bernoulli_(out.data(), n, p, g);
    std::array<int, n> values;
    std::transform(out.begin(), out.end(), values.begin(), [](T value) { return static_cast<int>(value); });
    return values;
  };
  const auto expected = draw(float{}, 0.3);
  CHECK(draw(double{}, 0.3) == expected);
  CHECK(draw(bool{}, 0.3) == expected);
  CHECK(draw(std::uint8_t{}, 0.3) == expected);
  const auto zeros = draw(float{}, 0.0), ones = draw(float{}, 1.0);
  CHECK(std::accumulate(zeros.begin(), zeros.end(), 0) == 0);
  CHECK(std::accumulate(ones.begin(), ones.end(), 0) == n);
}

TEST_CASE("random_ covers the widest range without overflow") {
  using Limits = std::numeric_limits<std::int64_t>;
  std::array<std::int64_t, 100> out;
  Generator g(0);
  random_(out.data(), 100, Limits::min(), Limits::max(), g);
  CHECK(*std::min_element(out.begin(), out.end()) < -(std::int64_t{1} << 62));
  CHECK(*std::max_element(out.begin(), out.end()) > (std::int64_t{1} << 62));
}

TEST_CASE("randperm is a permutation, also of nothing and of one") {
  Generator g(4);
  std::array<std::int64_t, 1000> out, expected;
  randperm(out.data(), 1000, g);
  std::iota(expected.begin(), expected.end(), std::int64_t{0});
  CHECK(out != expected);
  std::sort(out.begin(), out.end());
  CHECK(out == expected);

  const auto before = g.get_state();
  randperm(out.data(), 0, g);
  randperm(out.data(), 1, g);
  CHECK(g.get_state() == before);
}

TEST_CASE("arguments out of range are refused before anything is drawn or written") {
  const double nan = std::nan(""), inf = std::numeric_limits<double>::infinity();
  Generator g(0);
  const auto before = g.get_state();
  float x = 7;
  double y = 7;
  std::int64_t k = 7;
  CHECK_THROWS_WITH_AS(uniform_(&x, 1, 1, 0, g), "uniform_: expected from <= to, got 1 and 0", ValueError);
  CHECK_THROWS_WITH_AS(uniform_(&x, 1, nan, 0, g), "uniform_: expected finite bounds, got nan and 0", ValueError);
  CHECK_THROWS_WITH_AS(uniform_(&x, 1, 0, 1e39, g), "uniform_: expected finite bounds, got 0 and 1e+39", ValueError);
  CHECK_THROWS_WITH_AS(uniform_(&y, 1, -1e308, 1e308, g),
                       "uniform_: expected bounds with a finite to - from, got -1e+308 and 1e+308", ValueError);
  CHECK_THROWS_WITH_AS(normal_(&x, 1, 0, -1, g), "normal_: expected std >= 0, got -1", ValueError);
  CHECK_THROWS_WITH_AS(normal_(&x, 1, 0, nan, g), "normal_: expected std >= 0, got nan", ValueError);
  CHECK_THROWS_WITH_AS(normal_(&y, 1, inf, 1, g), "normal_: expected finite mean and std, got inf and 1", ValueError);
  CHECK_THROWS_WITH_AS(bernoulli_(&x, 1, 2, g), "bernoulli_: expected 0 <= p <= 1, got 2", ValueError);
  CHECK_THROWS_WITH_AS(bernoulli_(&x, 1, nan, g), "bernoulli_: expected 0 <= p <= 1, got nan", ValueError);
  CHECK_THROWS_WITH_AS(random_(&k, 1, 3, 3, g), "randint: expected low < high, got 3 and 3", ValueError);
  CHECK_THROWS_WITH_AS(randperm(&k, -1, g), "randperm: expected n >= 0, got -1", ValueError);
  CHECK(x == 7);
  CHECK(y == 7);
  CHECK(k == 7);
  CHECK(g.get_state() == before);
}

TEST_CASE("two threads that fill from one generator share its numbers out") {
  constexpr std::int64_t n = 2000;
  std::array<std::int64_t, 2 * n> shared, alone;
  Generator g(8), same(8);
  const auto fill = [&](std::int64_t* out) {
    for (std::int64_t i = 0; i < n; i += 10) random_(out + i, 10, g);
  };
  std::thread other(fill, shared.data() + n);
  fill(shared.data());
  other.join();
  random_(alone.data(), 2 * n, same);
  std::sort(shared.begin(), shared.end());
  std::sort(alone.begin(), alone.end());
  CHECK(shared == alone);
}

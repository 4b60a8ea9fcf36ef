// SPDX-License-Identifier: MIT
#include "teff/engine/random.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <limits>
#include <mutex>
#include <numbers>
#include <numeric>
#include <random>
#include <string>
#include <type_traits>
#include <utility>

#include "teff/engine/error.h"
#include "teff/engine/generator_state.h"
#include "teff/engine/process.h"

// The recipes are those of PyTorch 1.13's CPU kernels. Where its AVX2 build contracts a product and a sum,
// fused() does so here, on every machine: with it the numbers agree to the last bit, without it nearly half
// of them do not.

namespace teff {
namespace {

/// x * y + z, rounded once. The C library of mingw-w64 rounds the product, too; there it is exact in double, and the
/// sum rounded to odd, which no second rounding spoils.
template <class T>
[[gnu::always_inline]] inline T fused(T x, T y, T z) {
#if defined(__MINGW32__)
  if constexpr (std::is_same_v<T, float>) {
    const double product = static_cast<double>(x) * y, sum = product + z;
    const double part = sum - product, lost = (product - (sum - part)) + (z - part);
    const auto bits = std::bit_cast<std::int64_t>(sum);
    if (lost == 0 || !std::isfinite(sum) || (bits & 1) != 0) return static_cast<float>(sum);
    return static_cast<float>(std::bit_cast<double>((lost > 0) == (sum > 0) ? bits + 1 : bits - 1));
  }
  __extension__ using Quad = __float128;
  return static_cast<T>(static_cast<Quad>(x) * y + z);
#else
  return std::fma(x, y, z);
#endif
}

// One lock for all generators: fills are short, and a Generator stays a plain value.
detail::ProcessMutex& draw_mutex() {
  static auto* instance = new detail::ProcessMutex;
  return *instance;
}

std::string text(double value) {
  char buffer[32];
  return {buffer, std::to_chars(buffer, std::end(buffer), value).ptr};
}

std::string text(std::int64_t value) { return std::to_string(value); }

template <class... Values>
void check(bool rule_holds, const char* op, const char* rule, Values... values) {
  if (rule_holds) return;
  std::string got;
  ((got += (got.empty() ? "" : " and ") + text(values)), ...);
  throw ValueError(std::string(op) + ": expected " + rule + ", got " + got);
}

// Whether value is a finite T; false for a NaN.
template <class T>
bool finite_as(double value) {
  return std::abs(value) <= static_cast<double>(std::numeric_limits<T>::max());
}

// Uniform on [0, 1) from as many low bits of a draw as T has digits.
template <class T>
T draw_unit(Generator& generator) {
  constexpr std::uint64_t kSteps = std::uint64_t{1} << std::numeric_limits<T>::digits;
  constexpr T kStep = T{1} / static_cast<T>(kSteps);
  if constexpr (std::is_same_v<T, float>) {
    return static_cast<T>(static_cast<std::int32_t>(generator.random() & (kSteps - 1))) * kStep;
  } else {
    return static_cast<T>(static_cast<std::int64_t>(generator.random64() & (kSteps - 1))) * kStep;
  }
}

}  // namespace

// ---- Generator --------------------------------------------------------------------------------------------

Generator& Generator::manual_seed(std::uint64_t seed) {
  seed_ = seed;
  words_[0] = static_cast<std::uint32_t>(seed);
  for (std::uint32_t i = 1; i < kWords; ++i) {
    words_[i] = 1812433253u * (words_[i - 1] ^ (words_[i - 1] >> 30)) + i;
  }
  next_ = kWords;
  next_double_normal_.reset();
  next_float_normal_.reset();
  return *this;
}

// The recurrence of mt19937: Matsumoto and Nishimura, "Mersenne Twister", ACM TOMACS 8(1), 1998.
void Generator::renew_words() {
  constexpr std::uint32_t kShift = 397;
  const auto twist = [](std::uint32_t high, std::uint32_t low) {
    return (((high & 0x80000000u) | (low & 0x7fffffffu)) >> 1) ^ ((low & 1u) * 0x9908b0dfu);
  };
  std::uint32_t i = 0;
  for (; i < kWords - kShift; ++i) words_[i] = words_[i + kShift] ^ twist(words_[i], words_[i + 1]);
  for (; i < kWords - 1; ++i) words_[i] = words_[i + kShift - kWords] ^ twist(words_[i], words_[i + 1]);
  words_[i] = words_[i + kShift - kWords] ^ twist(words_[i], words_[0]);
  next_ = 0;
}

// ---- state ------------------------------------------------------------------------------------------------

namespace {

// Offsets of the layout in the header.
constexpr std::size_t kSeedAt = 0, kLeftAt = 8, kSeededAt = 12, kNextAt = 16, kWordsAt = 24, kDoubleAt = 5024,
                      kHasDoubleAt = 5040, kFloatAt = 5048, kHasFloatAt = 5052;

template <class T>
void put(std::vector<std::uint8_t>& bytes, std::size_t at, T value) {
  for (std::size_t i = 0; i < sizeof(T); ++i) bytes[at + i] = static_cast<std::uint8_t>(value >> (8 * i));
}

template <class T>
T get(std::span<const std::uint8_t> bytes, std::size_t at) {
  T value = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i) value |= static_cast<T>(T{bytes[at + i]} << (8 * i));
  return value;
}

void check_state(bool rule_holds, const char* rule, std::uint64_t actual) {
  if (!rule_holds) throw ValueError(std::string("set_state: expected ") + rule + ", got " + std::to_string(actual));
}

// A cached sample, or none where the flag is 0.
template <class T>
std::optional<T> checked_sample(std::uint64_t flag, T sample) {
  check_state(flag <= 1, "a normal sample flagged 0 or 1", flag);
  if (flag == 0) return std::nullopt;
  check(std::isfinite(sample), "set_state", "a finite normal sample", static_cast<double>(sample));
  return sample;
}

}  // namespace

std::vector<std::uint8_t> Generator::get_state() const {
  std::vector<std::uint8_t> bytes(kStateBytes);
  put(bytes, kSeedAt, seed_);
  put(bytes, kLeftAt, kWords + 1 - next_);
  put(bytes, kSeededAt, std::uint32_t{1});
  put(bytes, kNextAt, std::uint64_t{next_});
  for (std::size_t i = 0; i < kWords; ++i) put(bytes, kWordsAt + 8 * i, std::uint64_t{words_[i]});
  put(bytes, kHasDoubleAt, std::uint32_t{next_double_normal_.has_value()});
  put(bytes, kDoubleAt, std::bit_cast<std::uint64_t>(next_double_normal_.value_or(0.0)));
  put(bytes, kHasFloatAt, std::uint8_t{next_float_normal_.has_value()});
  put(bytes, kFloatAt, std::bit_cast<std::uint32_t>(next_float_normal_.value_or(0.0f)));
  return bytes;
}

void Generator::set_state(std::span<const std::uint8_t> bytes) {
  check_state(bytes.size() == kStateBytes, "5056 bytes", bytes.size());
  const auto seeded = get<std::uint32_t>(bytes, kSeededAt);
  check_state(seeded == 1, "seeded = 1", seeded);
  const auto left = get<std::uint32_t>(bytes, kLeftAt);
  check_state(left >= 1 && left <= kWords, "left in 1..624", left);
  const auto next = get<std::uint64_t>(bytes, kNextAt);
  check_state(next + left == kWords + 1 || (next == 0 && left == 1), "next = 625 - left", next);

  Generator read;
  read.seed_ = get<std::uint64_t>(bytes, kSeedAt);
  read.next_ = kWords + 1 - left;
  for (std::size_t i = 0; i < kWords; ++i) {
    const auto word = get<std::uint64_t>(bytes, kWordsAt + 8 * i);
    check_state(word <= std::numeric_limits<std::uint32_t>::max(), "words below 2^32", word);
    read.words_[i] = static_cast<std::uint32_t>(word);
  }
  // From all zeros the recurrence never comes back.
  const bool has_word =
      std::any_of(read.words_.begin(), read.words_.end(), [](std::uint32_t word) { return word != 0; });
  check_state(has_word, "a word that is not 0", 0);
  read.next_double_normal_ = checked_sample(get<std::uint32_t>(bytes, kHasDoubleAt),
                                            std::bit_cast<double>(get<std::uint64_t>(bytes, kDoubleAt)));
  read.next_float_normal_ =
      checked_sample(get<std::uint8_t>(bytes, kHasFloatAt), std::bit_cast<float>(get<std::uint32_t>(bytes, kFloatAt)));
  *this = read;
}

// ---- the default generator --------------------------------------------------------------------------------

namespace {

std::uint64_t seed_from_system() {
  try {
    std::random_device entropy;
    const std::uint64_t high = entropy();
    return (high << 32) | entropy();
  } catch (const std::exception& error) {
    throw Error(std::string("default_generator: expected random bits of the system for its seed, got \"") +
                error.what() + "\"; call manual_seed()");
  }
}

}  // namespace

Generator& default_generator() {
  static Generator generator(seed_from_system());
  return generator;
}

Generator detail::copy_of(const Generator& generator) {
  const std::lock_guard lock(draw_mutex());
  return generator;
}

void detail::assign(Generator& generator, const Generator& state) {
  const std::lock_guard lock(draw_mutex());
  generator = state;
}

void manual_seed(std::uint64_t seed) {
  const std::scoped_lock lock(draw_mutex());
  default_generator().manual_seed(seed);
}

// ---- uniform_, bernoulli_, integers -----------------------------------------------------------------------

template <class T>
void uniform_(T* out, std::int64_t n, double from, double to, Generator& generator) {
  check(finite_as<T>(from) && finite_as<T>(to), "uniform_", "finite bounds", from, to);
  check(from <= to, "uniform_", "from <= to", from, to);
  const T low = static_cast<T>(from);
  const T range = static_cast<T>(to) - low;
  check(std::isfinite(range), "uniform_", "bounds with a finite to - from", from, to);

  const std::scoped_lock lock(draw_mutex());
  for (std::int64_t i = 0; i < n; ++i) out[i] = draw_unit<T>(generator);
  if (low == 0 && range == 1) return;
  for (std::int64_t i = 0; i < n; ++i) out[i] = fused(out[i], range, low);
}

template void uniform_(float*, std::int64_t, double, double, Generator&);
template void uniform_(double*, std::int64_t, double, double, Generator&);

template <class T>
void bernoulli_(T* out, std::int64_t n, double p, Generator& generator) {
  constexpr T kOutcomes[2] = {T{0}, T{1}};  // a look-up, as a branch would be mispredicted half the time
  check(p >= 0 && p <= 1, "bernoulli_", "0 <= p <= 1", p);
  const std::scoped_lock lock(draw_mutex());
  for (std::int64_t i = 0; i < n; ++i) out[i] = kOutcomes[draw_unit<double>(generator) < p];
}

template void bernoulli_(float*, std::int64_t, double, Generator&);
template void bernoulli_(double*, std::int64_t, double, Generator&);
template void bernoulli_(bool*, std::int64_t, double, Generator&);
template void bernoulli_(std::uint8_t*, std::int64_t, double, Generator&);

void random_(std::int64_t* out, std::int64_t n, std::int64_t from, std::int64_t to, Generator& generator) {
  check(from < to, "randint", "low < high", from, to);
  const std::uint64_t low = static_cast<std::uint64_t>(from);
  const std::uint64_t range = static_cast<std::uint64_t>(to) - low;
  const bool wide = range >> 32 != 0;
  const std::scoped_lock lock(draw_mutex());
  for (std::int64_t i = 0; i < n; ++i) {
    const std::uint64_t draw = wide ? generator.random64() : generator.random();
    out[i] = static_cast<std::int64_t>(draw % range + low);
  }
}

void random_(std::int64_t* out, std::int64_t n, Generator& generator) {
  constexpr std::uint64_t kLow63 = std::numeric_limits<std::uint64_t>::max() >> 1;
  const std::scoped_lock lock(draw_mutex());
  for (std::int64_t i = 0; i < n; ++i) out[i] = static_cast<std::int64_t>(generator.random64() & kLow63);
}

void randperm(std::int64_t* out, std::int64_t n, Generator& generator) {
  check(n >= 0, "randperm", "n >= 0", n);
  std::iota(out, out + n, std::int64_t{0});
  const std::scoped_lock lock(draw_mutex());
  for (std::int64_t i = 0; i < n - 1; ++i) std::swap(out[i], out[i + generator.random() % (n - i)]);
}

// ---- normal_ ----------------------------------------------------------------------------------------------

namespace {

// Natural logarithm of a normal x > 0: Cephes' logf, rounded where PyTorch's AVX2 kernel rounds.
[[gnu::always_inline]] inline float log_cephes(float x) {
  // x = 2^e * m with m in [sqrt(1/2), sqrt(2)); then x = m - 1.
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(x);
  const std::uint32_t mantissa = bits & 0x007fffffu;
  const std::uint32_t small = mantissa < 0x003504f3u ? 1 : 0;  // below that of sqrt(1/2)
  const float e = static_cast<float>(static_cast<std::int32_t>((bits >> 23) - small) - 126);
  x = std::bit_cast<float>(mantissa | (0x3f000000u + (small << 23))) - 1.0f;
  const float z = x * x;
  float y = 7.0376836292e-2f;
  y = fused(y, x, -1.1514610310e-1f);
  y = fused(y, x, 1.1676998740e-1f);
  y = fused(y, x, -1.2420140846e-1f);
  y = fused(y, x, 1.4249322787e-1f);
  y = fused(y, x, -1.6668057665e-1f);
  y = fused(y, x, 2.0000714765e-1f);
  y = fused(y, x, -2.4999993993e-1f);
  y = fused(y, x, 3.3333331174e-1f);
  y = fused(y * x, z, e * -2.12194440e-4f);
  y = fused(z, -0.5f, y);
  return fused(e, 0.693359375f, x + y);
}

// Sine and cosine of x >= 0: Cephes' sinf and cosf, likewise.
[[gnu::always_inline]] inline void sincos_cephes(float x, float& sin, float& cos) {
  const std::int32_t octant = (static_cast<std::int32_t>(x * 1.27323954473516f) + 1) & ~1;  // 4 / pi
  const float k = static_cast<float>(octant);
  x = fused(k, -0.78515625f, x);
  x = fused(k, -2.4187564849853515625e-4f, x);
  x = fused(k, -3.77489497744594108e-8f, x);
  const float z = x * x;
  float c = fused(fused(2.443315711809948e-5f, z, -1.388731625493765e-3f), z, 4.166664568298827e-2f);
  c = fused(c * z, z, -0.5f * z) + 1.0f;
  float s = fused(fused(-1.9515295891e-4f, z, 8.3321608736e-3f), z, -1.6666654611e-1f);
  s = fused(s * z, x, x);
  const float sin_size = octant & 2 ? c : s;
  const float cos_size = octant & 2 ? s : c;
  sin = octant & 4 ? -sin_size : sin_size;
  cos = (octant + 2) & 4 ? -cos_size : cos_size;
}

// Blocks of 16 uniforms on [0, 1) -> normals: numbers i and i + 8 of a block are one pair.
[[gnu::always_inline]] inline void box_muller_float(float* data, std::int64_t blocks, float mean, float std) {
  for (float* const end = data + 16 * blocks; data != end; data += 16) {
    float radius[8], sin[8], cos[8];  // short loops, which compilers vectorise
    for (int i = 0; i < 8; ++i) radius[i] = -2.0f * log_cephes(1.0f - data[i]);
    for (int i = 0; i < 8; ++i) sincos_cephes(2 * std::numbers::pi_v<float> * data[i + 8], sin[i], cos[i]);
    for (int i = 0; i < 8; ++i) radius[i] = std::sqrt(radius[i]);
    for (int i = 0; i < 8; ++i) data[i] = fused(radius[i] * cos[i], std, mean);
    for (int i = 0; i < 8; ++i) data[i + 8] = fused(radius[i] * sin[i], std, mean);
  }
}

#if defined(__x86_64__) && defined(__GNUC__)
// The same lines, and the same bits, with the machine's own fma instead of calls of the C library's.
[[gnu::target("avx2,fma")]] void box_muller_avx2(float* data, std::int64_t blocks, float mean, float std) {
  box_muller_float(data, blocks, mean, std);
}
#endif

void box_muller(float* data, std::int64_t blocks, float mean, float std) {
#if defined(__x86_64__) && defined(__GNUC__)
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return box_muller_avx2(data, blocks, mean, std);
#endif
  box_muller_float(data, blocks, mean, std);
}

void box_muller(double* data, std::int64_t blocks, double mean, double std) {
  for (double* const end = data + 16 * blocks; data != end; data += 16) {
    for (int i = 0; i < 8; ++i) {
      const double radius = std::sqrt(-2.0 * std::log(1.0 - data[i]));
      const double theta = 2 * std::numbers::pi * data[i + 8];
      data[i] = fused(radius * std::cos(theta), std, mean);
      data[i + 8] = fused(radius * std::sin(theta), std, mean);
    }
  }
}

double draw_normal(double mean, double std, Generator& generator) {
  double sample;
  if (const auto cached = generator.next_double_normal_sample()) {
    sample = *cached;
    generator.set_next_double_normal_sample(std::nullopt);
  } else {
    const double u1 = draw_unit<double>(generator);
    const double u2 = draw_unit<double>(generator);
    const double radius = std::sqrt(-2.0 * std::log(1.0 - u2));
    const double theta = 2.0 * std::numbers::pi * u1;
    generator.set_next_double_normal_sample(radius * std::sin(theta));
    sample = radius * std::cos(theta);
  }
  return fused(sample, std, mean);
}

}  // namespace

template <class T>
void normal_(T* out, std::int64_t n, double mean, double std, Generator& generator) {
  check(std >= 0, "normal_", "std >= 0", std);
  check(finite_as<T>(mean) && finite_as<T>(std), "normal_", "finite mean and std", mean, std);
  const std::scoped_lock lock(draw_mutex());
  if (n < 16) {
    for (std::int64_t i = 0; i < n; ++i) out[i] = static_cast<T>(draw_normal(mean, std, generator));
    return;
  }
  const T mean_t = static_cast<T>(mean);
  const T std_t = static_cast<T>(std);
  for (std::int64_t i = 0; i < n; ++i) out[i] = draw_unit<T>(generator);
  box_muller(out, n / 16, mean_t, std_t);
  if (n % 16 != 0) {  // the last 16, some of which are done, are drawn anew
    T* const tail = out + n - 16;
    for (int i = 0; i < 16; ++i) tail[i] = draw_unit<T>(generator);
    box_muller(tail, 1, mean_t, std_t);
  }
}

template void normal_(float*, std::int64_t, double, double, Generator&);
template void normal_(double*, std::int64_t, double, double, Generator&);

}  // namespace teff

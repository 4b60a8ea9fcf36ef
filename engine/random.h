// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "teff/export.h"

namespace TEFF_EXPORT teff {

/// A source of random numbers: the Mersenne Twister mt19937 with the state that PyTorch's CPU generator
/// keeps, so that the same seed and the same calls give the numbers that PyTorch draws on the CPU.
///
/// A value: a copy continues from the same state, on its own. The member functions take no lock; the free
/// functions below do, so that several threads may fill from one generator (whose numbers they then share out
/// by chance).
class Generator {
 public:
  static constexpr std::uint64_t kDefaultSeed = 67280421310721;
  static constexpr std::size_t kStateBytes = 5056;

  /// A generator seeded with PyTorch's default seed.
  Generator() : Generator(kDefaultSeed) {}
  explicit Generator(std::uint64_t seed) { manual_seed(seed); }

  /// Starts again from `seed` and forgets the cached normal samples. As in PyTorch the low 32 bits choose the
  /// numbers; all 64 are kept as initial_seed().
  Generator& manual_seed(std::uint64_t seed);
  std::uint64_t initial_seed() const { return seed_; }

  std::uint32_t random();    ///< the next 32 bits
  std::uint64_t random64();  ///< the next 64 bits: two draws, the high half first

  /// The second half of the last Box-Muller pair, which the next scalar draw of a normal number takes first.
  std::optional<double> next_double_normal_sample() const { return next_double_normal_; }
  std::optional<float> next_float_normal_sample() const { return next_float_normal_; }
  void set_next_double_normal_sample(std::optional<double> sample) { next_double_normal_ = sample; }
  void set_next_float_normal_sample(std::optional<float> sample) { next_float_normal_ = sample; }

  /// The whole state as kStateBytes bytes, little-endian on every machine, in the layout of
  /// torch.get_rng_state():
  ///
  ///     offset  type        field
  ///          0  uint64      initial seed
  ///          8  int32       left: draws until the words are renewed, plus one (1..624)
  ///         12  int32       seeded: 1
  ///         16  uint64      next: index of the next word, 625 - left (PyTorch: 0 just after seeding)
  ///         24  uint64[624] the words of mt19937, each below 2^32
  ///       5016  float64[3]  unused; next double normal sample; unused
  ///       5040  int32       1 if there is a next double normal sample, else 0
  ///       5044              4 unused bytes
  ///       5048  float32     next float normal sample
  ///       5052  uint8       1 if there is a next float normal sample, else 0
  ///       5053              3 unused bytes
  ///
  /// Unused bytes are written as zero and ignored when read.
  std::vector<std::uint8_t> get_state() const;

  /// Takes over a state written by get_state() or torch.get_rng_state(). Throws ValueError, and changes
  /// nothing, if `bytes` is not such a state.
  void set_state(std::span<const std::uint8_t> bytes);

 private:
  static constexpr std::uint32_t kWords = 624;

  void renew_words();

  std::uint64_t seed_ = 0;
  std::uint32_t next_ = kWords;  // index of the next word; kWords: renew first
  std::array<std::uint32_t, kWords> words_{};
  std::optional<double> next_double_normal_;
  std::optional<float> next_float_normal_;
};

inline std::uint32_t Generator::random() {
  if (next_ == kWords) renew_words();
  std::uint32_t y = words_[next_++];
  y ^= y >> 11;
  y ^= (y << 7) & 0x9d2c5680u;
  y ^= (y << 15) & 0xefc60000u;
  return y ^ (y >> 18);
}

inline std::uint64_t Generator::random64() {
  const std::uint64_t high = random();
  return (high << 32) | random();
}

/// The generator that everything draws from unless given another. One for the process, with a seed that
/// differs from run to run until manual_seed() is called, as in PyTorch.
Generator& default_generator();

/// Seeds default_generator(), under the lock of the fill functions: torch.manual_seed.
void manual_seed(std::uint64_t seed);

// Fill functions: write n numbers to `out`, in order. They check their arguments before the first draw and
// throw ValueError; with n = 0 they draw nothing. T is float or double unless said otherwise.

/// Uniform on [from, to), with 24 random bits for float and 53 for double. As in PyTorch `to` itself can
/// appear by rounding. Throws unless from <= to, both are finite and to - from is a finite T.
template <class T>
TEFF_EXPORT void uniform_(T* out, std::int64_t n, double from, double to, Generator& generator);

/// Normal with the given mean and standard deviation, by Box and Muller's method: below 16 numbers one after
/// the other in double, with the cached sample; from 16 on in T, by blocks of 16. Throws unless std >= 0 and
/// both are finite. Equal to the last bit to PyTorch 1.13 on a machine with AVX2; other machines' PyTorch has
/// other last bits.
template <class T>
TEFF_EXPORT void normal_(T* out, std::int64_t n, double mean, double std, Generator& generator);

/// 1 with probability p, else 0; T is float, double, bool or std::uint8_t, and all four see the same draws.
/// This is what torch.nn.functional.dropout draws, with p = 1 - its p. Throws unless 0 <= p <= 1.
template <class T>
TEFF_EXPORT void bernoulli_(T* out, std::int64_t n, double p, Generator& generator);

/// Integers in [from, to): torch.randint. Throws unless from < to.
void random_(std::int64_t* out, std::int64_t n, std::int64_t from, std::int64_t to, Generator& generator);

/// Integers in [0, 2^63): torch.Tensor.random_() for int64, from which PyTorch's DataLoader takes its seeds.
void random_(std::int64_t* out, std::int64_t n, Generator& generator);

/// A random order of 0 .. n - 1: torch.randperm. Throws if n < 0. One 32-bit draw a place for any n; PyTorch
/// from 2025 on (pull request 143682) differs for n of 2^32 / 20 = 214 748 364 and more.
void randperm(std::int64_t* out, std::int64_t n, Generator& generator);

/// n places of `weights`, each drawn with probability weight / sum of weights; without replacement each place at most
/// once: torch.multinomial of float64 weights. (Where PyTorch is built with MKL, its draws without replacement differ.)
/// @throws ValueError, before the first draw, unless the weights are finite, not negative and not all 0, n >= 0, and
/// without replacement n is at most the number of weights above 0.
void multinomial(std::int64_t* out, std::int64_t n, std::span<const double> weights, bool replacement,
                 Generator& generator);
/// Throws what multinomial would throw.
void check_multinomial(std::span<const double> weights, std::int64_t n, bool replacement);

}  // namespace teff

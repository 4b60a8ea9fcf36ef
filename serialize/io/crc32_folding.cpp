// SPDX-License-Identifier: MIT

// Compiled with -mpclmul -msse4.1 where the processor may have them; see CMakeLists.txt. After "Fast CRC Computation
// for Generic Polynomials Using PCLMULQDQ Instruction" (Gopal and others, Intel, 2009), but for the last reduction,
// which the tables do.
#ifdef __PCLMUL__

#include <immintrin.h>

#include <array>

#include "teff/serialize/io/crc32.h"

namespace teff::serialize {
namespace {

constexpr std::size_t kLane = 16;  // bytes of a register
/// The factors that move a lane over `bits` bits of the message: for its lower and for its upper half.
__m128i factors(unsigned bits) {
  const auto constant = [](unsigned n) { return static_cast<long long>(crc32_power(n)) << 1; };
  return _mm_set_epi64x(constant(bits - 32), constant(bits + 32));
}

__m128i load(const std::byte* bytes) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes)); }

/// What lies `bits` before `next`, added to it.
inline __m128i fold(__m128i lane, __m128i next, __m128i by) {
  const __m128i lower = _mm_clmulepi64_si128(lane, by, 0x00), upper = _mm_clmulepi64_si128(lane, by, 0x11);
  return _mm_xor_si128(next, _mm_xor_si128(lower, upper));
}

}  // namespace

namespace {

/// Folds 16-byte lanes that follow each other into one. It has the same remainder as all that it stands for; its
/// checksum begins with 0, which is the complement of ~0.
template <std::size_t lanes>
std::uint32_t finish(const __m128i (&lane)[lanes], std::span<const std::byte> rest) {
  static const __m128i over_lane = factors(8 * kLane);
  __m128i sum = lane[0];
  for (std::size_t i = 1; i < lanes; ++i) sum = fold(sum, lane[i], over_lane);
  std::array<std::byte, kLane> last;
  _mm_storeu_si128(reinterpret_cast<__m128i*>(last.data()), sum);
  return crc32_by_table(rest, crc32_by_table(last, ~std::uint32_t{0}));
}

}  // namespace

std::uint32_t crc32_by_folding(std::span<const std::byte> bytes, std::uint32_t before) {
  constexpr std::size_t kLanes = 4, kStep = kLanes * kLane;
  if (bytes.size() < 2 * kStep) return crc32_by_table(bytes, before);
  static const __m128i over_step = factors(8 * kStep);
  __m128i lanes[kLanes];
  for (std::size_t i = 0; i < kLanes; ++i) lanes[i] = load(bytes.data() + i * kLane);
  lanes[0] = _mm_xor_si128(lanes[0], _mm_cvtsi32_si128(static_cast<int>(~before)));
  for (bytes = bytes.subspan(kStep); bytes.size() >= kStep; bytes = bytes.subspan(kStep)) {
    for (std::size_t i = 0; i < kLanes; ++i) lanes[i] = fold(lanes[i], load(bytes.data() + i * kLane), over_step);
  }
  return finish(lanes, bytes);
}

/// The same with pairs of lanes.
__attribute__((target("avx2,vpclmulqdq"))) std::uint32_t crc32_by_wide_folding(std::span<const std::byte> bytes,
                                                                               std::uint32_t before) {
  constexpr std::size_t kPairs = 4, kPair = 2 * kLane, kStep = kPairs * kPair;
  if (bytes.size() < 2 * kStep) return crc32_by_folding(bytes, before);
  static const __m128i over_step = factors(8 * kStep);
  const __m256i by = _mm256_broadcastsi128_si256(over_step);
  __m256i pairs[kPairs];
  const std::byte* at = bytes.data();
  for (std::size_t i = 0; i < kPairs; ++i)
    pairs[i] = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at + i * kPair));
  pairs[0] = _mm256_xor_si256(pairs[0], _mm256_setr_epi32(static_cast<int>(~before), 0, 0, 0, 0, 0, 0, 0));
  const std::size_t steps = bytes.size() / kStep;
  for (std::size_t step = 1; step < steps; ++step) {
    at += kStep;
    for (std::size_t i = 0; i < kPairs; ++i) {
      const __m256i next = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at + i * kPair));
      const __m256i lower = _mm256_clmulepi64_epi128(pairs[i], by, 0x00);
      const __m256i upper = _mm256_clmulepi64_epi128(pairs[i], by, 0x11);
      pairs[i] = _mm256_xor_si256(next, _mm256_xor_si256(lower, upper));
    }
  }
  __m128i lanes[2 * kPairs];
  for (std::size_t i = 0; i < kPairs; ++i) {
    lanes[2 * i] = _mm256_castsi256_si128(pairs[i]);
    lanes[2 * i + 1] = _mm256_extracti128_si256(pairs[i], 1);
  }
  return finish(lanes, bytes.subspan(steps * kStep));
}

}  // namespace teff::serialize

#endif

// SPDX-License-Identifier: MIT

// Compiled with -mpclmul -msse4.1 where the processor may have them; see CMakeLists.txt. After "Fast CRC Computation
// for Generic Polynomials Using PCLMULQDQ Instruction" (Gopal and others, Intel, 2009), but for the last reduction,
// which the tables do.
#ifdef __PCLMUL__

#include <immintrin.h>

#include <array>

#include "teff/serialize/crc32.h"

namespace teff::file {
namespace {

constexpr std::size_t kLane = 16;  // bytes of a register
constexpr std::size_t kLanes = 4;

/// The factors that move a lane over `bits` bits of the message: for its lower and for its upper half.
__m128i factors(unsigned bits) {
  const auto constant = [](unsigned n) { return static_cast<long long>(std::uint64_t{crc32_power(n)} << 1); };
  return _mm_set_epi64x(constant(bits - 32), constant(bits + 32));
}

__m128i load(const std::byte* bytes) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes)); }

/// What lies `bits` before `next`, added to it.
inline __m128i fold(__m128i lane, __m128i next, __m128i by) {
  const __m128i lower = _mm_clmulepi64_si128(lane, by, 0x00), upper = _mm_clmulepi64_si128(lane, by, 0x11);
  return _mm_xor_si128(next, _mm_xor_si128(lower, upper));
}

}  // namespace

std::uint32_t crc32_by_folding(std::span<const std::byte> bytes, std::uint32_t before) {
  constexpr std::size_t kStep = kLanes * kLane;
  if (bytes.size() < 2 * kStep) return crc32_by_table(bytes, before);
  static const __m128i over_step = factors(8 * kStep), over_lane = factors(8 * kLane);
  __m128i lanes[kLanes];
  for (std::size_t i = 0; i < kLanes; ++i) lanes[i] = load(bytes.data() + i * kLane);
  lanes[0] = _mm_xor_si128(lanes[0], _mm_cvtsi32_si128(static_cast<int>(~before)));
  for (bytes = bytes.subspan(kStep); bytes.size() >= kStep; bytes = bytes.subspan(kStep)) {
    for (std::size_t i = 0; i < kLanes; ++i) lanes[i] = fold(lanes[i], load(bytes.data() + i * kLane), over_step);
  }
  for (std::size_t i = 1; i < kLanes; ++i) lanes[i] = fold(lanes[i - 1], lanes[i], over_lane);
  // What is left is as long as a lane and has the same remainder as all that it stands for; its checksum begins with 0,
  // which is the complement of ~0.
  std::array<std::byte, kLane> rest;
  _mm_storeu_si128(reinterpret_cast<__m128i*>(rest.data()), lanes[kLanes - 1]);
  return crc32_by_table(bytes, crc32_by_table(rest, ~std::uint32_t{0}));
}

}  // namespace teff::file

#endif

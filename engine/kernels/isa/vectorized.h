// SPDX-License-Identifier: MIT
#pragma once

// Loops over packets: the registers of the instruction set, by Eigen's names. The last, incomplete packet of
// an array goes through the same instructions as the others, partially filled, so that a result does not
// depend on where in its array a value lies.
//
// Everything is in the namespace of the instruction set, helpers that the standard library has included: an
// out-of-line copy of std::max compiled for AVX-512 could be linked into code for older machines.

// GCC 12 takes the "undefined" registers of its own AVX-512 header for a mistake (its bug 105593).
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#endif
#include <Eigen/Core>
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>

#include "teff/engine/kernels/clamp.h"
#include "teff/engine/kernels/isa/tuning.h"
#include "teff/engine/parallel.h"

// Arrays of packets, and lanes with an index, become registers only if every loop over them is unrolled.
#if defined(__clang__)
#define TEFF_UNROLL _Pragma("clang loop unroll(full)")
#else
#define TEFF_UNROLL _Pragma("GCC unroll 16")
#endif

namespace teff::kernels::TEFF_ISA {

using std::int64_t;

using Eigen::internal::padd;
using Eigen::internal::pcmp_eq;
using Eigen::internal::pdiv;
using Eigen::internal::pload;
using Eigen::internal::ploadu;
using Eigen::internal::pmadd;
using Eigen::internal::pmul;
using Eigen::internal::pselect;
using Eigen::internal::pset1;
using Eigen::internal::pstore;
using Eigen::internal::pstoreu;
using Eigen::internal::psub;

template <class T>
using Packet = typename Eigen::internal::packet_traits<T>::type;
template <class T>
constexpr int64_t kLanes = Eigen::internal::unpacket_traits<Packet<T>>::size;
template <class T>
constexpr T kInfinity = std::numeric_limits<T>::infinity();

constexpr int64_t smaller(int64_t a, int64_t b) { return b < a ? b : a; }
constexpr int64_t larger(int64_t a, int64_t b) { return a < b ? b : a; }
constexpr int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

template <class T>
Packet<T> splat(T value) {
  return pset1<Packet<T>>(value);
}

template <class T>
Packet<T> load(const T* x, int64_t i) {
  return ploadu<Packet<T>>(x + i);
}

// load_part(x, i, count, fill): x[i .. i + count), then fill. store_part(y, i, count, p): the first count
// lanes of p. count is from 1 to kLanes - 1; memory beyond is not touched.

#if defined(__AVX512F__)
inline Packet<float> load_part(const float* x, int64_t i, int64_t count, float fill = 0) {
  return _mm512_mask_loadu_ps(_mm512_set1_ps(fill), static_cast<__mmask16>((1u << count) - 1), x + i);
}
inline Packet<double> load_part(const double* x, int64_t i, int64_t count, double fill = 0) {
  return _mm512_mask_loadu_pd(_mm512_set1_pd(fill), static_cast<__mmask8>((1u << count) - 1), x + i);
}
inline void store_part(float* y, int64_t i, int64_t count, Packet<float> p) {
  _mm512_mask_storeu_ps(y + i, static_cast<__mmask16>((1u << count) - 1), p);
}
inline void store_part(double* y, int64_t i, int64_t count, Packet<double> p) {
  _mm512_mask_storeu_pd(y + i, static_cast<__mmask8>((1u << count) - 1), p);
}
#elif defined(__AVX2__)
inline Packet<float> load_part(const float* x, int64_t i, int64_t count, float fill = 0) {
  const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  const __m256i mask = _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(count)), lane);
  return _mm256_blendv_ps(_mm256_set1_ps(fill), _mm256_maskload_ps(x + i, mask), _mm256_castsi256_ps(mask));
}
inline Packet<double> load_part(const double* x, int64_t i, int64_t count, double fill = 0) {
  const __m256i mask = _mm256_cmpgt_epi64(_mm256_set1_epi64x(count), _mm256_setr_epi64x(0, 1, 2, 3));
  return _mm256_blendv_pd(_mm256_set1_pd(fill), _mm256_maskload_pd(x + i, mask), _mm256_castsi256_pd(mask));
}
// In halves, quarters ...: a masked store is slow on AMD's machines.
inline void store_part(float* y, int64_t i, int64_t count, Packet<float> p) {
  __m128 rest = _mm256_castps256_ps128(p);
  y += i;
  if ((count & 4) != 0) {
    _mm_storeu_ps(y, rest);
    rest = _mm256_extractf128_ps(p, 1);
    y += 4;
  }
  if ((count & 2) != 0) {
    _mm_storel_epi64(reinterpret_cast<__m128i*>(y), _mm_castps_si128(rest));  // of any alignment
    rest = _mm_movehl_ps(rest, rest);
    y += 2;
  }
  if ((count & 1) != 0) _mm_store_ss(y, rest);
}
inline void store_part(double* y, int64_t i, int64_t count, Packet<double> p) {
  __m128d rest = _mm256_castpd256_pd128(p);
  y += i;
  if ((count & 2) != 0) {
    _mm_storeu_pd(y, rest);
    rest = _mm256_extractf128_pd(p, 1);
    y += 2;
  }
  if ((count & 1) != 0) _mm_store_sd(y, rest);
}
#else
// Lane by lane in a register: by way of memory, the packet would have to wait for every value to be written.
template <class T>
Packet<T> load_part(const T* x, int64_t i, int64_t count, T fill = 0) {
  Packet<T> p = splat(fill);
  TEFF_UNROLL
  for (int64_t l = 0; l + 1 < kLanes<T>; ++l) {
    if (l < count) p[l] = x[i + l];
  }
  return p;
}
template <class T>
void store_part(T* y, int64_t i, int64_t count, Packet<T> p) {
  TEFF_UNROLL
  for (int64_t l = 0; l + 1 < kLanes<T>; ++l) {
    if (l < count) y[i + l] = p[l];
  }
}
#endif

/// For loops whose packets may all be incomplete: count is from 1 to kLanes.
template <class T>
Packet<T> load_some(const T* x, int64_t i, int64_t count, T fill = 0) {
  return count == kLanes<T> ? load(x, i) : load_part(x, i, count, fill);
}
template <class T>
void store_some(T* y, int64_t i, int64_t count, Packet<T> p) {
  if (count == kLanes<T>) {
    pstoreu(y + i, p);
  } else {
    store_part(y, i, count, p);
  }
}

/// For arrays that are often too short for the functions of the C library.
template <class T>
inline void copy(const T* from, int64_t count, T* to) {
  for (int64_t i = 0; i < count; i += kLanes<T>) {
    const int64_t lanes = smaller(kLanes<T>, count - i);
    store_some(to, i, lanes, load_some(from, i, lanes));
  }
}

/// An operand of map that has the same value everywhere.
template <class T>
struct Repeat {
  Packet<T> value;
};
template <class T>
Packet<T> load(Repeat<T> x, int64_t) {
  return x.value;
}
template <class T>
Packet<T> load_part(Repeat<T> x, int64_t, int64_t, T = 0) {
  return x.value;
}

/// out[i] = f(in[i]...) for i in [begin, end); f works on packets. out may be one of the inputs.
template <class T, class F, class... In>
inline void map(int64_t begin, int64_t end, T* out, const F& f, In... in) {
  int64_t i = begin;
  for (; i + kLanes<T> <= end; i += kLanes<T>) pstoreu(out + i, f(load(in, i)...));
  if (i < end) store_part(out, i, end - i, f(load_part(in, i, end - i)...));
}

/// map over [0, n), on several threads if n is large.
template <class T, class F, class... In>
void parallel_map(int64_t n, T* out, const F& f, In... in) {
  parallel_ranges(n, kGrain, [=](int64_t begin, int64_t end) {
    const F local = f;  // in registers: the compiler knows that nothing else can change it
    map(begin, end, out, local, in...);
  });
}

/// The larger value; NaN if one of the two is. (Eigen's pmax gives the first if the two cannot be compared.)
template <class P>
P maximum(P a, P b) {
  return pselect(pcmp_eq(b, b), Eigen::internal::pmax(a, b), b);
}
template <class P>
P minimum(P a, P b) {
  return pselect(pcmp_eq(b, b), Eigen::internal::pmin(a, b), b);
}

/// Whether it changes anything.
template <class T>
bool is_any(const Clamp<T>& clamp) {
  return clamp.low > -kInfinity<T> || clamp.high < kInfinity<T>;
}

/// As Clamp says. (Keeps NaN and the zero that it is given, for Eigen's pmax and pmin give the first in doubt.)
template <class T>
Packet<T> clamped(Packet<T> value, const Clamp<T>& clamp) {
  return Eigen::internal::pmin(Eigen::internal::pmax(value, splat(clamp.low)), splat(clamp.high));
}

// Pairs of neighbours in two packets, as in the rows of 2 by 2 windows: [a0 a1 ..][b0 b1 ..].
namespace lanes {
template <class P, std::size_t... I>
P even(P a, P b, std::index_sequence<I...>) {
  return __builtin_shufflevector(a, b, static_cast<int>(2 * I)...);
}
template <class P, std::size_t... I>
P odd(P a, P b, std::index_sequence<I...>) {
  return __builtin_shufflevector(a, b, static_cast<int>(2 * I + 1)...);
}
template <class P, std::size_t First, std::size_t... I>
P pairs(P a, P b, std::index_sequence<I...>) {
  return __builtin_shufflevector(a, b, static_cast<int>(First + I / 2 + I % 2 * sizeof...(I))...);
}
template <class P>
using Indices = std::make_index_sequence<Eigen::internal::unpacket_traits<P>::size>;
}  // namespace lanes

/// a0 a2 .. b0 b2 ..
template <class P>
P even_lanes(P a, P b) {
  return lanes::even(a, b, lanes::Indices<P>());
}
/// a1 a3 .. b1 b3 ..
template <class P>
P odd_lanes(P a, P b) {
  return lanes::odd(a, b, lanes::Indices<P>());
}
/// a0 b0 a1 b1 .., from the first half of both
template <class P>
P low_pairs(P a, P b) {
  return lanes::pairs<P, 0>(a, b, lanes::Indices<P>());
}
/// The same from the second half.
template <class P>
P high_pairs(P a, P b) {
  return lanes::pairs<P, lanes::Indices<P>::size() / 2>(a, b, lanes::Indices<P>());
}

/// f on each lane, for scalar functions that have no packet form.
template <class P, class F>
P each_lane(P p, const F& f) {
  using T = typename Eigen::internal::unpacket_traits<P>::type;
  alignas(64) T lanes[kLanes<T>];
  pstore(lanes, p);
  for (int64_t l = 0; l < kLanes<T>; ++l) lanes[l] = f(lanes[l]);
  return pload<P>(lanes);
}

}  // namespace teff::kernels::TEFF_ISA

// SPDX-License-Identifier: MIT
#pragma once

// Packets of a row that has zeros on both sides.

#include "teff/engine/kernels/isa/vectorized.h"

namespace teff::kernels::TEFF_ISA {

/// Whether the machine loads some lanes of a packet as fast as all; else there is no RowLanes::load.
#if defined(__AVX2__)
constexpr bool kMaskedLoads = true;
#else
constexpr bool kMaskedLoads = false;
#endif

/// Those lanes of the packet at `first`, which may be negative, that lie in a row [0, size).
template <class T>
class RowLanes {
 public:
  RowLanes(int64_t first, int64_t size)
      : first_(first),
        begin_(smaller(kLanes<T>, larger(0, -first))),
        end_(larger(begin_, smaller(kLanes<T>, size - first))) {}

  /// row[first ..), 0 in the other lanes. Nothing else is read.
  Packet<T> load(const T* row) const;

 private:
  int64_t first_, begin_, end_;
};

#if defined(__AVX512F__)
template <>
inline Packet<float> RowLanes<float>::load(const float* row) const {
  return _mm512_maskz_loadu_ps(static_cast<__mmask16>((1u << end_) - (1u << begin_)), row + first_);
}
template <>
inline Packet<double> RowLanes<double>::load(const double* row) const {
  return _mm512_maskz_loadu_pd(static_cast<__mmask8>((1u << end_) - (1u << begin_)), row + first_);
}
#elif defined(__AVX2__)
template <>
inline Packet<float> RowLanes<float>::load(const float* row) const {
  if (end_ - begin_ == kLanes<float>) return ploadu<Packet<float>>(row + first_);
  const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  const __m256i before = _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(begin_)), lane);
  const __m256i inside = _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(end_)), lane);
  return _mm256_maskload_ps(row + first_, _mm256_andnot_si256(before, inside));
}
template <>
inline Packet<double> RowLanes<double>::load(const double* row) const {
  if (end_ - begin_ == kLanes<double>) return ploadu<Packet<double>>(row + first_);
  const __m256i lane = _mm256_setr_epi64x(0, 1, 2, 3);
  const __m256i before = _mm256_cmpgt_epi64(_mm256_set1_epi64x(begin_), lane);
  const __m256i inside = _mm256_cmpgt_epi64(_mm256_set1_epi64x(end_), lane);
  return _mm256_maskload_pd(row + first_, _mm256_andnot_si256(before, inside));
}
#endif

}  // namespace teff::kernels::TEFF_ISA

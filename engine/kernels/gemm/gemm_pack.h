// SPDX-License-Identifier: MIT
#pragma once

// Packing: panels in the order in which the innermost loop reads them. Packets are stored whole, so each function may
// write up to kLanes - 1 values beyond its panel; rows are written in order, so within the panel these are overwritten.

#include "teff/engine/kernels/isa/vectorized.h"

namespace teff::kernels::TEFF_ISA {

// A register type as a template argument loses its attributes, none of which matters here.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wignored-attributes"
#endif

/// As many rows as a packet has lanes.
template <class T>
using SquareBlock = Eigen::internal::PacketBlock<Packet<T>, static_cast<int>(kLanes<T>)>;

#if defined(__AVX512F__)
/// 64 shuffles; Eigen 3.4's ptranspose takes twice as long.
inline void transpose(SquareBlock<float>& block) {
  __m512* r = block.packet;
  __m512 t[16];
  for (int i = 0; i < 16; i += 2) {
    t[i] = _mm512_unpacklo_ps(r[i], r[i + 1]);
    t[i + 1] = _mm512_unpackhi_ps(r[i], r[i + 1]);
  }
  for (int i = 0; i < 16; i += 4) {  // r[i + j]: columns j, j + 4, j + 8, j + 12 of rows i to i + 3
    const __m512d a = _mm512_castps_pd(t[i]), b = _mm512_castps_pd(t[i + 1]);
    const __m512d c = _mm512_castps_pd(t[i + 2]), d = _mm512_castps_pd(t[i + 3]);
    r[i] = _mm512_castpd_ps(_mm512_unpacklo_pd(a, c));
    r[i + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(a, c));
    r[i + 2] = _mm512_castpd_ps(_mm512_unpacklo_pd(b, d));
    r[i + 3] = _mm512_castpd_ps(_mm512_unpackhi_pd(b, d));
  }
  for (int j = 0; j < 4; ++j) {
    const __m512 even_high = _mm512_shuffle_f32x4(r[j], r[j + 4], 0x88);
    const __m512 odd_high = _mm512_shuffle_f32x4(r[j], r[j + 4], 0xdd);
    const __m512 even_low = _mm512_shuffle_f32x4(r[j + 8], r[j + 12], 0x88);
    const __m512 odd_low = _mm512_shuffle_f32x4(r[j + 8], r[j + 12], 0xdd);
    r[j] = _mm512_shuffle_f32x4(even_high, even_low, 0x88);
    r[j + 4] = _mm512_shuffle_f32x4(odd_high, odd_low, 0x88);
    r[j + 8] = _mm512_shuffle_f32x4(even_high, even_low, 0xdd);
    r[j + 12] = _mm512_shuffle_f32x4(odd_high, odd_low, 0xdd);
  }
}
inline void transpose(SquareBlock<double>& block) { Eigen::internal::ptranspose(block); }
#else
template <class Block>
inline void transpose(Block& block) {
  Eigen::internal::ptranspose(block);
}
#endif

/// The square whose rows lie at from[0] + kk, from[1] + kk, ..., as columns: to[j * width + i] = from[i][kk + j].
template <class T>
inline void transpose_square(const T* const* from, int64_t kk, T* to, int64_t width) {
  SquareBlock<T> block;
  TEFF_UNROLL
  for (int64_t i = 0; i < kLanes<T>; ++i) block.packet[i] = load(from[i], kk);
  transpose(block);
  TEFF_UNROLL
  for (int64_t j = 0; j < kLanes<T>; ++j) pstoreu(to + j * width, block.packet[j]);
}

/// The same for the first `depth` columns of `height` rows. whole: more rows than that may be written.
template <class T>
inline void transpose_part(const T* const* from, int64_t kk, int64_t height, int64_t depth, bool whole, T* to,
                           int64_t width) {
  SquareBlock<T> block;
  TEFF_UNROLL
  for (int64_t i = 0; i < kLanes<T>; ++i) block.packet[i] = load_some(from[i], kk, depth);
  transpose(block);
  TEFF_UNROLL
  for (int64_t j = 0; j < kLanes<T>; ++j) {
    if (j < depth) store_some(to, j * width, whole ? kLanes<T> : height, block.packet[j]);
  }
}

/// panel[kk * width + r] = row(r)[kk] for r < rows <= width.
template <class T, class Row>
inline void pack_transposed(int64_t rows, int64_t k, const Row& row, T* panel, int64_t width) {
  constexpr int64_t L = kLanes<T>;
  for (int64_t r = 0; r < rows; r += L) {
    const int64_t height = smaller(L, rows - r);
    const bool whole = r == 0 || r + L <= width;
    const T* from[L];  // lanes that nobody reads repeat the last row
    for (int64_t i = 0; i < L; ++i) from[i] = row(r + smaller(i, height - 1));
    int64_t kk = 0;
    for (; whole && kk + L <= k; kk += L) transpose_square(from, kk, panel + kk * width + r, width);
    for (; kk < k; kk += L) transpose_part(from, kk, height, smaller(L, k - kk), whole, panel + kk * width + r, width);
  }
}

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

/// The same for rows that are ld elements apart.
template <class T>
inline void pack_transposed(int64_t rows, int64_t k, const T* source, int64_t ld, T* panel, int64_t width) {
  pack_transposed(
      rows, k, [=](int64_t r) { return source + r * ld; }, panel, width);
}

/// panel[kk * width + j] = source[kk * ld + j] for j < columns <= width.
template <class T>
inline void pack_rows(int64_t k, int64_t columns, const T* source, int64_t ld, T* panel, int64_t width) {
  for (int64_t kk = 0; kk < k; ++kk, source += ld, panel += width) {
    for (int64_t j = 0; j < columns; j += kLanes<T>) {
      if (kk + kRowsAhead < k) __builtin_prefetch(source + kRowsAhead * ld + j);
      pstoreu(panel + j, load_some(source, j, smaller(kLanes<T>, columns - j)));
    }
  }
}

}  // namespace teff::kernels::TEFF_ISA

// SPDX-License-Identifier: MIT
#pragma once

// Many dot products at once, for gradients of weights with few output channels: a product whose inner dimension, the
// pixels, is contiguous in both operands, and which is too small to make up for packing them.

#include "teff/engine/kernels/gemm_micro.h"

namespace teff::kernels::TEFF_ISA {

/// Rows x columns packets of sums, a row of columns and one packet more must fit the registers.
#if defined(__AVX512F__) || defined(__aarch64__)
constexpr int64_t kDotRows = 6, kDotColumns = 4;
#else
constexpr int64_t kDotRows = 3, kDotColumns = 3;
#endif

/// result[r, c] = or += sum over y, x of a[r * a_step + y * width + x] * b[offsets[c] + y * b_pitch + x].
template <class T>
struct DotTile {
  int64_t rows, columns;    // 1 .. kDotRows, 1 .. kDotColumns: what is missing is computed and thrown away
  int64_t height, width;    // y and x
  const T* a;
  int64_t a_step;
  const T* b;
  const int64_t* offsets;
  int64_t b_pitch;
  T* result;
  int64_t result_step;
  bool accumulate;
};

template <class T>
inline void dot_tile(const DotTile<T>& tile) {
  const T *a[kDotRows], *b[kDotColumns];
  Packet<T> sums[kDotRows][kDotColumns];
  TEFF_UNROLL
  for (int64_t c = 0; c < kDotColumns; ++c) b[c] = tile.b + tile.offsets[smaller(c, tile.columns - 1)];
  TEFF_UNROLL
  for (int64_t r = 0; r < kDotRows; ++r) {
    a[r] = tile.a + smaller(r, tile.rows - 1) * tile.a_step;
    TEFF_UNROLL
    for (int64_t c = 0; c < kDotColumns; ++c) sums[r][c] = splat(T(0));
  }
  const int64_t whole = tile.width / kLanes<T> * kLanes<T>, rest = tile.width - whole;
  for (int64_t y = 0; y < tile.height; ++y) {
    const int64_t from_a = y * tile.width, from_b = y * tile.b_pitch;
    const auto step = [&](auto load_a, auto load_b) __attribute__((always_inline)) {
      Packet<T> column[kDotColumns];
      TEFF_UNROLL
      for (int64_t c = 0; c < kDotColumns; ++c) column[c] = load_b(b[c] + from_b);
      TEFF_UNROLL
      for (int64_t r = 0; r < kDotRows; ++r) {
        const Packet<T> row = load_a(a[r] + from_a);
        TEFF_UNROLL
        for (int64_t c = 0; c < kDotColumns; ++c) sums[r][c] = pmadd(row, column[c], sums[r][c]);
      }
    };
    for (int64_t x = 0; x < whole; x += kLanes<T>) {
      const auto at = [x](const T* p) { return load(p, x); };
      step(at, at);
    }
    if (rest != 0) {
      const auto part = [=](const T* p) { return load_part(p, whole, rest); };
      step(part, part);
    }
  }
  T totals[kDotRows][kDotColumns];
  TEFF_UNROLL
  for (int64_t r = 0; r < kDotRows; ++r) {
    TEFF_UNROLL
    for (int64_t c = 0; c < kDotColumns; ++c) totals[r][c] = Eigen::internal::predux(sums[r][c]);
  }
  for (int64_t r = 0; r < tile.rows; ++r) {
    T* result = tile.result + r * tile.result_step;
    for (int64_t c = 0; c < tile.columns; ++c) {
      result[c] = tile.accumulate ? result[c] + totals[r][c] : totals[r][c];
    }
  }
}

}  // namespace teff::kernels::TEFF_ISA

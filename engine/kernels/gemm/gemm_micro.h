// SPDX-License-Identifier: MIT
#pragma once

// The innermost loop of matrix products and convolutions: one tile of C, held in registers over all of k.

#include "teff/engine/kernels/isa/vectorized.h"

namespace teff::kernels::TEFF_ISA {

/// The widest tile; tuning.h has the tallest, kTileRows.
constexpr int64_t kTilePackets = 2;
template <class T>
constexpr int64_t kTileColumns = kTilePackets* kLanes<T>;

/// A range cut into parts whose sizes differ by one at most.
struct Parts {
  int64_t size, count;

  /// The first parts are the longer ones. No product here is larger than size.
  int64_t begin(int64_t part) const { return part * (size / count) + smaller(part, size % count); }
  int64_t length(int64_t part) const { return begin(part + 1) - begin(part); }
  int64_t longest() const { return ceil_div(size, count); }
};

inline Parts parts_of_at_most(int64_t size, int64_t most) { return {size, larger(1, ceil_div(size, most))}; }

/// C[rows, columns] = A * B, with A packed as [k, rows] and row kk of B at b + kk * b_stride or, if offsets is not
/// null, at b + offsets[kk]. Whole packets of B are read: columns rounded up must lie inside the array.
template <class T>
struct Tile {
  int64_t k;
  const T* a;
  const T* b;
  int64_t b_stride;
  const int64_t* offsets;
  T* c;
  int64_t ldc;
  int64_t columns;       // 1 .. kTileColumns
  bool accumulate;       // C += instead of C =
  const T* row_bias;     // [rows] or null
  const T* column_bias;  // [columns] or null
  Clamp<T> clamp;
  // A tile of two halves, for few rows and few columns: the second has as many columns, this far on in B and in C.
  int64_t b_second = 0;  // 0: there is only one. Else offsets is not null and column_bias is.
  int64_t c_second = 0;
};

/// The most rows of a tile of two halves.
constexpr int64_t kHalfRows = kTileRows / 2;

/// Computes one tile of 1 .. kTileRows rows.
template <class T>
void multiply_tile(int64_t rows, const Tile<T>& tile);

}  // namespace teff::kernels::TEFF_ISA

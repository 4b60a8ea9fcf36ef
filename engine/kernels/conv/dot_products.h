// SPDX-License-Identifier: MIT
#pragma once

// Many dot products at once, for gradients of weights with few output channels: a product whose inner dimension, the
// pixels, is contiguous in both operands, and which is too small to make up for packing them.

#include "teff/engine/kernels/gemm/gemm_micro.h"
#include "teff/engine/kernels/isa/workspace.h"

namespace teff::kernels::TEFF_ISA {

/// A block of the inner dimension: `height` rows of `width` values. Row r of A has value (y, x) of it at
/// a[r * a_step + y * width + x], row c of B at b[offsets[c] + y * b_pitch + x].
template <class T>
struct DotBlock {
  int64_t height, width;
  const T* a;
  int64_t a_step;
  const T* b;
  const int64_t* offsets;
  int64_t b_pitch;
};

/// The matrix [rows, columns] of the dot products of the rows of A with those of B. The lanes are kept apart from block
/// to block and added at the end: to add them costs as much as several rows of an image.
template <class T>
class DotProducts {
 public:
  DotProducts(int64_t rows, int64_t columns);

  /// Adds what one block contributes to each product, or begins with it.
  void add(const DotBlock<T>& block, bool first);
  /// result[r * step + c] = product (r, c).
  void totals(int64_t step, T* result);

 private:
  int64_t tile_sums(int64_t row, int64_t column) const;

  int64_t rows_, columns_;
  bool tall_;  // the form of the tiles
  int64_t tile_rows_, tile_columns_;
  Workspace<T> sums_;  // [tiles of rows, tiles of columns, tile_rows_, tile_columns_, lanes]
};

}  // namespace teff::kernels::TEFF_ISA

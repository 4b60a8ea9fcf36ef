// SPDX-License-Identifier: MIT
#include "teff/engine/kernels/gemm_micro.h"

namespace teff::kernels::TEFF_ISA {
namespace {

template <class T>
struct StridedRows {
  const T* row;
  int64_t stride;
  explicit StridedRows(const Tile<T>& tile) : row(tile.b), stride(tile.b_stride) {}
  const T* next() {
    const T* current = row;
    row += stride;
    return current;
  }
};

template <class T>
struct OffsetRows {
  const T* base;
  const int64_t* offset;
  explicit OffsetRows(const Tile<T>& tile) : base(tile.b), offset(tile.offsets) {}
  const T* next() { return base + *offset++; }
};

/// Adds what the tile asks for to the sums, [rows, width], and writes them to C. A function of its own, not unrolled:
/// the detour through the stack costs little beside a long loop over k and saves a lot of code.
template <class T>
__attribute__((noinline)) void finish(const Tile<T>& tile, const T* sums, int rows, int64_t width) {
  const bool clamps = is_any(tile.clamp);
  for (int r = 0; r < rows; ++r, sums += width) {
    T* c = tile.c + r * tile.ldc;
    const T bias = tile.row_bias == nullptr ? T(0) : tile.row_bias[r];
    for (int64_t j = 0; j < tile.columns; j += kLanes<T>) {
      const int64_t count = smaller(kLanes<T>, tile.columns - j);
      Packet<T> value = padd(load(sums, j), splat(bias));
      if (tile.column_bias != nullptr) value = padd(value, load_some(tile.column_bias, j, count));
      if (tile.accumulate) value = padd(value, load_some(c, j, count));
      if (clamps) value = clamped(value, tile.clamp);
      store_some(c, j, count, value);
    }
  }
}

template <class T, int Rows, int Packets, class BRows>
void tile_kernel(const Tile<T>& tile) {
  Packet<T> sums[Rows][Packets];
  TEFF_UNROLL
  for (int r = 0; r < Rows; ++r) {
    TEFF_UNROLL
    for (int p = 0; p < Packets; ++p) sums[r][p] = splat(T(0));
  }
  TEFF_UNROLL
  for (int r = 0; r < Rows; ++r) {    // C is wanted when the sums are done
    TEFF_UNROLL
    for (int p = 0; p < Packets; ++p) __builtin_prefetch(tile.c + r * tile.ldc + p * kLanes<T>, 1);
  }
  BRows rows(tile);
  const T* a = tile.a;
  for (int64_t k = tile.k; k > 0; --k) {
    const T* row = rows.next();
    Packet<T> b[Packets];
    TEFF_UNROLL
    for (int p = 0; p < Packets; ++p) b[p] = load(row, p * kLanes<T>);
    TEFF_UNROLL
    for (int r = 0; r < Rows; ++r) {
      const Packet<T> factor = splat(a[r]);
      TEFF_UNROLL
      for (int p = 0; p < Packets; ++p) sums[r][p] = pmadd(factor, b[p], sums[r][p]);
    }
    a += Rows;
  }
  if (!tile.accumulate && tile.column_bias == nullptr && tile.columns == Packets * kLanes<T>) {
    TEFF_UNROLL
    for (int r = 0; r < Rows; ++r) {
      const Packet<T> bias = splat(tile.row_bias == nullptr ? T(0) : tile.row_bias[r]);
      TEFF_UNROLL
      for (int p = 0; p < Packets; ++p) {
        pstoreu(tile.c + r * tile.ldc + p * kLanes<T>, clamped(padd(sums[r][p], bias), tile.clamp));
      }
    }
    return;
  }
  alignas(64) T buffer[Rows * Packets * kLanes<T>];
  TEFF_UNROLL
  for (int r = 0; r < Rows; ++r) {
    TEFF_UNROLL
    for (int p = 0; p < Packets; ++p) pstore(buffer + (r * Packets + p) * kLanes<T>, sums[r][p]);
  }
  finish(tile, buffer, Rows, Packets * kLanes<T>);
}

template <class T>
using TileKernel = void (*)(const Tile<T>&);

/// table[packets - 1][rows - 1]
template <class T, class BRows>
struct TileKernels {
  TileKernel<T> table[kTilePackets][kTileRows] = {};

  constexpr TileKernels() { fill<1>(); }

  template <int Rows>
  constexpr void fill() {
    table[0][Rows - 1] = &tile_kernel<T, Rows, 1, BRows>;
    table[1][Rows - 1] = &tile_kernel<T, Rows, 2, BRows>;
    if constexpr (Rows < kTileRows) fill<Rows + 1>();
  }
};

template <class T>
constexpr TileKernels<T, StridedRows<T>> kStrided;
template <class T>
constexpr TileKernels<T, OffsetRows<T>> kOffset;

}  // namespace

template <class T>
void multiply_tile(int64_t rows, const Tile<T>& tile) {
  const int packets = tile.columns > kLanes<T> ? 1 : 0;
  const auto& table = tile.offsets == nullptr ? kStrided<T>.table : kOffset<T>.table;
  table[packets][rows - 1](tile);
}

template void multiply_tile(int64_t, const Tile<float>&);
template void multiply_tile(int64_t, const Tile<double>&);

}  // namespace teff::kernels::TEFF_ISA

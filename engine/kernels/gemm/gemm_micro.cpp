// SPDX-License-Identifier: MIT
#include "teff/engine/kernels/gemm/gemm_micro.h"

#include "teff/engine/build.h"

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
__attribute__((noinline)) void finish(const Tile<T>& tile, T* c, const T* sums, int rows, int64_t width) {
  const bool clamps = is_any(tile.clamp);
  for (int r = 0; r < rows; ++r, sums += width, c += tile.ldc) {
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

template <class T, int Rows, int Packets, class BRows, int Halves = 1>
void tile_kernel(const Tile<T>& tile) {
  constexpr int64_t L = kLanes<T>;
  Packet<T> sums[Halves][Rows][Packets];
  const auto for_each = [&](const auto& body) __attribute__((always_inline)) {
    TEFF_UNROLL
    for (int s = 0; s < Halves; ++s) {
      TEFF_UNROLL
      for (int r = 0; r < Rows; ++r) {
        TEFF_UNROLL
        for (int p = 0; p < Packets; ++p) body(sums[s][r][p], s, r, p);
      }
    }
  };
  const auto place = [&](int s, int r, int p) { return tile.c + s * tile.c_second + r * tile.ldc + p * L; };
  for_each([&](Packet<T> & sum, int s, int r, int p) __attribute__((always_inline)) {
    sum = splat(T(0));
    __builtin_prefetch(place(s, r, p), 1);  // C is wanted when the sums are done
  });
  BRows rows(tile);
  const T* a = tile.a;
  for (int64_t k = tile.k; k > 0; --k) {
    const T* row = rows.next();
    Packet<T> b[Halves][Packets];
    TEFF_UNROLL
    for (int s = 0; s < Halves; ++s) {
      TEFF_UNROLL
      for (int p = 0; p < Packets; ++p) b[s][p] = load(row + s * tile.b_second, p * L);
    }
    // Row by row: of A, the registers then hold one value at a time.
    TEFF_UNROLL
    for (int r = 0; r < Rows; ++r) {
      const Packet<T> value = splat(a[r]);
      TEFF_UNROLL
      for (int s = 0; s < Halves; ++s) {
        TEFF_UNROLL
        for (int p = 0; p < Packets; ++p) sums[s][r][p] = pmadd(value, b[s][p], sums[s][r][p]);
      }
    }
    a += Rows;
  }
  const int64_t last = tile.columns - (Packets - 1) * L;
  // Else all that stores some lanes only would be here in many copies.
  const bool direct = kHasEveryWay<T> && (Halves > 1 || last == L);
  if (direct && !tile.accumulate && tile.column_bias == nullptr) {
    for_each([&](const Packet<T>& sum, int s, int r, int p) __attribute__((always_inline)) {
      const Packet<T> bias = splat(tile.row_bias == nullptr ? T(0) : tile.row_bias[r]);
      const Packet<T> value = clamped(padd(sum, bias), tile.clamp);
      if (Halves == 1 || p + 1 < Packets) {
        pstoreu(place(s, r, p), value);
      } else {
        store_some(place(s, r, p), 0, last, value);
      }
    });
    return;
  }
  alignas(64) T buffer[Halves * Rows * Packets * L];
  for_each([&](const Packet<T>& sum, int s, int r, int p)
               __attribute__((always_inline)) { pstore(buffer + ((s * Rows + r) * Packets + p) * L, sum); });
  for (int s = 0; s < Halves; ++s) {
    finish(tile, place(s, 0, 0), buffer + s * Rows * Packets * L, Rows, Packets * L);
  }
}

template <class T>
using TileKernel = void (*)(const Tile<T>&);

/// table[packets - 1][rows - 1]
template <class T, class BRows, int Halves = 1>
struct TileKernels {
  static constexpr int kMaxRows = Halves == 1 ? kTileRows : kHalfRows;
  TileKernel<T> table[kTilePackets][kMaxRows] = {};

  constexpr TileKernels() { fill<1>(); }

  template <int Rows>
  constexpr void fill() {
    table[0][Rows - 1] = &tile_kernel<T, Rows, 1, BRows, Halves>;
    table[1][Rows - 1] = &tile_kernel<T, Rows, 2, BRows, Halves>;
    if constexpr (Rows < kMaxRows) fill<Rows + 1>();
  }
};

template <class T>
constexpr TileKernels<T, StridedRows<T>> kStrided;
template <class T>
constexpr TileKernels<T, OffsetRows<T>> kOffset;
template <class T>
constexpr TileKernels<T, OffsetRows<T>, 2> kTwoHalves;

}  // namespace

template <class T>
void multiply_tile(int64_t rows, const Tile<T>& tile) {
  const int packets = tile.columns > kLanes<T> ? 1 : 0;
  if (tile.b_second != 0) return kTwoHalves<T>.table[packets][rows - 1](tile);
  const auto& table = tile.offsets == nullptr ? kStrided<T>.table : kOffset<T>.table;
  table[packets][rows - 1](tile);
}

template void multiply_tile(int64_t, const Tile<float>&);
TEFF_IF_FLOAT64(template void multiply_tile(int64_t, const Tile<double>&);)

}  // namespace teff::kernels::TEFF_ISA

// SPDX-License-Identifier: MIT
#include "teff/engine/kernels/conv/dot_products.h"

#include "teff/engine/build.h"

namespace teff::kernels::TEFF_ISA {
namespace {

/// Rows x columns packets of sums, a row of columns and one packet more must fit the registers.
struct TileForm {
  int64_t rows, columns;

  constexpr int64_t tiles(int64_t of_rows, int64_t of_columns) const {
    return ceil_div(of_rows, rows) * ceil_div(of_columns, columns);
  }
};
#if defined(__AVX512F__) || defined(__aarch64__)
constexpr TileForm kTall{6, 4}, kWide{4, 6};
#else
constexpr TileForm kTall{4, 2}, kWide{3, 3};
#endif

/// One tile; the sums of rows and columns that are missing, of `form`, are computed and not used.
template <class T, int64_t Rows, int64_t Columns>
[[gnu::noinline]] void add_tile(const DotBlock<T>& block, int64_t rows, int64_t columns, bool first, T* lane_sums) {
  constexpr int64_t L = kLanes<T>;
  const T *a[Rows], *b[Columns];
  Packet<T> sums[Rows][Columns];
  TEFF_UNROLL
  for (int64_t c = 0; c < Columns; ++c) b[c] = block.b + block.offsets[smaller(c, columns - 1)];
  TEFF_UNROLL
  for (int64_t r = 0; r < Rows; ++r) {
    a[r] = block.a + smaller(r, rows - 1) * block.a_step;
    TEFF_UNROLL
    for (int64_t c = 0; c < Columns; ++c) {
      sums[r][c] = first ? splat(T(0)) : load(lane_sums, (r * Columns + c) * L);
    }
  }
  const int64_t whole = block.width / L * L, rest = block.width - whole;
  for (int64_t y = 0; y < block.height; ++y) {
    const int64_t from_a = y * block.width, from_b = y * block.b_pitch;
    const auto step = [&](auto load_a, auto load_b) __attribute__((always_inline)) {
      Packet<T> column[Columns];
      TEFF_UNROLL
      for (int64_t c = 0; c < Columns; ++c) column[c] = load_b(b[c] + from_b);
      TEFF_UNROLL
      for (int64_t r = 0; r < Rows; ++r) {
        const Packet<T> row = load_a(a[r] + from_a);
        TEFF_UNROLL
        for (int64_t c = 0; c < Columns; ++c) sums[r][c] = pmadd(row, column[c], sums[r][c]);
      }
    };
    for (int64_t x = 0; x < whole; x += L) {
      const auto at = [x](const T* p) { return load(p, x); };
      step(at, at);
    }
    if (rest != 0) {
      const auto part = [=](const T* p) { return load_part(p, whole, rest); };
      step(part, part);
    }
  }
  TEFF_UNROLL
  for (int64_t r = 0; r < Rows; ++r) {
    TEFF_UNROLL
    for (int64_t c = 0; c < Columns; ++c) pstore(lane_sums + (r * Columns + c) * L, sums[r][c]);
  }
}

/// Lane l of the result: the sum of the lanes of packet l of kLanes packets. Adding neighbours halves their number.
template <class T>
Packet<T> sums_of_lanes(Packet<T>* packets) {
  for (int64_t count = kLanes<T>; count > 1; count /= 2) {
    for (int64_t i = 0; i < count; i += 2) {
      packets[i / 2] = padd(even_lanes(packets[i], packets[i + 1]), odd_lanes(packets[i], packets[i + 1]));
    }
  }
  return packets[0];
}

/// As many packets of sums as sums_of_lanes takes at once, or more.
template <class T>
constexpr int64_t whole_packets(int64_t count) {
  return ceil_div(count, kLanes<T>) * kLanes<T>;
}

}  // namespace

template <class T>
DotProducts<T>::DotProducts(int64_t rows, int64_t columns)
    : rows_(rows),
      columns_(columns),
      tall_(kTall.tiles(rows, columns) <= kWide.tiles(rows, columns)),
      tile_rows_(tall_ ? kTall.rows : kWide.rows),
      tile_columns_(tall_ ? kTall.columns : kWide.columns),
      sums_(static_cast<std::size_t>(whole_packets<T>(tile_sums(rows_, 0)) * kLanes<T>)) {}

template <class T>
int64_t DotProducts<T>::tile_sums(int64_t row, int64_t column) const {
  const int64_t tile = ceil_div(row, tile_rows_) * ceil_div(columns_, tile_columns_) + column / tile_columns_;
  return tile * tile_rows_ * tile_columns_;
}

// Rows of A are the outer loop: those of a tile stay in the first level cache while B goes by, whose rows overlap.
template <class T>
void DotProducts<T>::add(const DotBlock<T>& block, bool first) {
  const auto add_to = tall_ ? &add_tile<T, kTall.rows, kTall.columns> : &add_tile<T, kWide.rows, kWide.columns>;
  for (int64_t r = 0; r < rows_; r += tile_rows_) {
    for (int64_t c = 0; c < columns_; c += tile_columns_) {
      DotBlock<T> tile = block;
      tile.a += r * block.a_step;
      tile.offsets += c;
      add_to(tile, smaller(tile_rows_, rows_ - r), smaller(tile_columns_, columns_ - c), first,
             sums_.data() + tile_sums(r, c) * kLanes<T>);
    }
  }
}

template <class T>
void DotProducts<T>::totals(int64_t step, T* result) {
  constexpr int64_t L = kLanes<T>;
  const int64_t count = tile_sums(rows_, 0);
  T* const sums = sums_.data();
  for (int64_t i = count * L; i < whole_packets<T>(count) * L; ++i) sums[i] = T(0);
  for (int64_t i = 0; i < count; i += L) {  // the totals take the place of the sums that are done
    Packet<T> packets[L];
    for (int64_t l = 0; l < L; ++l) packets[l] = load(sums, (i + l) * L);
    pstore(sums + i, sums_of_lanes<T>(packets));
  }
  for (int64_t r = 0; r < rows_; r += tile_rows_) {
    for (int64_t c = 0; c < columns_; c += tile_columns_) {
      const T* tile = sums + tile_sums(r, c);
      const int64_t length = smaller(tile_columns_, columns_ - c);
      for (int64_t i = 0; i < smaller(tile_rows_, rows_ - r); ++i) {
        copy(tile + i * tile_columns_, length, result + (r + i) * step + c);
      }
    }
  }
}

TEFF_IF_TRAINING(template class DotProducts<float>;)
TEFF_IF_TRAINING(TEFF_IF_FLOAT64(template class DotProducts<double>;))

}  // namespace teff::kernels::TEFF_ISA

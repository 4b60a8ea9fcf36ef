// SPDX-License-Identifier: MIT
// Matrix product after Goto and van de Geijn, "Anatomy of High-Performance Matrix Multiplication" (2008): C is cut into
// tasks, which share nothing. A task goes through k in blocks, and through its rows in chunks: it packs the chunk of A
// (it stays in the second level cache), and multiplies it with panel by panel of B (first level). The first chunk packs
// the panels of B, the others find them in the third level.

#include "teff/engine/kernels/gemm/gemm_kernels.h"
#include "teff/engine/kernels/gemm/gemm_micro.h"
#include "teff/engine/kernels/gemm/gemm_pack.h"
#include "teff/engine/kernels/gemm/matvec.h"
#include "teff/engine/kernels/isa/tables.h"
#include "teff/engine/kernels/isa/workspace.h"

namespace teff::kernels::TEFF_ISA {
namespace {

/// How C is cut into panels of tile height or width, and these into tasks.
struct Chunks {
  Parts row_panels;               // m over panels
  Parts row_tasks, column_tasks;  // panels over tasks
};

/// Rows cut into r parts pack B r times, columns cut into c parts A c times: of the ways to have enough tasks the one
/// that packs least, and of these the one with the fewest tasks.
template <class T>
Chunks cut(int64_t m, int64_t n, int64_t k) {
  const Parts row_panels = parts_of_at_most(m, kTileRows);
  const int64_t column_panels = ceil_div(n, kTileColumns<T>);
  const int64_t least_columns = parts_of_at_most(column_panels, kChunkColumns / kTileColumns<T>).count;
  const int64_t tasks = smaller(kMaxTasks, m * n / larger(1, kMultiplyAddsPerTask / larger(1, k)));
  const int64_t wanted = get_num_threads() == 1 ? 1 : larger(1, tasks);  // how C is cut changes no bit of it
  int64_t rows = 0, columns = 0;
  for (int64_t r = 1; r <= smaller(wanted, row_panels.count); ++r) {
    const int64_t c = smaller(larger(least_columns, ceil_div(wanted, r)), column_panels);
    const int64_t less = rows * n + columns * m - (r * n + c * m);  // that is packed
    if (rows == 0 || less > 0 || (less == 0 && r * c < rows * columns)) rows = r, columns = c;
  }
  return {row_panels, {row_panels.count, rows}, {column_panels, columns}};
}

template <class T>
void pack_a(const Gemm<T>& g, int64_t row, int64_t rows, int64_t kk, int64_t depth, T* panel) {
  if (g.transpose_a) {
    pack_rows(depth, rows, g.a + kk * g.lda + row, g.lda, panel, rows);
  } else {
    pack_transposed(rows, depth, g.a + row * g.lda + kk, g.lda, panel, rows);
  }
}

template <class T>
void pack_b(const Gemm<T>& g, int64_t column, int64_t columns, int64_t kk, int64_t depth, T* panel) {
  if (g.transpose_b) {
    pack_transposed(columns, depth, g.b + column * g.ldb + kk, g.ldb, panel, kTileColumns<T>);
  } else {
    pack_rows(depth, columns, g.b + kk * g.ldb + column, g.ldb, panel, kTileColumns<T>);
  }
}

/// Some panels of rows of C and some of columns.
template <class T>
class ProductTask {
 public:
  ProductTask(const Gemm<T>& g, const Chunks& chunks, int64_t row_task, int64_t column_task)
      : g_(g),
        panels_(chunks.row_panels),
        depths_(parts_of_at_most(g.k, kBlockDepth)),
        first_row_panel_(chunks.row_tasks.begin(row_task)),
        row_chunks_(parts_of_at_most(chunks.row_tasks.length(row_task), kGemmChunkRows / kTileRows)),
        first_column_(chunks.column_tasks.begin(column_task) * kTileColumns<T>),
        last_column_(smaller(g.n, chunks.column_tasks.begin(column_task + 1) * kTileColumns<T>)),
        a_stride_(panels_.longest() * depths_.longest() + kLanes<T>),
        b_stride_(depths_.longest() * kTileColumns<T>),
        a_(static_cast<std::size_t>(a_stride_ * row_chunks_.longest())),
        b_(static_cast<std::size_t>(b_stride_ * kept_panels() + kLanes<T>)) {}

  void run() {
    for (int64_t block = 0; block < depths_.count; ++block) {
      for (int64_t chunk = 0; chunk < row_chunks_.count; ++chunk) {
        first_panel_ = first_row_panel_ + row_chunks_.begin(chunk);
        last_panel_ = first_panel_ + row_chunks_.length(chunk);
        for (int64_t p = first_panel_; p < last_panel_; ++p) {
          pack_a(g_, panels_.begin(p), panels_.length(p), depths_.begin(block), depths_.length(block), a_panel(p));
        }
        for (int64_t j = first_column_; j < last_column_; j += kTileColumns<T>) multiply_panel(block, j, chunk == 0);
      }
    }
  }

 private:
  /// Of B: all of a block of k if several chunks of rows want them.
  int64_t kept_panels() const {
    return row_chunks_.count == 1 ? 1 : ceil_div(last_column_ - first_column_, kTileColumns<T>);
  }

  T* a_panel(int64_t p) { return a_.data() + (p - first_panel_) * a_stride_; }
  T* b_panel(int64_t column) {
    return row_chunks_.count == 1 ? b_.data() : b_.data() + (column - first_column_) / kTileColumns<T> * b_stride_;
  }

  /// All rows of the chunk times one panel of B.
  void multiply_panel(int64_t block, int64_t column, bool is_first_chunk) {
    const int64_t kk = depths_.begin(block), columns = smaller(kTileColumns<T>, last_column_ - column);
    const bool last = block + 1 == depths_.count;
    Tile<T> tile{.k = depths_.length(block),
                 .a = nullptr,
                 .b = g_.k > 0 ? g_.b + kk * g_.ldb + column : nullptr,
                 .b_stride = g_.ldb,
                 .offsets = nullptr,
                 .c = nullptr,
                 .ldc = g_.ldc,
                 .columns = columns,
                 .accumulate = g_.accumulate || block > 0,
                 .row_bias = nullptr,
                 .column_bias = last && g_.column_bias != nullptr ? g_.column_bias + column : nullptr,
                 .clamp = last ? g_.clamp : Clamp<T>{}};
    // B as it is will do for a few panels of A, if the tile reads whole packets of it.
    const bool in_place =
        !g_.transpose_b && row_chunks_.count == 1 && row_chunks_.size <= 2 && columns % kLanes<T> == 0;
    if (!in_place) {
      if (is_first_chunk) pack_b(g_, column, columns, kk, tile.k, b_panel(column));
      tile.b = b_panel(column);
      tile.b_stride = kTileColumns<T>;
    }
    for (int64_t p = first_panel_; p < last_panel_; ++p) {
      const int64_t row = panels_.begin(p);
      tile.a = a_panel(p);
      tile.c = g_.c + row * g_.ldc + column;
      tile.row_bias = last && g_.row_bias != nullptr ? g_.row_bias + row : nullptr;
      multiply_tile(panels_.length(p), tile);
    }
  }

  const Gemm<T>& g_;
  Parts panels_, depths_;  // of all of C
  int64_t first_row_panel_;
  Parts row_chunks_;  // the task's panels of rows over chunks
  int64_t first_column_, last_column_, a_stride_, b_stride_;
  int64_t first_panel_ = 0, last_panel_ = 0;  // of the chunk
  Workspace<T> a_, b_;
};

template <class T>
void gemm(const Gemm<T>& g) {
  if (g.m == 0 || g.n == 0) return;
  if (g.m == 1) {
    matvec<T>({g.n, g.k, g.b, g.ldb, !g.transpose_b, g.a, g.transpose_a ? g.lda : 1, g.c, 1, g.accumulate,
               g.column_bias, g.row_bias, g.clamp});
  } else if (g.n == 1) {
    matvec<T>({g.m, g.k, g.a, g.lda, g.transpose_a, g.b, g.transpose_b ? 1 : g.ldb, g.c, g.ldc, g.accumulate,
               g.row_bias, g.column_bias, g.clamp});
  } else {
    const Chunks chunks = cut<T>(g.m, g.n, g.k);
    parallel_for(chunks.row_tasks.count * chunks.column_tasks.count, [&](int64_t task) {
      ProductTask<T>(g, chunks, task % chunks.row_tasks.count, task / chunks.row_tasks.count).run();
    });
  }
}

}  // namespace

extern constinit const Tables<GemmKernels> gemm_tables =
    make_tables<GemmKernels, Float64::in_each_set>([]<class T>(T) -> GemmKernels<T> { return {.gemm = gemm<T>}; });

}  // namespace teff::kernels::TEFF_ISA

// SPDX-License-Identifier: MIT
#include "teff/engine/kernels/gemm/matvec.h"

#include "teff/engine/build.h"
#include "teff/engine/kernels/gemm/gemm_micro.h"
#include "teff/engine/kernels/isa/workspace.h"

namespace teff::kernels::TEFF_ISA {
namespace {

constexpr int64_t kDotRows = 64;  // whose results are finished at once

/// Adds what the task asks for to the sums of `count` rows from `row` on, whole packets of which can be read, and
/// writes them to y. A function of its own: its conditions would make copies of the loops before it.
template <class T>
[[gnu::noinline]] void finish(const MatVec<T>& task, int64_t row, const T* sums, int64_t count) {
  constexpr int64_t L = kLanes<T>;
  const bool clamps = is_any(task.clamp);
  const Packet<T> constant = splat(task.constant == nullptr ? T(0) : *task.constant);
  T* const y = task.y + row * task.y_step;
  const auto store = [&](int64_t i, int64_t lanes, Packet<T> value) {
    if (task.y_step == 1) return store_some(y, i, lanes, value);
    for (int64_t l = 0; l < lanes; ++l) y[(i + l) * task.y_step] = value[l];
  };
  const auto old = [&](int64_t i, int64_t lanes) {
    if (task.y_step == 1) return load_some(y, i, lanes);
    Packet<T> value = splat(T(0));
    for (int64_t l = 0; l < lanes; ++l) value[l] = y[(i + l) * task.y_step];
    return value;
  };
  for (int64_t i = 0; i < count; i += L) {
    const int64_t lanes = smaller(L, count - i);
    Packet<T> value = load(sums, i);
    if (task.constant != nullptr) value = padd(value, constant);
    if (task.bias != nullptr) value = padd(value, load_some(task.bias, row + i, lanes));
    if (task.accumulate) value = padd(value, old(i, lanes));
    store(i, lanes, clamps ? clamped(value, task.clamp) : value);
  }
}

/// Rows of a matrix that is stored by rows: dot products, several at once to hide the latency of the additions.
template <class T, int Rows>
void dot_rows(const MatVec<T>& task, int64_t row, T* results) {
  const T* m = task.matrix + row * task.ld;
  Packet<T> sums[Rows];
  for (int r = 0; r < Rows; ++r) sums[r] = splat(T(0));
  int64_t kk = 0;
  for (; kk + kLanes<T> <= task.k; kk += kLanes<T>) {
    const Packet<T> x = load(task.x, kk);
    for (int r = 0; r < Rows; ++r) sums[r] = pmadd(x, load(m + r * task.ld, kk), sums[r]);
  }
  if (kk < task.k) {
    const int64_t rest = task.k - kk;
    const Packet<T> x = load_part(task.x, kk, rest);
    for (int r = 0; r < Rows; ++r) sums[r] = pmadd(x, load_part(m + r * task.ld, kk, rest), sums[r]);
  }
  for (int r = 0; r < Rows; ++r) results[r] = Eigen::internal::predux(sums[r]);
}

template <class T>
void dot_range(const MatVec<T>& task, int64_t begin, int64_t end) {
  T results[kDotRows];
  for (int64_t row = begin; row < end; row += kDotRows) {
    const int64_t count = smaller(kDotRows, end - row);
    int64_t i = 0;
    for (; i + 8 <= count; i += 8) dot_rows<T, 8>(task, row + i, results + i);
    for (; i + 4 <= count; i += 4) dot_rows<T, 4>(task, row + i, results + i);
    for (; i < count; ++i) dot_rows<T, 1>(task, row + i, results + i);
    finish(task, row, results, count);
  }
}

/// Columns of a matrix that is stored by columns: a block of sums in registers runs down all of k. Few packets of sums
/// would wait for each other's additions, so these are several sums over every kChains-th row.
template <class T, int Packets, bool Whole>
void column_block(const MatVec<T>& task, int64_t begin, int64_t count) {
  constexpr int kChains = (kMatVecPackets + Packets - 1) / Packets;
  constexpr int64_t kWhole = (Packets - 1) * kLanes<T>;  // before the last packet
  Packet<T> sums[kChains][Packets];
  TEFF_UNROLL
  for (int c = 0; c < kChains; ++c) {
    TEFF_UNROLL
    for (int p = 0; p < Packets; ++p) sums[c][p] = splat(T(0));
  }
  const T* m = task.matrix + begin;
  const auto add_row = [&](int64_t kk, Packet<T> * sum) __attribute__((always_inline)) {
    const Packet<T> x = splat(task.x[kk]);
    TEFF_UNROLL
    for (int p = 0; p + 1 < Packets; ++p) sum[p] = pmadd(x, load(m, p * kLanes<T>), sum[p]);
    const Packet<T> last = Whole ? load(m, kWhole) : load_part(m, kWhole, count - kWhole);
    sum[Packets - 1] = pmadd(x, last, sum[Packets - 1]);
    m += task.ld;
  };
  int64_t kk = 0;
  for (; kk + kChains <= task.k; kk += kChains) {
    TEFF_UNROLL
    for (int c = 0; c < kChains; ++c) add_row(kk + c, sums[c]);
  }
  for (; kk < task.k; ++kk) add_row(kk, sums[0]);
  alignas(64) T values[Packets * kLanes<T>];
  for (int p = 0; p < Packets; ++p) {
    for (int c = 1; c < kChains; ++c) sums[0][p] = padd(sums[0][p], sums[c][p]);
    pstore(values + p * kLanes<T>, sums[0][p]);
  }
  finish(task, begin, values, count);
}

template <class T, int Packets = kMatVecPackets>
void columns(const MatVec<T>& task, int64_t begin, int64_t count) {
  if constexpr (Packets > 1) {
    if (count <= (Packets - 1) * kLanes<T>) return columns<T, Packets - 1>(task, begin, count);
  }
  if (count % kLanes<T> == 0) return column_block<T, Packets, true>(task, begin, count);
  column_block<T, Packets, false>(task, begin, count);
}

template <class T>
void column_range(const MatVec<T>& task, int64_t begin, int64_t end) {
  constexpr int64_t kWide = kMatVecPackets * kLanes<T>;
  int64_t i = begin;
  for (; i + kWide <= end; i += kWide) column_block<T, kMatVecPackets, true>(task, i, kWide);
  if (i < end) columns(task, i, end - i);
}

}  // namespace

template <class T>
void matvec(const MatVec<T>& given) {
  MatVec<T> task = given;
  Workspace<T> gathered(static_cast<std::size_t>(given.x_step == 1 ? 0 : given.k));
  if (given.x_step != 1) {
    for (int64_t kk = 0; kk < given.k; ++kk) gathered.data()[kk] = given.x[kk * given.x_step];
    task.x = gathered.data();
  }
  const int64_t lanes = kMatVecPackets * kLanes<T>;
  const int64_t grain = ceil_div(ceil_div(kMatVecElementsPerTask, larger(1, task.k)), lanes) * lanes;
  parallel_ranges(task.rows, grain, [&task](int64_t begin, int64_t end) {
    if (task.transposed) {
      column_range(task, begin, end);
    } else {
      dot_range(task, begin, end);
    }
  });
}

template void matvec(const MatVec<float>&);
TEFF_IF_FLOAT64(template void matvec(const MatVec<double>&);)

}  // namespace teff::kernels::TEFF_ISA

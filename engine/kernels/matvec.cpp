// SPDX-License-Identifier: MIT
#include "teff/engine/kernels/matvec.h"

#include "teff/engine/kernels/gemm_micro.h"
#include "teff/engine/kernels/workspace.h"

namespace teff::kernels::TEFF_ISA {
namespace {

constexpr int64_t kElementsPerTask = 65536;

template <class T>
void finish(const MatVec<T>& task, int64_t i, T value) {
  T& y = task.y[i * task.y_step];
  if (task.constant != nullptr) value += *task.constant;
  if (task.bias != nullptr) value += task.bias[i];
  if (task.accumulate) value += y;
  y = value < task.clamp.low ? task.clamp.low : value > task.clamp.high ? task.clamp.high : value;
}

/// Rows of a matrix that is stored by rows: dot products, several at once to hide the latency of the additions.
template <class T, int Rows>
void dot_rows(const MatVec<T>& task, int64_t row) {
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
  for (int r = 0; r < Rows; ++r) finish(task, row + r, Eigen::internal::predux(sums[r]));
}

template <class T>
void dot_range(const MatVec<T>& task, int64_t begin, int64_t end) {
  int64_t row = begin;
  for (; row + 8 <= end; row += 8) dot_rows<T, 8>(task, row);
  for (; row + 4 <= end; row += 4) dot_rows<T, 4>(task, row);
  for (; row < end; ++row) dot_rows<T, 1>(task, row);
}

/// Columns of a matrix that is stored by columns: a block of sums in registers runs down all of k.
template <class T, int Packets>
void column_block(const MatVec<T>& task, int64_t begin, int64_t count) {
  Packet<T> sums[Packets];
  for (int p = 0; p < Packets; ++p) sums[p] = splat(T(0));
  const T* m = task.matrix + begin;
  for (int64_t kk = 0; kk < task.k; ++kk, m += task.ld) {
    const Packet<T> x = splat(task.x[kk]);
    if constexpr (Packets == 1) {
      sums[0] = pmadd(x, load_some(m, 0, count), sums[0]);
    } else {
      for (int p = 0; p < Packets; ++p) sums[p] = pmadd(x, load(m, p * kLanes<T>), sums[p]);
    }
  }
  alignas(64) T values[Packets * kLanes<T>];
  for (int p = 0; p < Packets; ++p) pstore(values + p * kLanes<T>, sums[p]);
  for (int64_t i = 0; i < count; ++i) finish(task, begin + i, values[i]);
}

template <class T>
void column_range(const MatVec<T>& task, int64_t begin, int64_t end) {
  constexpr int64_t kWide = 8 * kLanes<T>;
  int64_t i = begin;
  for (; i + kWide <= end; i += kWide) column_block<T, 8>(task, i, kWide);
  for (; i < end; i += kLanes<T>) column_block<T, 1>(task, i, smaller(kLanes<T>, end - i));
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
  const int64_t lanes = 8 * kLanes<T>;
  const int64_t grain = ceil_div(ceil_div(kElementsPerTask, larger(1, task.k)), lanes) * lanes;
  parallel_ranges(task.rows, grain, [&task](int64_t begin, int64_t end) {
    if (task.transposed) {
      column_range(task, begin, end);
    } else {
      dot_range(task, begin, end);
    }
  });
}

template void matvec(const MatVec<float>&);
template void matvec(const MatVec<double>&);

}  // namespace teff::kernels::TEFF_ISA

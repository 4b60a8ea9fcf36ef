// SPDX-License-Identifier: MIT
#include "teff/engine/strided_copy.h"
#include "teff/engine/kernels/isa/tuning.h"

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "teff/engine/convert.h"
#include "teff/engine/parallel.h"
#include "teff/engine/tensor_impl.h"

namespace teff::ops {
namespace {

using kernels::kGrain;
constexpr std::int64_t kTile = 64;  // of a transposition: both arrays' cache lines stay in reach

struct Dim {
  std::int64_t size, from, to;  // strides in elements
};

std::size_t bytes_of(std::int64_t count, std::size_t element) { return static_cast<std::size_t>(count) * element; }

// The loops know the elements' type, though they only move them: compilers make poor code of a memcpy of a
// few bytes.

template <class T>
void copy_line(const Dim& line, const T* from, T* to) {
  if (line.from == 1 && line.to == 1) {
    std::memcpy(to, from, bytes_of(line.size, sizeof(T)));
  } else if (line.from == 0 && line.to == 1) {
    std::fill(to, to + line.size, *from);
  } else if (line.to == 1) {
    for (std::int64_t i = 0; i < line.size; ++i) to[i] = from[i * line.from];
  } else {
    for (std::int64_t i = 0; i < line.size; ++i) to[i * line.to] = from[i * line.from];
  }
}

/// Copies rows.size lines.
template <class T>
void copy_lines(const Dim& rows, const Dim& line, const T* from, T* to) {
  for (std::int64_t r = 0; r < rows.size; ++r) copy_line(line, from + r * rows.from, to + r * rows.to);
}

/// The same where the source is contiguous along the rows: tiles are read that way, and turned in a buffer.
/// Its rows are longer than needed, for otherwise a column would fall into few cache lines.
template <class T>
void copy_transposed(const Dim& rows, const Dim& line, const T* from, T* to) {
  constexpr std::int64_t kPitch = kTile + 1;
  T tile[kTile * kPitch];
  for (std::int64_t begin = 0; begin < line.size; begin += kTile) {
    const Dim column{std::min(kTile, line.size - begin), kPitch, line.to};
    for (std::int64_t i = 0; i < column.size; ++i) {
      std::memcpy(tile + i * kPitch, from + (begin + i) * line.from, bytes_of(rows.size, sizeof(T)));
    }
    T* const target = to + begin * line.to;
    for (std::int64_t r = 0; r < rows.size; ++r) copy_line<T>(column, tile + r, target + r * rows.to);
  }
}

/// The box with its dimensions joined where both arrays allow. A task copies the last one, the line, for
/// kTile places of another one, the rows: the one along which the source is contiguous, or else the one
/// before the line.
template <class T>
class Copier {
 public:
  explicit Copier(const StridedCopy& copy) {
    for (std::size_t i = 0; i < copy.shape.size(); ++i) {
      if (copy.shape[i] != 1) add({copy.shape[i], copy.from_strides[i], copy.to_strides[i]});
    }
    if (rank_ > 0) line_ = dims_[--rank_];
    if (rank_ == 0) return;
    std::size_t d = 0;
    while (line_.from > 1 && d < rank_ && dims_[d].from != 1) ++d;
    transposed_ = line_.from > 1 && d < rank_;
    if (!transposed_) d = rank_ - 1;
    rows_ = dims_[d];
    std::copy(dims_.begin() + d + 1, dims_.begin() + rank_, dims_.begin() + d);
    --rank_;
  }

  void run(const T* from, T* to) const {
    const std::int64_t tiles = (rows_.size - 1) / kTile + 1;
    std::int64_t tasks = tiles;
    for (std::size_t d = 0; d < rank_; ++d) tasks *= dims_[d].size;
    const std::int64_t work = line_.size * std::min(kTile, rows_.size);
    parallel_ranges(tasks, std::max<std::int64_t>(1, kGrain / work), [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t task = begin; task < end; ++task) run_task(task / tiles, task % tiles * kTile, from, to);
    });
  }

 private:
  void add(const Dim& dim) {
    if (rank_ > 0) {
      Dim& outer = dims_[rank_ - 1];
      if (outer.from == dim.from * dim.size && outer.to == dim.to * dim.size) {
        outer = {outer.size * dim.size, dim.from, dim.to};
        return;
      }
    }
    dims_[rank_++] = dim;
  }

  /// The lines of rows [row, row + kTile) at place `index` of the outer dimensions.
  void run_task(std::int64_t index, std::int64_t row, const T* from, T* to) const {
    std::int64_t from_begin = row * rows_.from, to_begin = row * rows_.to;
    for (std::size_t d = rank_; d-- > 0; index /= dims_[d].size) {
      from_begin += index % dims_[d].size * dims_[d].from;
      to_begin += index % dims_[d].size * dims_[d].to;
    }
    const Dim rows{std::min(kTile, rows_.size - row), rows_.from, rows_.to};
    const auto copy = transposed_ ? copy_transposed<T> : copy_lines<T>;
    copy(rows, line_, from + from_begin, to + to_begin);
  }

  std::array<Dim, kMaxRank> dims_;
  std::size_t rank_ = 0;
  Dim rows_{1, 0, 0};
  Dim line_{1, 1, 1};
  bool transposed_ = false;
};

}  // namespace

Strides contiguous_strides(const Shape& shape) {
  Strides strides{};
  std::int64_t stride = 1;
  for (std::size_t i = shape.size(); i-- > 0;) {
    strides[i] = stride;
    stride *= std::max<std::int64_t>(shape[i], 1);
  }
  return strides;
}

void strided_copy(const StridedCopy& copy, const Tensor& from, const Tensor& to) {
  if (numel(copy.shape) == 0) return;
  visit_moved(from.dtype(), [&](auto zero) {
    using T = decltype(zero);
    Copier<T>(copy).run(static_cast<const T*>(from.raw_data()) + copy.from_begin,
                        static_cast<T*>(to.raw_data()) + copy.to_begin);
  });
}

Tensor new_zeros(const TensorType& type) {
  Tensor result = detail::make_tensor(type);
  if (result.nbytes() > 0) std::memset(result.raw_data(), 0, result.nbytes());
  return result;
}

}  // namespace teff::ops

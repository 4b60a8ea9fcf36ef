// SPDX-License-Identifier: MIT
#include "teff/engine/ops/strided_copy.h"

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "teff/engine/convert.h"
#include "teff/engine/parallel.h"
#include "teff/engine/tensor_impl.h"

namespace teff::ops {
namespace {

constexpr std::int64_t kGrain = 32768;  // elements of one task
constexpr std::int64_t kTile = 32;      // of a transposition: both arrays' cache lines stay in reach

struct Dim {
  std::int64_t size, from, to;  // strides in elements
};

std::size_t bytes(std::int64_t count, std::size_t element) {
  return static_cast<std::size_t>(count) * element;
}

template <std::size_t kSize>
void copy_line(const Dim& line, const std::byte* from, std::byte* to) {
  const std::int64_t from_step = line.from * std::int64_t{kSize}, to_step = line.to * std::int64_t{kSize};
  for (std::int64_t i = 0; i < line.size; ++i) std::memcpy(to + i * to_step, from + i * from_step, kSize);
}

/// The box with its dimensions joined where both arrays allow. The last one is the line that is copied at
/// once; a transposition also takes `rows_`, the dimension along which the source is contiguous, tile by
/// tile.
template <std::size_t kSize>
class Copier {
 public:
  explicit Copier(const StridedCopy& copy) {
    for (std::size_t i = 0; i < copy.shape.size(); ++i) {
      if (copy.shape[i] != 1) add({copy.shape[i], copy.from_strides[i], copy.to_strides[i]});
    }
    if (rank_ > 0) line_ = dims_[--rank_];
    if (line_.from == 1 && line_.to == 1) return;
    for (std::size_t d = 0; d < rank_; ++d) {
      if (dims_[d].from != 1 || line_.from == 0) continue;
      rows_ = dims_[d];
      std::copy(dims_.begin() + d + 1, dims_.begin() + rank_, dims_.begin() + d);
      --rank_;
      break;
    }
  }

  void run(const std::byte* from, std::byte* to) const {
    const std::int64_t tiles = (rows_.size - 1) / kTile + 1;
    std::int64_t tasks = tiles;
    for (std::size_t d = 0; d < rank_; ++d) tasks *= dims_[d].size;
    const std::int64_t work = line_.size * std::min(kTile, rows_.size);
    parallel_ranges(tasks, std::max<std::int64_t>(1, kGrain / work),
                    [&](std::int64_t begin, std::int64_t end) {
                      for (std::int64_t task = begin; task < end; ++task)
                        run_task(task / tiles, task % tiles * kTile, from, to);
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
  void run_task(std::int64_t index, std::int64_t row, const std::byte* from, std::byte* to) const {
    for (std::size_t d = rank_; d-- > 0; index /= dims_[d].size) {
      const std::int64_t place = index % dims_[d].size;
      from += place * dims_[d].from * std::int64_t{kSize};
      to += place * dims_[d].to * std::int64_t{kSize};
    }
    const std::int64_t end = std::min(row + kTile, rows_.size);
    if (rows_.size == 1) {
      copy_piece(0, line_.size, 0, 1, from, to);
      return;
    }
    for (std::int64_t begin = 0; begin < line_.size; begin += kTile) {
      copy_piece(begin, std::min(begin + kTile, line_.size), row, end, from, to);
    }
  }

  void copy_piece(std::int64_t begin, std::int64_t end, std::int64_t row, std::int64_t end_row,
                  const std::byte* from, std::byte* to) const {
    const Dim piece{end - begin, line_.from, line_.to};
    for (; row < end_row; ++row) {
      const std::byte* source = from + (row * rows_.from + begin * line_.from) * std::int64_t{kSize};
      std::byte* target = to + (row * rows_.to + begin * line_.to) * std::int64_t{kSize};
      if (piece.from == 1 && piece.to == 1) {
        std::memcpy(target, source, bytes(piece.size, kSize));
      } else {
        copy_line<kSize>(piece, source, target);
      }
    }
  }

  std::array<Dim, kMaxRank> dims_;
  std::size_t rank_ = 0;
  Dim rows_{1, 0, 0};
  Dim line_{1, 1, 1};
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
  const std::size_t element = size_of(from.dtype());
  const std::byte* source = static_cast<const std::byte*>(from.raw_data()) + bytes(copy.from_begin, element);
  std::byte* target = static_cast<std::byte*>(to.raw_data()) + bytes(copy.to_begin, element);
  switch (element) {
    case 1:
      return Copier<1>(copy).run(source, target);
    case 2:
      return Copier<2>(copy).run(source, target);
    case 4:
      return Copier<4>(copy).run(source, target);
    default:
      return Copier<8>(copy).run(source, target);
  }
}

void fill(const Tensor& tensor, double value) {
  visit_dtype(tensor.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const auto elements = tensor.span<T>();
    std::fill(elements.begin(), elements.end(), convert<T>(value));
  });
}

Tensor new_zeros(const TensorType& type) {
  Tensor result = detail::make_tensor(type);
  if (result.nbytes() > 0) std::memset(result.raw_data(), 0, result.nbytes());
  return result;
}

}  // namespace teff::ops

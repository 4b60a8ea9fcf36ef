// SPDX-License-Identifier: MIT
#include "teff/engine/ops/rows.h"

#include <algorithm>
#include <cstring>

#include "teff/engine/kernels/isa/tuning.h"
#include "teff/engine/ops/checks.h"
#include "teff/engine/ops/dispatch.h"
#include "teff/engine/parallel.h"

namespace teff::ops {
namespace {

using kernels::kGrain;

/// Moves rows of `inner` elements of `bytes` bytes; `put` says in which direction.
template <bool kPut>
void move_rows(const Split& s, const std::int64_t* places, std::int64_t count, std::byte* whole, std::byte* rows,
               std::size_t bytes) {
  const std::size_t row = static_cast<std::size_t>(s.inner) * bytes;
  const auto move = [=](std::int64_t o, std::int64_t begin, std::int64_t end) {
    std::byte* const block = whole + static_cast<std::size_t>(o * s.size) * row;
    std::byte* part = rows + static_cast<std::size_t>(o * count + begin) * row;
    if (s.inner > 1) {
      for (std::int64_t i = begin; i < end; ++i, part += row) {
        std::byte* const place = block + static_cast<std::size_t>(places[i]) * row;
        std::memcpy(kPut ? place : part, kPut ? part : place, row);
      }
      return;
    }
    visit_width(bytes, [&](auto* word) {
      auto* const whole_words = reinterpret_cast<decltype(word)>(block);
      auto* const words = reinterpret_cast<decltype(word)>(part) - begin;
      for (std::int64_t i = begin; i < end; ++i) {
        if constexpr (kPut) {
          whole_words[places[i]] = words[i];
        } else {
          words[i] = whole_words[places[i]];
        }
      }
    });
  };
  const std::int64_t per_task = std::max<std::int64_t>(1, kGrain / s.inner);
  if (kPut || count <= per_task) {
    return parallel_ranges(s.outer, std::max<std::int64_t>(1, per_task / count), [&](std::int64_t a, std::int64_t b) {
      for (std::int64_t o = a; o < b; ++o) move(o, 0, count);
    });
  }
  for (std::int64_t o = 0; o < s.outer; ++o) {
    parallel_ranges(count, per_task, [&](std::int64_t begin, std::int64_t end) { move(o, begin, end); });
  }
}

std::byte* bytes_of(const Tensor& tensor) { return static_cast<std::byte*>(tensor.raw_data()); }

}  // namespace

bool are_indices(const std::int64_t* values, std::int64_t count, std::int64_t least, std::int64_t size) {
  const auto first = static_cast<std::uint64_t>(least), last = static_cast<std::uint64_t>(size - 1);
  std::uint64_t signs = 0;  // no branch: the usual case is fast
  for (std::int64_t i = 0; i < count; ++i) {
    const auto value = static_cast<std::uint64_t>(values[i]);
    signs |= (value - first) | (last - value);
  }
  return static_cast<std::int64_t>(signs) >= 0;
}

void check_indices(std::string_view op, const Tensor& index, std::int64_t least, std::size_t dim, const Shape& shape) {
  const std::span<std::int64_t> values = index.span<std::int64_t>();
  const std::int64_t size = shape.empty() ? 1 : shape[dim];
  if (are_indices(values.data(), index.numel(), least, size)) return;
  const auto bad = std::find_if(values.begin(), values.end(), [=](std::int64_t i) { return i < least || i >= size; });
  fail<IndexError>(op, "indices in [", least, ", ", size, ") for dimension ", dim, " of input ", shape, ", got ", *bad,
                   " at place ", bad - values.begin());
}

void take_rows(const Split& s, const std::int64_t* places, std::int64_t count, const Tensor& whole,
               const Tensor& rows) {
  if (rows.numel() == 0) return;
  move_rows<false>(s, places, count, bytes_of(whole), bytes_of(rows), size_of(rows.dtype()));
}

void put_rows(const Split& s, const std::int64_t* places, std::int64_t count, const Tensor& rows, const Tensor& whole) {
  if (rows.numel() == 0) return;
  move_rows<true>(s, places, count, bytes_of(whole), bytes_of(rows), size_of(rows.dtype()));
}

void add_rows(const Split& s, const std::int64_t* places, std::int64_t count, const Tensor& rows, const Tensor& whole) {
  if (rows.numel() == 0) return;
  // A task has a stretch of columns to itself, and adds in the order of the rows.
  const std::int64_t columns = std::min(s.inner, std::max<std::int64_t>(16, kGrain / count));
  const std::int64_t stretches = (s.inner - 1) / columns + 1;
  visit_numeric(whole.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const T* const from = rows.data<T>();
    T* const to = whole.data<T>();
    parallel_ranges(s.outer * stretches, std::max<std::int64_t>(1, kGrain / (columns * count)),
                    [&](std::int64_t begin, std::int64_t end) {
                      for (std::int64_t task = begin; task < end; ++task) {
                        const std::int64_t o = task / stretches, first = task % stretches * columns;
                        const std::int64_t width = std::min(columns, s.inner - first);
                        for (std::int64_t i = 0; i < count; ++i) {
                          const T* row = from + (o * count + i) * s.inner + first;
                          T* sums = to + (o * s.size + places[i]) * s.inner + first;
                          for (std::int64_t c = 0; c < width; ++c) sums[c] = static_cast<T>(sums[c] + row[c]);
                        }
                      }
                    });
  });
}

}  // namespace teff::ops

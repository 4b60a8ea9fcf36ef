// SPDX-License-Identifier: MIT
#pragma once

// Private: the order of a row of elements. NaN is greater than all numbers, 0 equals -0.

#include <cstddef>
#include <cstdint>

#include "teff/engine/dtype.h"

namespace teff::ops {

/// `size` elements `stride` apart, of any dtype.
struct SortedRow {
  const void* data;
  DType dtype;
  std::int64_t size, stride;
};

/// The most elements of a row: places are sorted as 32 bits.
inline constexpr std::int64_t kMaxSorted = std::int64_t{1} << 32;

/// The places of the row's elements in rising order, or falling, to order[0], order[step], ...; equal ones in the order
/// in which they stand.
void sort_row(const SortedRow& row, bool descending, std::int64_t* order, std::int64_t step);

/// The first k of these, without sorting the others.
void select_row(const SortedRow& row, bool largest, std::int64_t k, std::int64_t* order, std::int64_t step);

}  // namespace teff::ops

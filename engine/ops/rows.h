// SPDX-License-Identifier: MIT
#pragma once

// Private: moving elements by tables of places. What is moved is known by its size in bytes alone.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "teff/engine/ops/split.h"
#include "teff/engine/tensor.h"

namespace teff::ops {

// Words that may stand for the elements of any dtype of their size.
using Word1 = std::uint8_t;
using Word2 [[gnu::may_alias]] = std::uint16_t;
using Word4 [[gnu::may_alias]] = std::uint32_t;
using Word8 [[gnu::may_alias]] = std::uint64_t;

/// Calls function with a null pointer to the words of an element of `bytes` bytes.
template <class Function>
decltype(auto) visit_width(std::size_t bytes, Function&& function) {
  switch (bytes) {
    case 1:
      return function(static_cast<Word1*>(nullptr));
    case 2:
      return function(static_cast<Word2*>(nullptr));
    case 4:
      return function(static_cast<Word4*>(nullptr));
    default:
      return function(static_cast<Word8*>(nullptr));
  }
}

/// Whether all values are in [least, size), for least <= 0 <= size.
bool are_indices(const std::int64_t* values, std::int64_t count, std::int64_t least, std::int64_t size);
/// The values of an int64 tensor are in [least, size). @throws IndexError that names value and place, and `dim` of
/// `shape`, whose size it is.
void check_indices(std::string_view op, const Tensor& index, std::int64_t least, std::size_t dim, const Shape& shape);

// Entries of the middle of [outer, size, inner] by `count` places of [0, size), as a tensor [outer, count, inner] has
// them. Places were checked. Any number of threads gives the same bits.

/// rows[o, i, :] = whole[o, places[i], :]
void take_rows(const Split& whole_split, const std::int64_t* places, std::int64_t count, const Tensor& whole,
               const Tensor& rows);
/// whole[o, places[i], :] = rows[o, i, :]; of equal places the last counts.
void put_rows(const Split& whole_split, const std::int64_t* places, std::int64_t count, const Tensor& rows,
              const Tensor& whole);
/// whole[o, places[i], :] += rows[o, i, :], in the order of i. For the dtypes of visit_numeric.
void add_rows(const Split& whole_split, const std::int64_t* places, std::int64_t count, const Tensor& rows,
              const Tensor& whole);

}  // namespace teff::ops

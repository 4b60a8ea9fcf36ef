// SPDX-License-Identifier: MIT
#pragma once

// Private: copies between arrays of any layout, for every dtype.

#include <array>
#include <cstdint>

#include "teff/engine/tensor.h"

namespace teff::ops {

/// Elements from one index of each dimension to the next.
using Strides = std::array<std::int64_t, kMaxRank>;

/// Those of a contiguous tensor.
Strides contiguous_strides(const Shape& shape);

/// A box of elements to copy: its shape, and where the elements lie in the two arrays.
struct StridedCopy {
  Shape shape;
  Strides from_strides, to_strides;
  std::int64_t from_begin = 0, to_begin = 0;  // elements

  /// The way back.
  StridedCopy reversed() const { return {shape, to_strides, from_strides, to_begin, from_begin}; }
};

/// The arrays must not overlap.
void strided_copy(const StridedCopy& copy, const Tensor& from, const Tensor& to);

/// A new tensor of zeros.
Tensor new_zeros(const TensorType& type);

}  // namespace teff::ops

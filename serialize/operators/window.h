// SPDX-License-Identifier: MIT
#pragma once

// Private: what ONNX's operators on windows of images are told by attributes.

#include <cstdint>
#include <string>
#include <vector>

#include "teff/engine/image_ops.h"
#include "teff/engine/sequence_ops.h"
#include "teff/serialize/operators/operator_call.h"

namespace teff::serialize {

/// For each dimension of an image [N, C, D1, ...].
struct OnnxWindow {
  std::vector<std::int64_t> kernel, stride, dilation;
  std::vector<std::int64_t> pads;  // before each, then after each

  /// With auto_pad as pads for the input's sizes. @throws FormatError for lists of other lengths, or negative.
  OnnxWindow(const OperatorCall& call, std::vector<std::int64_t> kernel_size);

  std::size_t rank() const { return kernel.size(); }
  bool is_symmetric() const;
  /// As pad() takes them, for a padding before the operator, or of `sign` -1 for what is cut off behind it.
  IntList sides(std::int64_t sign = 1) const;
  /// `total` on both sides of a dimension.
  void set_pads(std::size_t dim, std::int64_t total, bool upper);
  Pair pair(const std::vector<std::int64_t>& values) const { return {values[0], values[1]}; }
  Pair padding() const { return {pads[0], pads[1]}; }
  Triple triple(const std::vector<std::int64_t>& values) const { return {values[0], values[1], values[2]}; }
};

/// An operator on images of one dimension is one on images of one row.
Tensor add_row(const Tensor& x);
Tensor drop_row(const Tensor& x);

}  // namespace teff::serialize

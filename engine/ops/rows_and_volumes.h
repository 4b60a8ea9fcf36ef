// SPDX-License-Identifier: MIT
#pragma once

// Private: functions on rows and volumes as functions on images.

#include <string_view>
#include <utility>

#include "teff/engine/error_text.h"
#include "teff/engine/ops.h"
#include "teff/engine/ops/checks.h"

namespace teff::ops {

/// Defined, of this rank and without an empty dimension but the first.
void check_layout(std::string_view op, std::string_view name, const Tensor& tensor, std::size_t rank,
                  std::string_view dims);

/// Values in [least, kMaxOption).
void check_triple(std::string_view op, std::string_view option, const Triple& value, std::int64_t least);

/// [N, C, D, H, W], all but N from 1 to 2^31.
void check_volumes(std::string_view op, const Shape& shape);
/// An option of three values in [least, kMaxOption).
void check_sides(std::string_view op, std::string_view option, const IntList& sides, std::int64_t least);
/// x of rank 3, 4 or 5 as volumes, with dimensions of size 1 behind the channels.
Tensor as_volumes(std::string_view op, const Tensor& x, std::size_t rank);
/// D * H * W
std::int64_t volume_of(const Shape& volumes);

/// What function(images of one row) gives for x [N, C, L], without the row. Its errors name `op`.
template <class Function>
Tensor on_one_row(std::string_view op, const Tensor& x, Function&& function) {
  check_layout(op, "input", x, 3, "[N, C, L]");
  return detail::with_name(op, [&] { return squeeze(function(unsqueeze(x, 2)), 2); });
}

/// x [N, C, D, H, W]: what on_image makes of its images [N, C * D, H, W], and then on_depth of the columns
/// [N, C, D, H * W] of the result; as a volume.
template <class OnImage, class OnDepth>
Tensor on_image_then_depth(std::string_view op, const Tensor& x, OnImage&& on_image, OnDepth&& on_depth) {
  check_layout(op, "input", x, 5, "[N, C, D, H, W]");
  return detail::with_name(op, [&] {
    const std::int64_t channels = x.size(1), depth = x.size(2);
    const Tensor images = on_image(x.view({x.size(0), channels * depth, x.size(3), x.size(4)}));
    const std::int64_t height = images.size(2), width = images.size(3);
    const Tensor columns = on_depth(images.view({x.size(0), channels, depth, height * width}));
    return columns.view({x.size(0), channels, columns.size(2), height, width});
  });
}

}  // namespace teff::ops

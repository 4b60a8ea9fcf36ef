// SPDX-License-Identifier: MIT
#pragma once

// Private: what convolution and pooling share.

#include <cstdint>
#include <string_view>

#include "teff/engine/kernels/window2d.h"
#include "teff/engine/shape.h"

namespace teff::ops {

/// How a window moves over images. All values are at least 0 and, but for the padding, 1; below kMaxOption.
struct WindowOptions {
  Pair kernel;
  Pair stride;
  Pair padding;
  Pair dilation = 1;
  bool ceil_mode = false;
};

/// Stride, padding and dilation, and the kernel under the name of the option it is.
void check_window(std::string_view op, const WindowOptions& options);

/// [N, C, H, W] with no dimension but N empty, of sizes that every size computed from them fits (checks.h).
void check_images(std::string_view op, const Shape& input);

/// The same of a result.
Shape check_output(std::string_view op, const Shape& output);

/// [K, C, kh, kw] of a convolution. @throws ShapeError for more than 2^48 values.
void check_filters(std::string_view op, const Shape& weight);
/// The work of a convolution from `input` to `output`, forward or of either gradient: weight [K, C / groups, kh, kw].
void check_work(std::string_view op, const Shape& input, const Shape& output, const Shape& weight, std::int64_t groups);

/// [N, out_channels, Ho, Wo]. The input was checked. @throws ShapeError where the window does not fit.
Shape window_output(std::string_view op, const Shape& input, const WindowOptions& options, std::int64_t out_channels);

/// For the kernels.
kernels::Window2d make_window(const Shape& input, const Shape& output, const WindowOptions& options,
                              std::int64_t groups = 1);

}  // namespace teff::ops

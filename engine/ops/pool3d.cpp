// SPDX-License-Identifier: MIT
#include "teff/engine/ops/rows_and_volumes.h"

// A window over a volume is one over its images and then one over the depth: of equal maxima the first of the first
// image wins, as in PyTorch, and the divisors of a mean are products.

namespace teff {

Tensor max_pool3d(const Tensor& x, const Triple& kernel_size, const MaxPool3dFuncOptions& options) {
  const Triple stride = options.stride.value_or(kernel_size);
  return ops::on_image_then_depth(
      "max_pool3d", x,
      [&](const Tensor& images) {
        return max_pool2d(images, kernel_size.image(),
                          {.stride = stride.image(),
                           .padding = options.padding.image(),
                           .dilation = options.dilation.image(),
                           .ceil_mode = options.ceil_mode});
      },
      [&](const Tensor& columns) {
        return max_pool2d(columns, {kernel_size.depth, 1},
                          {.stride = Pair(stride.depth, 1),
                           .padding = {options.padding.depth, 0},
                           .dilation = {options.dilation.depth, 1},
                           .ceil_mode = options.ceil_mode});
      });
}

Tensor avg_pool3d(const Tensor& x, const Triple& kernel_size, const AvgPool3dFuncOptions& options) {
  const Triple stride = options.stride.value_or(kernel_size);
  return ops::on_image_then_depth(
      "avg_pool3d", x,
      [&](const Tensor& images) {
        return avg_pool2d(images, kernel_size.image(),
                          {.stride = stride.image(),
                           .padding = options.padding.image(),
                           .ceil_mode = options.ceil_mode,
                           .count_include_pad = options.count_include_pad,
                           .divisor_override = options.divisor_override});
      },
      [&](const Tensor& columns) {
        return avg_pool2d(
            columns, {kernel_size.depth, 1},
            {.stride = Pair(stride.depth, 1),
             .padding = {options.padding.depth, 0},
             .ceil_mode = options.ceil_mode,
             .count_include_pad = options.count_include_pad,
             .divisor_override = options.divisor_override ? std::optional(std::int64_t{1}) : std::nullopt});
      });
}

Tensor adaptive_avg_pool3d(const Tensor& x, const Triple& output_size) {
  return ops::on_image_then_depth(
      "adaptive_avg_pool3d", x, [&](const Tensor& images) { return adaptive_avg_pool2d(images, output_size.image()); },
      [&](const Tensor& columns) {
        return adaptive_avg_pool2d(columns, {output_size.depth, columns.size(3)});
      });
}

Tensor adaptive_max_pool3d(const Tensor& x, const Triple& output_size) {
  return ops::on_image_then_depth(
      "adaptive_max_pool3d", x, [&](const Tensor& images) { return adaptive_max_pool2d(images, output_size.image()); },
      [&](const Tensor& columns) {
        return adaptive_max_pool2d(columns, {output_size.depth, columns.size(3)});
      });
}

}  // namespace teff

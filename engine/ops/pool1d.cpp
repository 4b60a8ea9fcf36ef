// SPDX-License-Identifier: MIT
#include <cmath>

#include "teff/engine/ops/rows_and_volumes.h"

namespace teff {

Tensor max_pool1d(const Tensor& x, Integer kernel_size, const MaxPool1dFuncOptions& options) {
  return ops::on_one_row("max_pool1d", x, [&](const Tensor& images) {
    return max_pool2d(images, {1, kernel_size},
                      {.stride = Pair(1, options.stride.value_or(kernel_size)),
                       .padding = {0, options.padding},
                       .dilation = {1, options.dilation},
                       .ceil_mode = options.ceil_mode});
  });
}

Tensor avg_pool1d(const Tensor& x, Integer kernel_size, const AvgPool1dFuncOptions& options) {
  return ops::on_one_row("avg_pool1d", x, [&](const Tensor& images) {
    return avg_pool2d(images, {1, kernel_size},
                      {.stride = Pair(1, options.stride.value_or(kernel_size)),
                       .padding = {0, options.padding},
                       .ceil_mode = options.ceil_mode,
                       .count_include_pad = options.count_include_pad});
  });
}

Tensor adaptive_avg_pool1d(const Tensor& x, Integer output_size) {
  return ops::on_one_row("adaptive_avg_pool1d", x, [&](const Tensor& images) {
    return adaptive_avg_pool2d(images, {1, output_size});
  });
}

Tensor adaptive_max_pool1d(const Tensor& x, Integer output_size) {
  return ops::on_one_row("adaptive_max_pool1d", x, [&](const Tensor& images) {
    return adaptive_max_pool2d(images, {1, output_size});
  });
}

Tensor lp_pool1d(const Tensor& x, double norm_type, Integer kernel_size, std::optional<Integer> stride,
                 bool ceil_mode) {
  return ops::on_one_row("lp_pool1d", x, [&](const Tensor& images) {
    return lp_pool2d(images, norm_type, {1, kernel_size}, Pair(1, stride.value_or(kernel_size)), ceil_mode);
  });
}

/// The sum, from the mean over the window: of what hangs over the edge in ceil_mode as much is added as PyTorch adds.
Tensor lp_pool2d(const Tensor& x, double norm_type, const Pair& kernel_size, const std::optional<Pair>& stride,
                 bool ceil_mode) {
  if (!std::isfinite(norm_type) || norm_type == 0) {
    ops::fail<ValueError>("lp_pool2d", "a finite norm_type other than 0, got ", norm_type);
  }
  return detail::with_name("lp_pool2d", [&] {
    const Tensor means = avg_pool2d(pow(x, norm_type), kernel_size, {.stride = stride, .ceil_mode = ceil_mode});
    const double count = static_cast<double>(kernel_size.height) * static_cast<double>(kernel_size.width);
    return pow(means * count, 1 / norm_type);
  });
}

}  // namespace teff

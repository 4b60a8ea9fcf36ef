// SPDX-License-Identifier: MIT
#include "teff/engine/ops/rows_and_volumes.h"

namespace teff {

Tensor conv1d(const Tensor& x, const Tensor& weight, const Tensor& bias, const Conv1dFuncOptions& options) {
  const Conv2dFuncOptions as_2d{.stride = {1, options.stride},
                                .padding = {0, options.padding},
                                .dilation = {1, options.dilation},
                                .groups = options.groups};
  return ops::on_one_row("conv1d", x, [&](const Tensor& images) {
    ops::check_layout("conv1d", "weight", weight, 3, "[K, C / groups, k]");
    return conv2d(images, unsqueeze(weight, 2), bias, as_2d);
  });
}

Tensor conv_transpose1d(const Tensor& x, const Tensor& weight, const Tensor& bias,
                        const ConvTranspose1dFuncOptions& options) {
  const ConvTranspose2dFuncOptions as_2d{.stride = {1, options.stride},
                                         .padding = {0, options.padding},
                                         .output_padding = {0, options.output_padding},
                                         .groups = options.groups,
                                         .dilation = {1, options.dilation}};
  return ops::on_one_row("conv_transpose1d", x, [&](const Tensor& images) {
    ops::check_layout("conv_transpose1d", "weight", weight, 3, "[C, K / groups, k]");
    return conv_transpose2d(images, unsqueeze(weight, 2), bias, as_2d);
  });
}

}  // namespace teff

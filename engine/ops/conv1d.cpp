// SPDX-License-Identifier: MIT
#include "teff/engine/error_text.h"
#include "teff/engine/ops.h"
#include "teff/engine/ops/checks.h"

namespace teff {
namespace {

void check_rank(const char* name, const char* dims, const Tensor& tensor) {
  if (!tensor.defined()) ops::fail<TypeError>("conv1d", "a defined ", name, ", got an undefined one");
  if (tensor.dim() == 3) return;
  ops::fail<ShapeError>("conv1d", name, ' ', dims, ", got ", name, ' ', tensor.shape());
}

}  // namespace

Tensor conv1d(const Tensor& x, const Tensor& weight, const Tensor& bias, const Conv1dFuncOptions& options) {
  check_rank("input", "[N, C, L]", x);
  check_rank("weight", "[K, C / groups, k]", weight);
  const Conv2dFuncOptions as_2d{.stride = {1, options.stride},
                                .padding = {0, options.padding},
                                .dilation = {1, options.dilation},
                                .groups = options.groups};
  return detail::with_name("conv1d",
                           [&] { return squeeze(conv2d(unsqueeze(x, 2), unsqueeze(weight, 2), bias, as_2d), 2); });
}

}  // namespace teff

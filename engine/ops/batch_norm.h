// SPDX-License-Identifier: MIT
#pragma once

// Private: batch_norm for other norms.

#include <span>

#include "teff/engine/tensor.h"

namespace teff::ops {

/// batch_norm in evaluation: inputs x, running_mean, running_var, and weight and bias where there are, into y.
void normalize_into(std::span<const Tensor> inputs, bool has_weight, bool has_bias, double eps, const Tensor& y);

}  // namespace teff::ops

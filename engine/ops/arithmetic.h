// SPDX-License-Identifier: MIT
#pragma once

// Private: element-wise arithmetic as other operations use it, without checks and without recording.

#include "teff/engine/kernels/elements/elements_kernels.h"
#include "teff/engine/tensor.h"

namespace teff::ops {

/// a op b, broadcast to `type`; both of one dtype, float32, float64 or int64.
Tensor compute(kernels::Binary op, const Tensor& a, const Tensor& b, const TensorType& type);

/// x op value, or value op x, for every element. `result` may be x.
void compute(kernels::Binary op, const Tensor& x, double value, const Tensor& result);
void compute(kernels::Binary op, double value, const Tensor& x, const Tensor& result);

}  // namespace teff::ops

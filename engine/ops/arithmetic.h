// SPDX-License-Identifier: MIT
#pragma once

// Private: element-wise arithmetic as other operations use it, without checks and without recording.

#include <cstdint>

#include "teff/engine/kernels/elements/elements_kernels.h"
#include "teff/engine/tensor.h"

namespace teff::ops {

/// a op b, broadcast to the shape of `result`; all of one dtype, float32, float64 or int64.
void compute(kernels::Binary op, const Tensor& a, const Tensor& b, const Tensor& result);

/// x op value, or value op x, for every element. `result` may be x.
void compute(kernels::Binary op, const Tensor& x, double value, const Tensor& result);
void compute(kernels::Binary op, double value, const Tensor& x, const Tensor& result);

/// The sum of `count` numbers, float or double.
template <class T>
T sum(std::int64_t count, const T* x);

}  // namespace teff::ops

// SPDX-License-Identifier: MIT
#pragma once

// Private: the op bmm.

#include "teff/engine/tensor.h"

namespace teff::ops {

/// a [B, n, k] or, transposed, [B, k, n] times b [B, k, m] or [B, m, k] -> [B, n, m]
Tensor batch_product(const Tensor& a, const Tensor& b, bool transpose_a, bool transpose_b);

}  // namespace teff::ops

// SPDX-License-Identifier: MIT
#pragma once

#include <optional>

#include "teff/engine/tensor.h"

namespace TEFF_EXPORT teff {

struct AttentionOptions {
  Tensor attn_mask = {};             // what may look where; broadcast to [..., L, S]. bool: true may. Else: added
  double dropout_p = 0;              // of the weights
  bool is_causal = false;            // query i looks at keys up to i
  std::optional<double> scale = {};  // default: 1 / sqrt(E)
  bool training = true;              // whether dropout_p holds, as it does in PyTorch's function
};

/// softmax(query key^T * scale + mask) value, row by row (Vaswani et al., 2017): query [..., L, E], key [..., S, E],
/// value [..., S, V], equal in front -> [..., L, V]. The weights [L, S] are never stored as a whole but for the
/// gradient of the mask, and the noise of a dropout; backward computes them again. A query that may look nowhere gives
/// NaN, as in PyTorch.
/// @throws ShapeError, TypeError; ValueError for dropout_p outside [0, 1].
Tensor scaled_dot_product_attention(const Tensor& query, const Tensor& key, const Tensor& value,
                                    const AttentionOptions& options = {});

}  // namespace teff

// SPDX-License-Identifier: MIT
#pragma once

// Sums, means, extrema and the like over dimensions. ops.h says what holds for all.

#include <optional>

#include "teff/engine/tensor.h"

namespace TEFF_EXPORT teff {

// --- over dimensions

Tensor softmax(const Tensor& x, Integer dim);  // exp(x) / sum over dim of exp(x)
Tensor log_softmax(const Tensor& x, Integer dim);
/// Over the given dimensions, all of them if none is given. keepdim leaves them with size 1. Integers and bools sum to
/// int64. The mean of nothing is NaN, an amax or amin of nothing an error.
Tensor sum(const Tensor& x, const IntList& dims = {}, bool keepdim = false);
Tensor mean(const Tensor& x, const IntList& dims = {}, bool keepdim = false);
/// Equal extrema share the gradient. The ops' names, in files and errors, are max and min.
Tensor amax(const Tensor& x, const IntList& dims = {}, bool keepdim = false);
Tensor amin(const Tensor& x, const IntList& dims = {}, bool keepdim = false);
/// Of the whole tensor: amax(x) and amin(x).
inline Tensor max(const Tensor& x) { return amax(x); }
inline Tensor min(const Tensor& x) { return amin(x); }
/// Along one dimension, and where: `auto [values, indices] = max(x, 1)`. Of equals the first; NaN is both maximum and
/// minimum. The gradient of a value goes to the element it is. The ops' names are max_with_indices and
/// min_with_indices. @throws ShapeError for a dimension of size 0.
ValuesAndIndices max(const Tensor& x, Integer dim, bool keepdim = false);
ValuesAndIndices min(const Tensor& x, Integer dim, bool keepdim = false);
/// Index of the first maximum, int64; of the flattened tensor if no dimension is given.
Tensor argmax(const Tensor& x, std::optional<Integer> dim = {}, bool keepdim = false);

}  // namespace teff

// SPDX-License-Identifier: MIT
#pragma once

// Sums, means, extrema and the like over dimensions. ops.h says what holds for all.

#include <cstdint>
#include <optional>
#include <string_view>

#include "teff/engine/scalar.h"
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
/// Index of the first minimum. NaN is both maximum and minimum.
Tensor argmin(const Tensor& x, std::optional<Integer> dim = {}, bool keepdim = false);
struct MinAndMax {
  Tensor min, max;
};
MinAndMax aminmax(const Tensor& x, const IntList& dims = {}, bool keepdim = false);

// Of any dtype, true where not 0; bool results without gradient. Of nothing all is true, any is false.
Tensor all(const Tensor& x, const IntList& dims = {}, bool keepdim = false);
Tensor any(const Tensor& x, const IntList& dims = {}, bool keepdim = false);
/// How many are not 0, int64.
Tensor count_nonzero(const Tensor& x, const IntList& dims = {});

/// Product of all elements, or along one dimension; of nothing 1. Whole numbers and bool give int64.
Tensor prod(const Tensor& x);
Tensor prod(const Tensor& x, Integer dim, bool keepdim = false);
/// Sums, or products, of the elements up to each one. Whole numbers and bool give int64.
Tensor cumsum(const Tensor& x, Integer dim);
Tensor cumprod(const Tensor& x, Integer dim);

/// The greatest, or least, of the elements up to each one, and where: of equals the last. NaN is both.
ValuesAndIndices cummax(const Tensor& x, Integer dim);
ValuesAndIndices cummin(const Tensor& x, Integer dim);

struct VarianceOptions {
  std::int64_t correction = 1;  // sum of squares / (n - correction)
  bool keepdim = false;
};
/// Variance and its root over dimensions, all if none is given; NaN where n <= correction. The root of 0 has the
/// gradient 0.
Tensor var(const Tensor& x, const IntList& dims = {}, const VarianceOptions& options = {});
Tensor var(const Tensor& x, const IntList& dims, bool unbiased, bool keepdim = false);
Tensor std(const Tensor& x, const IntList& dims = {}, const VarianceOptions& options = {});
Tensor std(const Tensor& x, const IntList& dims, bool unbiased, bool keepdim = false);
struct MeanAndSpread {
  Tensor spread, mean;  // the variance, or its root
};
MeanAndSpread var_mean(const Tensor& x, const IntList& dims = {}, const VarianceOptions& options = {});
MeanAndSpread std_mean(const Tensor& x, const IntList& dims = {}, const VarianceOptions& options = {});

/// (sum of |x|^p)^(1/p); p = 0: how many are not 0 (without gradient), infinity: greatest |x|, -infinity: least |x|.
/// The gradient at 0 is 0. Also known as linalg.vector_norm.
Tensor norm(const Tensor& x, Scalar p = 2, const IntList& dims = {}, bool keepdim = false);
/// log(sum of exp(x)), without overflow.
Tensor logsumexp(const Tensor& x, const IntList& dims, bool keepdim = false);
/// Without NaN.
Tensor nansum(const Tensor& x, const IntList& dims = {}, bool keepdim = false);
Tensor nanmean(const Tensor& x, const IntList& dims = {}, bool keepdim = false);
/// The lower one of the middle elements; NaN if there is one. Equal ones share the gradient.
Tensor median(const Tensor& x);
/// Along one dimension, and where: of equals the first. The op's name is median_with_indices.
ValuesAndIndices median(const Tensor& x, Integer dim, bool keepdim = false);

struct QuantileOptions {
  bool keepdim = false;
  /// Between two elements: "linear", "lower", "higher", "midpoint", "nearest".
  std::string_view interpolation = "linear";
};
/// What a part q of [0, 1] of the sorted elements is below: sorted[q * (n - 1)], of all elements or along a dimension.
/// q [k] gives k results along a new dimension 0, q [] or a number one. NaN if there is one; nanquantile leaves them
/// out. q has x's dtype, float32 or float64, and is read: with a tensor refused while a graph is captured.
Tensor quantile(const Tensor& x, const Tensor& q, std::optional<Integer> dim = {}, const QuantileOptions& options = {});
Tensor quantile(const Tensor& x, double q, std::optional<Integer> dim = {}, const QuantileOptions& options = {});
Tensor nanquantile(const Tensor& x, const Tensor& q, std::optional<Integer> dim = {},
                   const QuantileOptions& options = {});
Tensor nanquantile(const Tensor& x, double q, std::optional<Integer> dim = {}, const QuantileOptions& options = {});

}  // namespace teff

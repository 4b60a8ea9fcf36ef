// SPDX-License-Identifier: MIT
#pragma once

// Part of ops.h: products and distances beside matmul and linear.

#include <initializer_list>
#include <optional>
#include <span>
#include <string_view>

#include "teff/engine/tensor.h"

namespace TEFF_EXPORT teff {

// --- products. matmul does all of the first four; these insist on their shapes.

Tensor mm(const Tensor& a, const Tensor& b);   // [n, k] x [k, m] -> [n, m]
Tensor mv(const Tensor& a, const Tensor& x);   // [n, k] x [k] -> [n]
Tensor bmm(const Tensor& a, const Tensor& b);  // [B, n, k] x [B, k, m] -> [B, n, m]
Tensor dot(const Tensor& a, const Tensor& b);  // [n] x [n] -> []

/// beta * x + alpha * (a x b), with x broadcast. Where beta is 0, x does not count, not even its NaN.
struct AddProductOptions {
  double beta = 1;
  double alpha = 1;
};
Tensor addmm(const Tensor& x, const Tensor& a, const Tensor& b, const AddProductOptions& options = {});
Tensor addmv(const Tensor& x, const Tensor& a, const Tensor& b, const AddProductOptions& options = {});
Tensor baddbmm(const Tensor& x, const Tensor& a, const Tensor& b, const AddProductOptions& options = {});

/// [n] and [m] -> [n, m]
Tensor outer(const Tensor& a, const Tensor& b);
/// The sum over the last dimension of both: [..., k] and [---, k] -> [..., ---]
Tensor inner(const Tensor& a, const Tensor& b);
/// The sum over the last `dims` dimensions of a and the first of b; or over pairs of dimensions.
Tensor tensordot(const Tensor& a, const Tensor& b, Integer dims = 2);
Tensor tensordot(const Tensor& a, const Tensor& b, const IntList& dims_a, const IntList& dims_b);
/// Every element of a times the whole of b: sizes multiply.
Tensor kron(const Tensor& a, const Tensor& b);
/// The vector product of dimensions of size 3, the others broadcast. By default the first of that size.
Tensor cross(const Tensor& a, const Tensor& b, std::optional<Integer> dim = {});

/// The sum of products that `equation` says, as in PyTorch: "bhid,bhjd->bhij". Letters are dimensions; those that the
/// result has not are summed over; a letter twice in one operand is a diagonal; "..." are all others, and broadcast.
/// Without "->" the result has the letters that come once, in the order of the alphabet, behind "...". Three and more
/// operands are multiplied in pairs, the cheapest first.
/// @throws ValueError for an equation that is none; ShapeError for sizes that do not fit.
Tensor einsum(std::string_view equation, std::span<const Tensor> operands);
Tensor einsum(std::string_view equation, std::initializer_list<Tensor> operands);

// --- distances

/// The p-norm of every difference of rows: [..., P, M] and [..., R, M] (broadcast) -> [..., P, R]. p >= 0, also
/// infinity. For p = 2 by a product, but where that would lose digits. At distance 0 the gradient is 0.
Tensor cdist(const Tensor& x, const Tensor& y, double p = 2);

struct NormalizeOptions {
  double p = 2;
  Integer dim = 1;
  double eps = 1e-12;
};
/// x / max(p-norm of x over dim, eps)
Tensor normalize(const Tensor& x, const NormalizeOptions& options = {});
/// The sum over dim of a / max(|a|, eps) * b / max(|b|, eps), with the 2-norm; a and b broadcast.
Tensor cosine_similarity(const Tensor& a, const Tensor& b, Integer dim = 1, double eps = 1e-8);

struct PairwiseDistanceOptions {
  double p = 2;
  double eps = 1e-6;
  bool keepdim = false;
};
/// The p-norm of a - b + eps over the last dimension.
Tensor pairwise_distance(const Tensor& a, const Tensor& b, const PairwiseDistanceOptions& options = {});

}  // namespace teff

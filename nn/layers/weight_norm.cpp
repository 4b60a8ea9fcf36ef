// SPDX-License-Identifier: MIT
#include "teff/nn/layers/weight_norm.h"

#include "teff/engine/modes.h"
#include "teff/engine/ops.h"
#include "teff/nn/text.h"

namespace teff::nn::detail {
namespace {

/// [size(dim), the rest]
Tensor as_matrix(const Tensor& weight, std::int64_t dim) {
  if (dim == 0) return weight.view({weight.size(0), -1});
  IntList order{dim};
  for (std::int64_t i = 0; i < weight.dim(); ++i) {
    if (i != dim) order.push_back(i);
  }
  return weight.permute(order).view({weight.size(dim), -1});
}

Tensor of_length_1(const Tensor& vector, double eps) { return vector / clamp(sqrt(sum(vector * vector)), eps); }

}  // namespace

Tensor norm_except(const Tensor& v, std::int64_t dim) {
  expect(dim >= 0 && dim < v.dim(), "WeightNorm", "a dimension of weight " + to_string(v.shape()), std::to_string(dim));
  IntList others;
  for (std::int64_t i = 0; i < v.dim(); ++i) {
    if (i != dim) others.push_back(i);
  }
  return others.empty() ? abs(v) : sqrt(sum(v * v, others, true));
}

Tensor of_lengths(const Tensor& v, const Tensor& g, std::int64_t dim) { return v * (g / norm_except(v, dim)); }

SpectralVectors random_vectors(const Tensor& weight, std::int64_t dim, double eps) {
  const Shape shape = as_matrix(weight, dim).shape();
  const Tensor u = randn({shape[0]}, {.dtype = weight.dtype()});
  const Tensor v = randn({shape[1]}, {.dtype = weight.dtype()});
  return {of_length_1(u, eps), of_length_1(v, eps)};
}

Tensor spectrally_normalised(const Tensor& weight, const SpectralVectors& vectors, std::int64_t dim, int iterations,
                             double eps) {
  const Tensor matrix = as_matrix(weight, dim);
  if (iterations > 0) {
    const NoGradGuard no_grad;
    for (int i = 0; i < iterations; ++i) {
      vectors.v.copy_(of_length_1(matmul(vectors.u, matrix), eps));
      vectors.u.copy_(of_length_1(matmul(matrix, vectors.v), eps));
    }
  }
  // Later steps change them in place; what this forward's gradient needs are copies.
  const Tensor u = iterations > 0 ? vectors.u.clone() : vectors.u, v = iterations > 0 ? vectors.v.clone() : vectors.v;
  return weight / sum(u * matmul(matrix, v));
}

std::int64_t output_dim(const Module& layer) { return layer.type_name().starts_with("ConvTranspose") ? 1 : 0; }

}  // namespace teff::nn::detail

// SPDX-License-Identifier: MIT
#pragma once

// Private: the ops index and index_put: neighbouring dimensions of x by tensors of indices.

#include <cstdint>
#include <span>

#include "teff/engine/tensor.h"

namespace teff::ops {

/// x [outer..., n1, ..., nk, inner...] at int64 `indices` i1, ..., ik (broadcast to B) of the dimensions from `dim` on:
/// [outer..., B..., inner...]. Negative ones count from the end.
Tensor index_at(const Tensor& x, std::int64_t dim, std::span<const Tensor> indices);
/// x with `values`, of the shape of index_at, there; or with them added.
Tensor index_put_at(const Tensor& x, std::int64_t dim, std::span<const Tensor> indices, const Tensor& values,
                    bool accumulate);
/// The same in place; `function` begins errors. Not recorded.
void index_put_into(const char* function, const Tensor& x, std::int64_t dim, std::span<const Tensor> indices,
                    const Tensor& values, bool accumulate);
/// The shape of index_at. All validation but of the indices' values.
Shape index_shape(std::string_view op, const Shape& x, std::int64_t dim, std::span<const TensorType> indices);

}  // namespace teff::ops

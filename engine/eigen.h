// SPDX-License-Identifier: MIT
#pragma once

// Tensors as Eigen matrices, for users of Eigen. The only header of the engine that includes it; <teff/teff.h> does
// not include this one.

#include <Eigen/Core>

#include "teff/engine/error.h"
#include "teff/engine/tensor.h"

namespace TEFF_EXPORT teff {

template <class T>
using EigenMatrixMap = Eigen::Map<Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>;

/// The elements of a tensor as a row-major matrix without a copy: a tensor of one dimension is a column, one of more
/// than two has all but the last as rows. Valid as long as a tensor shares them.
/// @throws TypeError if T is not the dtype's C++ type.
template <class T>
EigenMatrixMap<T> as_eigen(const Tensor& tensor) {
  const Eigen::Index columns = tensor.dim() < 2 ? 1 : tensor.size(-1);
  const Eigen::Index rows = columns == 0 ? 0 : tensor.numel() / columns;
  return {tensor.data<T>(), rows, columns};
}

/// A tensor of two dimensions with a copy of the matrix.
template <class Derived>
Tensor from_eigen(const Eigen::DenseBase<Derived>& matrix) {
  using T = typename Derived::Scalar;
  Tensor result = empty({matrix.rows(), matrix.cols()}, {.dtype = dtype_of<T>});
  as_eigen<T>(result) = matrix.derived();
  return result;
}

}  // namespace teff

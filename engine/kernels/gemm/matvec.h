// SPDX-License-Identifier: MIT
#pragma once

// Matrix times vector, bound by the speed at which the matrix can be read.

#include "teff/engine/kernels/isa/vectorized.h"

namespace teff::kernels::TEFF_ISA {

/// y[i * y_step] = sum over kk of M[i, kk] * x[kk] + bias[i * bias_step] ... as the flags say. M is [rows, k] or,
/// transposed, [k, rows]; ld is the number of elements between its rows as stored.
template <class T>
struct MatVec {
  int64_t rows, k;
  const T* matrix;
  int64_t ld;
  bool transposed;
  const T* x;
  int64_t x_step;
  T* y;
  int64_t y_step;
  bool accumulate;
  const T* bias;      // [rows] or null
  const T* constant;  // one value for all rows, or null
  Clamp<T> clamp;
};

template <class T>
void matvec(const MatVec<T>& task);

}  // namespace teff::kernels::TEFF_ISA

// SPDX-License-Identifier: MIT
#pragma once

// What operations see of the matrix product. How such a header is used and grows: engine/kernels/README.md.

#include <cstdint>

#include "teff/engine/kernels/clamp.h"

namespace teff::kernels {

using std::int64_t;

/// C[m, n] = op(A)[m, k] * op(B)[k, n], plus what the flags say. Leading dimensions count elements between rows of
/// the arrays as stored: A is [m, k] or, transposed, [k, m].
template <class T>
struct Gemm {
  int64_t m, n, k;
  const T* a;
  int64_t lda;
  bool transpose_a;
  const T* b;
  int64_t ldb;
  bool transpose_b;
  T* c;
  int64_t ldc;
  bool accumulate = false;         // C += instead of C =
  const T* row_bias = nullptr;     // [m], added to every column
  const T* column_bias = nullptr;  // [n], added to every row
  Clamp<T> clamp = {};
};

/// gemm.cpp
template <class T>
struct GemmKernels {
  void (*gemm)(const Gemm<T>&);
};
template <class T>
const GemmKernels<T>& gemm_kernels();

}  // namespace teff::kernels

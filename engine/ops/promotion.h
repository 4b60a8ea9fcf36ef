// SPDX-License-Identifier: MIT
#pragma once

// Private: a tensor and a number, as in PyTorch: bool < whole numbers < floating-point numbers, and within a kind the
// tensor's dtype stays.

#include <cstdint>

#include "teff/engine/scalar.h"
#include "teff/engine/tensor.h"

namespace teff::ops {

/// The dtype of what becomes of the two.
DType promoted(DType dtype, Scalar value);
/// x in that dtype; x itself if undefined.
Tensor promoted(const Tensor& x, Scalar value);
/// The value as a tensor without dimensions, of that dtype. @throws ValueError if a dtype of whole numbers has no place
/// for it, TypeError if x is undefined; both begin with "full" or "tensor".
Tensor number_for(const Tensor& x, Scalar value);
/// x^exponent for whole numbers, which wrap around. @throws ValueError for a negative exponent.
Tensor power(const Tensor& x, std::int64_t exponent);

/// function(x) for a function made of several operations; for float16 and bfloat16 in float32, rounded once at the end.
template <class Function>
Tensor in_float(const Tensor& x, const Function& function) {
  const bool is_half = x.defined() && is_floating_point(x.dtype()) && !is_computable(x.dtype());
  return is_half ? function(x.to(DType::float32)).to(x.dtype()) : function(x);
}

}  // namespace teff::ops

// SPDX-License-Identifier: MIT
#pragma once

// Private: from a dtype that output_type has checked to the C++ type.

#include <cstdint>

#include "teff/engine/dtype.h"

namespace teff::ops {

/// Calls function(T{}) for float32 or float64.
template <class Function>
decltype(auto) visit_computable(DType dtype, Function&& function) {
  if (dtype == DType::float64) return function(double{});
  return function(float{});
}

/// Calls function(T{}) for float32, float64 or int64.
template <class Function>
decltype(auto) visit_numeric(DType dtype, Function&& function) {
  if (dtype == DType::int64) return function(std::int64_t{});
  return visit_computable(dtype, function);
}

}  // namespace teff::ops

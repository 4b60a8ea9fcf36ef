// SPDX-License-Identifier: MIT
#pragma once

// Private: from a dtype that output_type has checked to the C++ type.

#include <cstdint>

#include "teff/engine/build.h"
#include "teff/engine/dtype.h"
#include "teff/engine/error.h"

namespace teff::ops {

/// Calls function(T{}) for float32 or float64.
/// @throws TypeError for float64 if this build leaves it out.
template <class Function>
decltype(auto) visit_computable(DType dtype, Function&& function) {
  if (dtype == DType::float64) {
    if constexpr (kHasFloat64) {
      return function(double{});
    } else {
      throw TypeError("float64: expected a build of Teff with TEFF_FLOAT64, got one without; convert with "
                      "to(DType::float32)");
    }
  }
  return function(float{});
}

/// Calls function(T{}) for float32, float64 or int64.
template <class Function>
decltype(auto) visit_numeric(DType dtype, Function&& function) {
  if (dtype == DType::int64) return function(std::int64_t{});
  return visit_computable(dtype, function);
}

}  // namespace teff::ops

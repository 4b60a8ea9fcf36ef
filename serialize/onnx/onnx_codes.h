// SPDX-License-Identifier: MIT
#pragma once

// Private: ONNX's numbers of dtypes.

#include <cstdint>
#include <optional>
#include <string>

#include "teff/engine/dtype.h"

namespace teff::serialize {

/// The dtype in Teff; none where there is no such.
std::optional<DType> onnx_dtype(std::int64_t code);
/// ONNX's number of a dtype, which has one.
std::int64_t onnx_code(DType dtype);
/// ONNX's own name of a dtype: "FLOAT", "STRING", "number 77".
std::string onnx_dtype_name(std::int64_t code);

}  // namespace teff::serialize

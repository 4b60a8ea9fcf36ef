// SPDX-License-Identifier: MIT
#include "teff/serialize/onnx/onnx_codes.h"

#include "teff/engine/error.h"

namespace teff::serialize {

std::int64_t onnx_code(DType dtype) {
  constexpr std::int64_t kLastCode = 22;
  for (std::int64_t code = 1; code <= kLastCode; ++code) {
    if (onnx_dtype(code) == dtype) return code;
  }
  throw ValueError("expected a dtype that ONNX has, got " + std::string(to_string(dtype)));
}

}  // namespace teff::serialize

// SPDX-License-Identifier: MIT
#pragma once

// Private: what reader and writer of .safetensors share.

#include <array>
#include <cstdint>
#include <string_view>

#include "teff/engine/dtype.h"

namespace teff::serialize::safetensors {

inline constexpr std::uint64_t kMaxJsonBytes = 100'000'000;
inline constexpr std::uint64_t kLengthBytes = 8;
inline constexpr std::string_view kMetadata = "__metadata__";

struct DTypeName {
  DType dtype;
  std::string_view name;
};

/// In the order in which the tensors of a file are laid out.
inline constexpr std::array kDTypes = {
    DTypeName{DType::uint64, "U64"},    DTypeName{DType::int64, "I64"},   DTypeName{DType::float64, "F64"},
    DTypeName{DType::float32, "F32"},   DTypeName{DType::uint32, "U32"},  DTypeName{DType::int32, "I32"},
    DTypeName{DType::bfloat16, "BF16"}, DTypeName{DType::float16, "F16"}, DTypeName{DType::uint16, "U16"},
    DTypeName{DType::int16, "I16"},     DTypeName{DType::int8, "I8"},     DTypeName{DType::uint8, "U8"},
    DTypeName{DType::bool_, "BOOL"},
};

/// The format's other types. Teff has two of them, but only in its own files: see docs/pytorch.md.
inline constexpr std::array<std::string_view, 9> kOtherDTypes = {
    "F4", "F6_E2M3", "F6_E3M2", "F8_E8M0", "F8_E4M3", "F8_E5M2", "F8_E4M3FNUZ", "F8_E5M2FNUZ", "C64"};

}  // namespace teff::serialize::safetensors

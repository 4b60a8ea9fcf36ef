// SPDX-License-Identifier: MIT
#include "teff/engine/dtype.h"

#include <array>
#include <string>

#include "teff/engine/error.h"

namespace teff {
namespace {

struct DTypeName {
  DType dtype;
  std::string_view name;
};

constexpr std::array kNames = {
    DTypeName{DType::float32, "float32"},   DTypeName{DType::float64, "float64"}, DTypeName{DType::int64, "int64"},
    DTypeName{DType::int32, "int32"},       DTypeName{DType::int16, "int16"},     DTypeName{DType::int8, "int8"},
    DTypeName{DType::uint8, "uint8"},       DTypeName{DType::bool_, "bool"},      DTypeName{DType::float16, "float16"},
    DTypeName{DType::bfloat16, "bfloat16"},
};

}  // namespace

std::string_view to_string(DType dtype) {
  for (const DTypeName& entry : kNames) {
    if (entry.dtype == dtype) return entry.name;
  }
  return "unknown";
}

DType dtype_from_string(std::string_view name) {
  for (const DTypeName& entry : kNames) {
    if (entry.name == name) return entry.dtype;
  }
  throw TypeError("dtype: expected one of float32, float64, int64, int32, int16, int8, uint8, bool, float16, bfloat16, "
                  "got \"" +
                  std::string(name) + '"');
}

void from_string(std::string_view name, DType& dtype) { dtype = dtype_from_string(name); }

Half::Half(float value) {
  const auto x = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t sign = (x >> 16) & 0x8000u;
  const std::uint32_t magnitude = x & 0x7fffffffu;
  std::uint32_t half = 0;
  if (magnitude > 0x7f800000u) {  // NaN: keep the upper bits of the payload, and at least one
    half = 0x7e00u | ((magnitude >> 13) & 0x3ffu);
  } else if (magnitude >= 0x477ff000u) {  // rounds beyond 65504
    half = 0x7c00u;
  } else if (magnitude >= 0x38800000u) {  // normal: rebias the exponent, round to nearest even
    half = (magnitude - 0x38000000u + 0xfffu + ((magnitude >> 13) & 1u)) >> 13;
  } else {  // subnormal: adding 0.5 lets the float adder round to multiples of 2^-24
    const float shifted = std::bit_cast<float>(magnitude) + 0.5f;
    half = std::bit_cast<std::uint32_t>(shifted) - std::bit_cast<std::uint32_t>(0.5f);
  }
  bits = static_cast<std::uint16_t>(sign | half);
}

Half::operator float() const {
  const std::uint32_t sign = (std::uint32_t{bits} & 0x8000u) << 16;
  const std::uint32_t magnitude = std::uint32_t{bits} & 0x7fffu;
  if (magnitude >= 0x7c00u) return std::bit_cast<float>(sign | 0x7f800000u | ((magnitude & 0x3ffu) << 13));
  if (magnitude >= 0x0400u) return std::bit_cast<float>(sign | ((magnitude << 13) + 0x38000000u));
  const float value = static_cast<float>(magnitude) * 0x1p-24f;
  return sign != 0 ? -value : value;
}

BFloat16::BFloat16(float value) {
  const auto x = std::bit_cast<std::uint32_t>(value);
  if ((x & 0x7fffffffu) > 0x7f800000u) {
    bits = static_cast<std::uint16_t>((x >> 16) | 0x40u);
  } else {
    bits = static_cast<std::uint16_t>((x + 0x7fffu + ((x >> 16) & 1u)) >> 16);
  }
}

}  // namespace teff

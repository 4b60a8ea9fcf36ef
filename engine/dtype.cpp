// SPDX-License-Identifier: MIT
#include "teff/engine/dtype.h"

#include <algorithm>
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
    DTypeName{DType::float32, "float32"},
    DTypeName{DType::float64, "float64"},
    DTypeName{DType::int64, "int64"},
    DTypeName{DType::int32, "int32"},
    DTypeName{DType::int16, "int16"},
    DTypeName{DType::int8, "int8"},
    DTypeName{DType::uint8, "uint8"},
    DTypeName{DType::bool_, "bool"},
    DTypeName{DType::float16, "float16"},
    DTypeName{DType::bfloat16, "bfloat16"},
    DTypeName{DType::uint16, "uint16"},
    DTypeName{DType::uint32, "uint32"},
    DTypeName{DType::uint64, "uint64"},
    DTypeName{DType::float8_e4m3fn, "float8_e4m3fn"},
    DTypeName{DType::float8_e5m2, "float8_e5m2"},
};

/// The bits of the 8-bit float nearest to a finite value, ties to even; they may be those of a number that the type
/// does not have. `max_bits`: the result for what is much larger.
template <int kMantissa, int kBias>
std::uint32_t round_to_8_bits(std::uint32_t magnitude, std::uint32_t max_bits) {
  constexpr int kShift = 23 - kMantissa;
  constexpr std::uint32_t kRebias = std::uint32_t{127 - kBias} << 23;
  constexpr std::uint32_t kSmallestNormal = kRebias + (1u << 23);
  if (magnitude < kSmallestNormal) {
    // The float whose last bit is worth the smallest subnormal: adding it lets the float adder round.
    constexpr float kUnit = std::bit_cast<float>(std::uint32_t{127 - kBias + 1 + kShift} << 23);
    return std::bit_cast<std::uint32_t>(std::bit_cast<float>(magnitude) + kUnit) - std::bit_cast<std::uint32_t>(kUnit);
  }
  const std::uint32_t odd = (magnitude >> kShift) & 1u;
  return std::min((magnitude - kRebias + ((1u << (kShift - 1)) - 1u) + odd) >> kShift, max_bits);
}

/// The value of the bits without sign, of a number.
template <int kMantissa, int kBias>
float from_8_bits(std::uint32_t bits) {
  constexpr int kShift = 23 - kMantissa;
  if (bits >= 1u << kMantissa) return std::bit_cast<float>((bits << kShift) + (std::uint32_t{127 - kBias} << 23));
  return static_cast<float>(bits) * std::bit_cast<float>(std::uint32_t{127 - kBias + 1 - kMantissa} << 23);
}

constexpr std::uint32_t kInfinity = 0x7f800000u;

std::uint32_t magnitude_of(float value) { return std::bit_cast<std::uint32_t>(value) & 0x7fffffffu; }
std::uint32_t sign_of(float value) { return (std::bit_cast<std::uint32_t>(value) >> 24) & 0x80u; }
float with_sign(float magnitude, std::uint8_t bits) { return (bits & 0x80u) != 0 ? -magnitude : magnitude; }

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
  std::string names;
  for (const DTypeName& entry : kNames) names.append(names.empty() ? "" : ", ").append(entry.name);
  throw TypeError("dtype: expected one of " + names + ", got \"" + std::string(name) + '"');
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

Float8E4M3FN::Float8E4M3FN(float value)
    : bits(static_cast<std::uint8_t>(sign_of(value) | round_to_8_bits<3, 7>(magnitude_of(value), 0x7fu))) {}

Float8E4M3FN::operator float() const {
  const std::uint32_t magnitude = bits & 0x7fu;
  return with_sign(magnitude == 0x7fu ? std::bit_cast<float>(kInfinity | 0x400000u) : from_8_bits<3, 7>(magnitude),
                   bits);
}

Float8E5M2::Float8E5M2(float value)
    : bits(static_cast<std::uint8_t>(
          sign_of(value) |
          (magnitude_of(value) > kInfinity ? 0x7fu : round_to_8_bits<2, 15>(magnitude_of(value), 0x7cu)))) {}

Float8E5M2::operator float() const {
  const std::uint32_t magnitude = bits & 0x7fu;
  if (magnitude < 0x7cu) return with_sign(from_8_bits<2, 15>(magnitude), bits);
  return with_sign(std::bit_cast<float>(kInfinity | (magnitude & 3u) << 21), bits);
}

}  // namespace teff

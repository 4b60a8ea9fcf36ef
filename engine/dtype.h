// SPDX-License-Identifier: MIT
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "teff/export.h"

namespace TEFF_EXPORT teff {

/// Type of a tensor's elements. float32 and float64 compute and have gradients. Whole numbers (signed ones and uint8)
/// and bool compute where PyTorch has that, and wrap around; float16 and bfloat16 compute in float32, each result
/// rounded back. The others are stored, converted with Tensor::to, saved and loaded. The numbers are those of the file
/// format.
enum class DType : std::uint8_t {
  float32 = 1,
  float64 = 2,
  int64 = 3,
  int32 = 4,
  int16 = 5,
  int8 = 6,
  uint8 = 7,
  bool_ = 8,
  float16 = 9,
  bfloat16 = 10,
  uint16 = 11,
  uint32 = 12,
  uint64 = 13,
  float8_e4m3fn = 14,
  float8_e5m2 = 15,
};

// The same under the names that PyTorch's users know.
inline constexpr DType kFloat = DType::float32, kFloat32 = DType::float32, kDouble = DType::float64,
                       kFloat64 = DType::float64, kLong = DType::int64, kInt64 = DType::int64, kInt = DType::int32,
                       kInt32 = DType::int32, kShort = DType::int16, kInt16 = DType::int16, kInt8 = DType::int8,
                       kUInt8 = DType::uint8, kBool = DType::bool_, kHalf = DType::float16, kFloat16 = DType::float16,
                       kBFloat16 = DType::bfloat16;

/// The last of them.
inline constexpr DType kLastDType = DType::float8_e5m2;

/// IEEE 754 half precision, for storage: convert to float to compute. Rounds to nearest even.
struct Half {
  std::uint16_t bits = 0;
  Half() = default;
  explicit Half(float value);
  explicit operator float() const;
  friend bool operator==(Half, Half) = default;
};

/// The upper half of a float32, for storage: convert to float to compute. Rounds to nearest even.
struct BFloat16 {
  std::uint16_t bits = 0;
  BFloat16() = default;
  explicit BFloat16(float value);
  explicit operator float() const { return std::bit_cast<float>(std::uint32_t{bits} << 16); }
  friend bool operator==(BFloat16, BFloat16) = default;
};

/// Eight bits with a mantissa of three, for storage: convert to float to compute. Up to 448, no infinity: what rounds
/// (to nearest even) beyond is NaN.
struct Float8E4M3FN {
  std::uint8_t bits = 0;
  Float8E4M3FN() = default;
  explicit Float8E4M3FN(float value);
  explicit operator float() const;
  friend bool operator==(Float8E4M3FN, Float8E4M3FN) = default;
};

/// Eight bits with a mantissa of two, for storage: convert to float to compute. Up to 57344; what rounds (to nearest
/// even) beyond is infinity.
struct Float8E5M2 {
  std::uint8_t bits = 0;
  Float8E5M2() = default;
  explicit Float8E5M2(float value);
  explicit operator float() const;
  friend bool operator==(Float8E5M2, Float8E5M2) = default;
};

/// PyTorch's name without "torch.": "float32", "bool", ...
std::string_view to_string(DType dtype);

/// The dtype of that name. @throws TypeError for an unknown one.
DType dtype_from_string(std::string_view name);
void from_string(std::string_view name, DType& dtype);

/// Bytes of one element.
constexpr std::size_t size_of(DType dtype) {
  switch (dtype) {
    case DType::float64:
    case DType::int64:
    case DType::uint64:
      return 8;
    case DType::float32:
    case DType::int32:
    case DType::uint32:
      return 4;
    case DType::int16:
    case DType::uint16:
    case DType::float16:
    case DType::bfloat16:
      return 2;
    case DType::int8:
    case DType::uint8:
    case DType::bool_:
    case DType::float8_e4m3fn:
    case DType::float8_e5m2:
      return 1;
  }
  return 0;
}

/// float32 and float64: the types that operations compute with and that can have gradients.
constexpr bool is_computable(DType dtype) { return dtype == DType::float32 || dtype == DType::float64; }

constexpr bool is_floating_point(DType dtype) {
  return is_computable(dtype) || dtype == DType::float16 || dtype == DType::bfloat16 || dtype == DType::float8_e4m3fn ||
         dtype == DType::float8_e5m2;
}

namespace detail {
template <class T>
struct DTypeOf;
template <>
struct DTypeOf<float> {
  static constexpr DType value = DType::float32;
};
template <>
struct DTypeOf<double> {
  static constexpr DType value = DType::float64;
};
template <>
struct DTypeOf<std::int64_t> {
  static constexpr DType value = DType::int64;
};
template <>
struct DTypeOf<std::int32_t> {
  static constexpr DType value = DType::int32;
};
template <>
struct DTypeOf<std::int16_t> {
  static constexpr DType value = DType::int16;
};
template <>
struct DTypeOf<std::int8_t> {
  static constexpr DType value = DType::int8;
};
template <>
struct DTypeOf<std::uint8_t> {
  static constexpr DType value = DType::uint8;
};
template <>
struct DTypeOf<bool> {
  static constexpr DType value = DType::bool_;
};
template <>
struct DTypeOf<Half> {
  static constexpr DType value = DType::float16;
};
template <>
struct DTypeOf<BFloat16> {
  static constexpr DType value = DType::bfloat16;
};
template <>
struct DTypeOf<std::uint16_t> {
  static constexpr DType value = DType::uint16;
};
template <>
struct DTypeOf<std::uint32_t> {
  static constexpr DType value = DType::uint32;
};
template <>
struct DTypeOf<std::uint64_t> {
  static constexpr DType value = DType::uint64;
};
template <>
struct DTypeOf<Float8E4M3FN> {
  static constexpr DType value = DType::float8_e4m3fn;
};
template <>
struct DTypeOf<Float8E5M2> {
  static constexpr DType value = DType::float8_e5m2;
};
}  // namespace detail

/// The dtype of elements of the C++ type T.
template <class T>
inline constexpr DType dtype_of = detail::DTypeOf<T>::value;

}  // namespace teff

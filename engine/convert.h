// SPDX-License-Identifier: MIT
#pragma once

// Private: conversion between element types, and dispatch from dtype to type.

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <type_traits>
#include <utility>

#include "teff/engine/dtype.h"
#include "teff/engine/error.h"

namespace teff {

/// Calls function(T{}) with the C++ type T of the dtype.
template <class Function>
decltype(auto) visit_dtype(DType dtype, Function&& function) {
  switch (dtype) {
    case DType::float32:
      return function(float{});
    case DType::float64:
      return function(double{});
    case DType::int64:
      return function(std::int64_t{});
    case DType::int32:
      return function(std::int32_t{});
    case DType::int16:
      return function(std::int16_t{});
    case DType::int8:
      return function(std::int8_t{});
    case DType::uint8:
      return function(std::uint8_t{});
    case DType::bool_:
      return function(bool{});
    case DType::float16:
      return function(Half{});
    case DType::bfloat16:
      return function(BFloat16{});
    case DType::uint16:
      return function(std::uint16_t{});
    case DType::uint32:
      return function(std::uint32_t{});
    case DType::uint64:
      return function(std::uint64_t{});
    case DType::float8_e4m3fn:
      return function(Float8E4M3FN{});
    case DType::float8_e5m2:
      return function(Float8E5M2{});
  }
  throw TypeError("dtype: expected a known dtype, got number " + std::to_string(static_cast<int>(dtype)));
}

/// Calls function(T{}) with a type through which the dtype's elements may be moved, of which there are fewer. (In a
/// file a bool may be any byte.)
template <class Function>
decltype(auto) visit_moved(DType dtype, Function&& function) {
  return visit_dtype(dtype, [&](auto zero) {
    using T = decltype(zero);
    if constexpr (sizeof(T) == 1) {
      return function(static_cast<unsigned char>(0));
    } else if constexpr (std::is_integral_v<T>) {
      return function(std::make_signed_t<T>{});
    } else {
      return function(T{});
    }
  });
}

/// Floats that are kept and not computed with, only converted to float.
template <class T>
inline constexpr bool kIsStoredFloat = std::is_same_v<T, Half> || std::is_same_v<T, BFloat16> ||
                                       std::is_same_v<T, Float8E4M3FN> || std::is_same_v<T, Float8E5M2>;

/// The rules of Tensor::to for one element. Never undefined behaviour: what does not fit saturates, NaN gives 0.
template <class To, class From>
To convert(From value) {
  if constexpr (std::is_same_v<From, To>) {
    return value;
  } else if constexpr (kIsStoredFloat<From>) {
    return convert<To>(static_cast<float>(value));
  } else if constexpr (kIsStoredFloat<To>) {
    return To(convert<float>(value));
  } else if constexpr (std::is_same_v<To, bool>) {
    return value != From(0);
  } else if constexpr (std::is_integral_v<To> && std::is_floating_point_v<From>) {
    // 2^digits is the first value above the range, and a float or double exactly.
    const From limit = std::ldexp(From(1), std::numeric_limits<To>::digits);
    if (std::isnan(value)) return 0;
    if (value >= limit) return std::numeric_limits<To>::max();
    if (value <= (std::is_signed_v<To> ? -limit : From(0))) return std::numeric_limits<To>::min();
    return static_cast<To>(value);
  } else if constexpr (std::is_integral_v<To> && std::is_integral_v<From> && !std::is_same_v<From, bool>) {
    if (std::cmp_greater(value, std::numeric_limits<To>::max())) return std::numeric_limits<To>::max();
    if (std::cmp_less(value, std::numeric_limits<To>::min())) return std::numeric_limits<To>::min();
    return static_cast<To>(value);
  } else {
    return static_cast<To>(value);
  }
}

/// The same for `count` elements one behind the other. Source and target do not overlap.
void convert_elements(const void* source, DType from, void* target, DType to, std::int64_t count);

}  // namespace teff

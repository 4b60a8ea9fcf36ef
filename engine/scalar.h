// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <cstdint>

#include "teff/engine/shape.h"

namespace TEFF_EXPORT teff {

/// A number beside tensors, of the kind that it was written as: `x + 2` of an int64 x is int64, `x + 2.0` float32, as
/// in Python. Within a kind the tensor's dtype stays: bool < whole numbers < floating-point numbers.
class Scalar {
 public:
  template <WholeNumber T>
  constexpr Scalar(T value) : Scalar(Integer(value)) {}
  constexpr Scalar(Integer value) : kind_(Kind::whole), whole_(value), value_(static_cast<double>(whole_)) {}
  template <std::floating_point T>
  constexpr Scalar(T value) : kind_(Kind::floating), value_(static_cast<double>(value)) {}
  template <std::same_as<bool> T>
  constexpr Scalar(T value) : kind_(Kind::boolean), whole_(value), value_(value) {}

  constexpr bool is_floating_point() const { return kind_ == Kind::floating; }
  constexpr bool is_bool() const { return kind_ == Kind::boolean; }
  constexpr double to_double() const { return value_; }
  /// The value if it is not floating_point, or else 0.
  constexpr std::int64_t to_int() const { return whole_; }
  /// Whether to_double() is all of it: a whole number beyond 2^53 may not be.
  constexpr bool fits_double() const {
    return is_floating_point() || (value_ < 0x1p63 && static_cast<std::int64_t>(value_) == whole_);
  }

 private:
  enum class Kind : std::uint8_t { boolean, whole, floating };
  Kind kind_;
  std::int64_t whole_ = 0;
  double value_;
};

/// What `{}` is where a bound may be a number or a tensor: clamp(x, {}, {}).
enum class NoBound {};

}  // namespace teff

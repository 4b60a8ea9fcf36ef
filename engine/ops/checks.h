// SPDX-License-Identifier: MIT
#pragma once

// Private: what operations ask of their inputs and options, one function a rule. Each throws an error that
// begins with the function's name: `<op>: expected <rule>, got <actual>`.

#include <cstdint>
#include <span>
#include <sstream>
#include <string>
#include <string_view>

#include "teff/engine/error.h"
#include "teff/engine/op.h"

namespace teff::ops {

/// Window sizes, strides, padding and the like stay below this, so that no sum or product of two of them
/// overflows.
inline constexpr std::int64_t kMaxOption = std::int64_t{1} << 31;

/// The arguments, printed one after the other.
template <class... Args>
std::string text(const Args&... args) {
  std::ostringstream out;
  (out << ... << args);
  return out.str();
}

/// Throws `<op>: expected <args...>`.
template <class SomeError, class... Args>
[[noreturn]] void fail(std::string_view op, const Args&... args) {
  throw SomeError(text(op, ": expected ", args...));
}

/// All of one dtype.
void check_one_dtype(std::string_view op, std::span<const TensorType> inputs);
/// All float32 or all float64.
void check_computable(std::string_view op, std::span<const TensorType> inputs);
/// All float32, all float64 or all int64.
void check_numeric(std::string_view op, std::span<const TensorType> inputs);
/// At least `least` and at most `most` inputs.
void check_arity(std::string_view op, std::span<const TensorType> inputs, std::size_t least, std::size_t most);

/// The place of dimension `dim`, counted from the end if negative. A tensor without dimensions counts as
/// having one.
std::size_t check_dim(std::string_view op, std::int64_t dim, const Shape& shape);
/// The same, and there must be a dimension.
std::size_t check_real_dim(std::string_view op, std::int64_t dim, const Shape& shape);

/// `shape`, the shape of a result, if it can have that many elements: what follows may multiply its sizes.
Shape check_result(std::string_view op, const Shape& shape);

/// A whole number, if the dtype is int64.
void check_scalar(std::string_view op, double value, DType dtype);

/// Both in [least, kMaxOption).
void check_pair(std::string_view op, std::string_view option, const Pair& value, std::int64_t least);

/// `actual`, the shape of what `name` says, is `expected`, which follows from the shape of `owner`.
void check_matches(std::string_view op, std::string_view name, const Shape& actual, const Shape& expected,
                   std::string_view owner, const Shape& owner_shape);

}  // namespace teff::ops

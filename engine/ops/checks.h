// SPDX-License-Identifier: MIT
#pragma once

// Private: what operations ask of their inputs and options, one function a rule. Each throws an error that
// begins with the function's name: `<op>: expected <rule>, got <actual>`.

#include <cstdint>
#include <initializer_list>
#include <ostream>
#include <span>
#include <string>
#include <string_view>

#include "teff/engine/error.h"
#include "teff/engine/op.h"

namespace teff::ops {

// Sizes. No size that an operation or a kernel computes wraps, whatever a file or a caller asks for:
//
// - A tensor has at most 2^59 elements (numel). What is a few times the elements of an input or the result, or a sum of
//   such, fits.
// - Options that places are computed from, and the sides of images that they are put to, are below kMaxOption, 2^31: a
//   sum or a product of two fits, as does the sum of two such products. Images and filters have at most kMaxImages,
//   2^48, values: what lanes, tiles and bytes make of them fits.
// - The multiply-adds of a call that are counted to plan it are at most 2^60 (check_work).
// - Scratch memory that is more than a few times the elements of a tensor, since options are among its factors, is
//   measured by kernels::scratch_size, which refuses beyond 2^48; steps within such memory are products of some of the
//   same factors. Workspace refuses a count of bytes that wraps. It follows the data, not the padding: im2col.h and
//   pool2d.cpp say how.
//
// All of this is an Error that names the operation, before anything is written.

/// Window sizes, strides, padding and the like stay below this.
inline constexpr std::int64_t kMaxOption = std::int64_t{1} << 31;
/// The values of images and of filters.
inline constexpr std::int64_t kMaxImages = std::int64_t{1} << 48;

/// A part of an error's text: something that lives until it is printed. That the part is of no type keeps what prints
/// and throws in one place: there are hundreds of errors.
class TextPart {
 public:
  TextPart(const char* text) : value_(text), print_(print_text) {}
  template <class T>
  TextPart(const T& value) : value_(&value), print_(print_value<T>) {}

  void print(std::ostream& out) const { print_(out, value_); }

 private:
  static void print_text(std::ostream& out, const void* text) { out << static_cast<const char*>(text); }
  template <class T>
  static void print_value(std::ostream& out, const void* value) {
    out << *static_cast<const T*>(value);
  }

  const void* value_;
  void (*print_)(std::ostream& out, const void* value);
};

/// The parts, printed one after the other.
std::string text_of_parts(std::span<const TextPart> parts);
template <class... Args>
std::string text(const Args&... args) {
  const TextPart parts[] = {TextPart(args)...};
  return text_of_parts(parts);
}

/// Calls raise(text), which throws, with `<op>: expected <parts...>`.
[[noreturn]] void fail_with(void (*raise)(const std::string& text), std::string_view op,
                            std::span<const TextPart> parts);

template <class SomeError>
[[noreturn]] void raise(const std::string& text) {
  throw SomeError(text);
}

/// Throws `<op>: expected <args...>`.
template <class SomeError, class... Args>
[[noreturn]] void fail(std::string_view op, const Args&... args) {
  const TextPart parts[] = {TextPart(args)...};
  fail_with(raise<SomeError>, op, parts);
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

/// Multiply-adds, of which there are as many as the product of these counts.
void check_work(std::string_view op, std::initializer_list<std::int64_t> counts);

/// A whole number, if the dtype is int64.
void check_scalar(std::string_view op, double value, DType dtype);

/// Both in [least, kMaxOption).
void check_pair(std::string_view op, std::string_view option, const Pair& value, std::int64_t least);

/// `actual`, the shape of what `name` says, is `expected`, which follows from the shape of `owner`.
void check_matches(std::string_view op, std::string_view name, const Shape& actual, const Shape& expected,
                   std::string_view owner, const Shape& owner_shape);

}  // namespace teff::ops

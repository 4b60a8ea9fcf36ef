// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <iosfwd>
#include <span>
#include <string>
#include <utility>

#include "teff/export.h"

namespace TEFF_EXPORT teff {

/// What stands for a whole number: not a bool, a character or a fraction, although C++ would convert them.
template <class T>
concept WholeNumber =
    std::integral<T> && !std::same_as<T, bool> && !std::same_as<T, char> && !std::same_as<T, wchar_t> &&
    !std::same_as<T, char8_t> && !std::same_as<T, char16_t> && !std::same_as<T, char32_t>;

namespace detail {
[[noreturn]] void refuse_large(std::uint64_t value);
[[noreturn]] void refuse_index(std::size_t index, std::size_t size);
}  // namespace detail

/// A whole number as an argument. @throws ValueError for one of 2^63 or more.
class Integer {
 public:
  template <WholeNumber T>
  constexpr Integer(T value) : value_(static_cast<std::int64_t>(value)) {
    if (!std::in_range<std::int64_t>(value)) detail::refuse_large(static_cast<std::uint64_t>(value));
  }
  constexpr operator std::int64_t() const { return value_; }

 private:
  std::int64_t value_;
};

/// The most dimensions that a tensor can have.
inline constexpr std::size_t kMaxRank = 8;

/// Up to kMaxRank integers, held inline: a shape, a list of dimensions, a permutation.
class IntList {
 public:
  IntList() = default;
  /// A list of one: `sum(x, 1)`, `x.view(-1)`.
  template <WholeNumber T>
  IntList(T value) : values_{Integer(value)}, size_(1) {}
  /// @throws ShapeError for more than kMaxRank values.
  IntList(std::initializer_list<Integer> values);
  explicit IntList(std::span<const std::int64_t> values);

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  // The value at a place. @throws IndexError if there is none.
  std::int64_t operator[](std::size_t i) const { return values_[checked(i)]; }
  std::int64_t& operator[](std::size_t i) { return values_[checked(i)]; }
  std::int64_t front() const { return (*this)[0]; }
  std::int64_t back() const { return (*this)[size_ - 1]; }
  const std::int64_t* begin() const { return values_.data(); }
  const std::int64_t* end() const { return values_.data() + size_; }
  std::int64_t* begin() { return values_.data(); }
  std::int64_t* end() { return values_.data() + size_; }

  // @throws ShapeError if the list is full; IndexError for a place beyond its end.
  void push_back(std::int64_t value);
  void insert(std::size_t place, std::int64_t value);
  void erase(std::size_t place);
  bool contains(std::int64_t value) const;

  friend bool operator==(const IntList& a, const IntList& b);

 private:
  std::size_t checked(std::size_t i) const {
    if (i >= size_) detail::refuse_index(i, size_);
    return i;
  }

  std::array<std::int64_t, kMaxRank> values_{};
  std::size_t size_ = 0;
};

/// Sizes of a tensor's dimensions, the slowest first. An empty shape is that of a single number.
using Shape = IntList;

/// `[2, 3]`
std::string to_string(const IntList& list);
std::ostream& operator<<(std::ostream& out, const IntList& list);

namespace detail {
/// The most elements are 2 to this: of 8 bytes each, they have fewer bytes than a std::ptrdiff_t can count.
constexpr int kMaxNumelPower = sizeof(void*) >= 8 ? 59 : 27;
}  // namespace detail

/// Product of the sizes. @throws ShapeError for a negative size, or if those that are not 0 have a product beyond 2^59
/// (2^27 where pointers have 32 bits).
std::int64_t numel(const Shape& shape);

/// Height and width of a kernel, stride, padding or dilation; one number stands for both.
struct Pair {
  std::int64_t height = 0;
  std::int64_t width = 0;
  Pair() = default;
  template <WholeNumber T>
  Pair(T both) : height(Integer(both)), width(height) {}
  Pair(Integer h, Integer w) : height(h), width(w) {}
  friend bool operator==(const Pair&, const Pair&) = default;
};

/// `(2, 3)`, as Python prints it.
std::string to_string(const Pair& pair);

}  // namespace teff

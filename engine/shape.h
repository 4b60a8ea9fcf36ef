// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <iosfwd>
#include <span>
#include <string>

#include "teff/export.h"

namespace TEFF_EXPORT teff {

/// The most dimensions that a tensor can have.
inline constexpr std::size_t kMaxRank = 8;

/// Up to kMaxRank integers, held inline: a shape, a list of dimensions, a permutation.
class IntList {
 public:
  IntList() = default;
  /// A list of one: `sum(x, 1)`, `x.view(-1)`.
  IntList(std::int64_t value) : values_{value}, size_(1) {}
  IntList(std::initializer_list<std::int64_t> values) : IntList(std::span(values.begin(), values.size())) {}
  /// @throws ShapeError for more than kMaxRank values.
  explicit IntList(std::span<const std::int64_t> values);

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  std::int64_t operator[](std::size_t i) const { return values_[i]; }
  std::int64_t& operator[](std::size_t i) { return values_[i]; }
  const std::int64_t* begin() const { return values_.data(); }
  const std::int64_t* end() const { return values_.data() + size_; }
  std::int64_t* begin() { return values_.data(); }
  std::int64_t* end() { return values_.data() + size_; }
  std::int64_t back() const { return values_[size_ - 1]; }

  /// @throws ShapeError if the list is full.
  void push_back(std::int64_t value);
  void insert(std::size_t place, std::int64_t value);
  void erase(std::size_t place);
  bool contains(std::int64_t value) const;

  friend bool operator==(const IntList& a, const IntList& b);

 private:
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
  Pair(std::int64_t both) : height(both), width(both) {}
  Pair(std::int64_t h, std::int64_t w) : height(h), width(w) {}
  friend bool operator==(const Pair&, const Pair&) = default;
};

/// `(2, 3)`, as Python prints it.
std::string to_string(const Pair& pair);

}  // namespace teff

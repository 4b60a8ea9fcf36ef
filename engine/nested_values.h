// SPDX-License-Identifier: MIT
#pragma once

// Part of tensor.h: what stands between the braces of tensor({{1, 2}, {3, 4}}).

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <type_traits>
#include <utility>

#include "teff/engine/shape.h"
#include "teff/export.h"

namespace TEFF_EXPORT teff {
namespace detail {

/// A number as Python knows it: a bool, a whole number or a fraction.
struct AnyNumber {
  enum class Kind { boolean, whole, fraction };

  AnyNumber() = default;
  AnyNumber(bool value) : kind(Kind::boolean), whole(value ? 1 : 0) {}
  template <WholeNumber T>
  AnyNumber(T value) : kind(Kind::whole), whole(Integer(value)) {}
  template <std::floating_point T>
  AnyNumber(T value) : kind(Kind::fraction), fraction(static_cast<double>(value)) {}

  Kind kind = Kind::boolean;
  std::int64_t whole = 0;
  double fraction = 0;
};

/// Whether a U may stand among the values of a tensor<T>: no fraction among whole numbers, and bools only among bools.
template <class U, class T>
concept ValueOf = std::same_as<U, T> ||(std::same_as<T, AnyNumber>&& std::is_arithmetic_v<U>) ||
                  (std::floating_point<T> && (WholeNumber<U> || std::floating_point<U>)) ||
                  (WholeNumber<T> && WholeNumber<U>);

template <class List>
concept InitializerList = requires {
  typename List::value_type;
}
&&std::same_as<List, std::initializer_list<typename List::value_type>>;

[[noreturn]] void refuse_value(std::int64_t value, std::size_t bytes, bool is_signed);
[[noreturn]] void refuse_rows(const Shape& first, const Shape& other);

/// A number, or a list of such, all of one shape.
template <class T>
class NestedValues {
 public:
  template <ValueOf<T> U>
  NestedValues(U value) : number_(converted(value)) {}

  NestedValues(std::initializer_list<NestedValues> parts) : is_list_(true) {
    if (parts.size() > 0) shape_ = parts.begin()->shape_;
    for (const NestedValues& part : parts) {
      if (part.shape_ != shape_) refuse_rows(shape_, part.shape_);
      count_ += part.is_list_ ? part.count_ : 1;
    }
    shape_.insert(0, static_cast<std::int64_t>(parts.size()));
    values_ = std::shared_ptr<T[]>(new T[count_]);
    T* out = values_.get();
    for (const NestedValues& part : parts) {
      const T* from = part.is_list_ ? part.values_.get() : &part.number_;
      out = std::copy(from, from + (part.is_list_ ? part.count_ : 1), out);
    }
  }

  const Shape& shape() const { return shape_; }
  /// Row by row.
  std::span<const T> values() const { return {values_.get(), count_}; }

 private:
  template <class U>
  static T converted(U value) {
    if constexpr (WholeNumber<T> && WholeNumber<U>) {
      if (!std::in_range<T>(value)) refuse_value(Integer(value), sizeof(T), std::is_signed_v<T>);
    }
    return static_cast<T>(value);
  }

  bool is_list_ = false;
  T number_{};
  Shape shape_;
  std::size_t count_ = 0;
  std::shared_ptr<T[]> values_;  // of a list; shared by copies, which initializer lists make
};

}  // namespace detail
}  // namespace teff

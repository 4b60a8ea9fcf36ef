// SPDX-License-Identifier: MIT
#include "teff/engine/shape.h"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <ostream>

#include "teff/engine/error.h"

namespace teff {
namespace {

constexpr std::int64_t kMaxNumel = std::int64_t{1} << detail::kMaxNumelPower;
static_assert(kMaxNumel <= std::numeric_limits<std::ptrdiff_t>::max() / 8);

[[noreturn]] void too_many(std::size_t count) {
  throw ShapeError("shape: expected at most " + std::to_string(kMaxRank) + " dimensions, got " + std::to_string(count));
}

}  // namespace

void detail::refuse_large(std::uint64_t value) {
  throw ValueError("argument: expected a whole number below 2^63, got " + std::to_string(value));
}

void detail::refuse_index(std::size_t index, std::size_t size) {
  throw IndexError("shape: expected a place below the list's size " + std::to_string(size) + ", got " +
                   std::to_string(static_cast<std::int64_t>(index)));
}

IntList::IntList(std::initializer_list<Integer> values) {
  if (values.size() > kMaxRank) too_many(values.size());
  std::copy(values.begin(), values.end(), values_.begin());
  size_ = values.size();
}

IntList::IntList(std::span<const std::int64_t> values) {
  if (values.size() > kMaxRank) too_many(values.size());
  std::copy(values.begin(), values.end(), values_.begin());
  size_ = values.size();
}

void IntList::push_back(std::int64_t value) { insert(size_, value); }

void IntList::insert(std::size_t place, std::int64_t value) {
  if (size_ == kMaxRank) too_many(kMaxRank + 1);
  if (place > size_) detail::refuse_index(place, size_);
  std::copy_backward(begin() + place, end(), end() + 1);
  values_[place] = value;
  ++size_;
}

void IntList::erase(std::size_t place) {
  static_cast<void>(checked(place));
  std::copy(begin() + place + 1, end(), begin() + place);
  --size_;
}

bool IntList::contains(std::int64_t value) const { return std::find(begin(), end(), value) != end(); }

TEFF_EXPORT bool operator==(const IntList& a, const IntList& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end());
}

std::string to_string(const IntList& list) {
  std::string text = "[";
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (i > 0) text += ", ";
    text += std::to_string(list[i]);
  }
  return text + ']';
}

std::ostream& operator<<(std::ostream& out, const IntList& list) { return out << to_string(list); }

std::int64_t numel(const Shape& shape) {
  std::int64_t product = 1;
  bool empty = false;
  for (const std::int64_t size : shape) {
    if (size < 0) throw ShapeError("shape: expected sizes of at least 0, got " + to_string(shape));
    if (size == 0) {
      empty = true;
    } else if (product > kMaxNumel / size) {
      throw ShapeError("shape: expected at most 2^" + std::to_string(detail::kMaxNumelPower) + " elements, got " +
                       to_string(shape));
    } else {
      product *= size;
    }
  }
  return empty ? 0 : product;
}

std::string to_string(const Pair& pair) {
  return '(' + std::to_string(pair.height) + ", " + std::to_string(pair.width) + ')';
}

}  // namespace teff

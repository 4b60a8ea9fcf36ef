// SPDX-License-Identifier: MIT
#include "teff/engine/ops/sort_rows.h"

#include <algorithm>
#include <array>
#include <limits>
#include <type_traits>

#include "teff/engine/kernels/isa/workspace.h"
#include "teff/engine/ops/rows.h"

// Elements become keys, unsigned numbers in the same order, so that there is one way to sort for each size of key: long
// rows by their digits (a stable radix sort from the lowest digit), short ones by comparing.

namespace teff::ops {
namespace {

constexpr std::int64_t kBlock = 512;  // keys made at a time

/// What the bits of a dtype mean.
struct Meaning {
  bool is_float, is_signed;
  std::uint64_t greatest;  // of a float: the bits of the greatest number, beyond which are NaNs
};

Meaning meaning_of(DType dtype) {
  switch (dtype) {
    case DType::float32:
      return {true, true, 0x7f800000};
    case DType::float64:
      return {true, true, 0x7ff0000000000000};
    case DType::float16:
      return {true, true, 0x7c00};
    case DType::bfloat16:
      return {true, true, 0x7f80};
    case DType::float8_e5m2:
      return {true, true, 0x7c};
    case DType::float8_e4m3fn:
      return {true, true, 0x7e};
    case DType::int64:
    case DType::int32:
    case DType::int16:
    case DType::int8:
      return {false, true, 0};
    default:
      return {false, false, 0};
  }
}

/// Keys of the elements [begin, begin + count) of a row; turned around if `flip` is all ones.
template <class Word, class Key>
void make_keys(const SortedRow& row, std::int64_t begin, std::int64_t count, Key flip, Key* keys) {
  using Bits = std::remove_cv_t<std::conditional_t<sizeof(Word) == 8, std::uint64_t, std::uint32_t>>;
  const Meaning meaning = meaning_of(row.dtype);
  const Word* from = static_cast<const Word*>(row.data) + begin * row.stride;
  const auto sign = static_cast<Bits>(Bits{1} << (8 * sizeof(Word) - 1));
  const auto all = static_cast<Bits>(sign | (sign - 1));
  if (!meaning.is_float) {
    const Bits change = meaning.is_signed ? sign : Bits{0};
    for (std::int64_t i = 0; i < count; ++i) keys[i] = static_cast<Key>((from[i * row.stride] ^ change) ^ flip);
    return;
  }
  const auto greatest = static_cast<Bits>(meaning.greatest);
  for (std::int64_t i = 0; i < count; ++i) {
    const Bits bits = from[i * row.stride], magnitude = bits & ~sign;
    const Bits negative = static_cast<Bits>(all & ~magnitude) & ~sign;  // below all that are not
    Bits key = (bits & sign) != 0 && magnitude != 0 ? negative : (magnitude | sign);
    key = magnitude > greatest ? all : key;
    keys[i] = static_cast<Key>(key ^ flip);
  }
}

template <class Key>
using KeyMaker = void (*)(const SortedRow&, std::int64_t, std::int64_t, Key, Key*);

template <class Key>
struct Item {
  Key key;
  std::uint32_t place;
  friend bool operator<(const Item& a, const Item& b) { return a.key != b.key ? a.key < b.key : a.place < b.place; }
};

template <class Key>
void make_items(const SortedRow& row, KeyMaker<Key> make, Key flip, Item<Key>* items) {
  std::array<Key, kBlock> keys;
  for (std::int64_t begin = 0; begin < row.size; begin += kBlock) {
    const std::int64_t count = std::min(kBlock, row.size - begin);
    make(row, begin, count, flip, keys.data());
    for (std::int64_t i = 0; i < count; ++i) {
      items[begin + i] = {keys[static_cast<std::size_t>(i)], static_cast<std::uint32_t>(begin + i)};
    }
  }
}

/// Sorts by digits of 11 bits, from the lowest; digits that all have in common are passed over. Both arrays are
/// written; the result is where the sorted ones are.
template <class Key>
Item<Key>* sort_by_digits(Item<Key>* items, Item<Key>* other, std::int64_t size) {
  constexpr int kBits = 11, kDigits = (8 * sizeof(Key) + kBits - 1) / kBits;
  constexpr std::size_t kValues = 1 << kBits;
  const auto digit = [](Key key, int d) { return static_cast<std::size_t>(key >> (d * kBits)) & (kValues - 1); };
  kernels::Workspace<std::uint32_t> counts(kDigits * kValues);
  std::fill_n(counts.data(), kDigits * kValues, 0u);
  for (std::int64_t i = 0; i < size; ++i) {
    for (int d = 0; d < kDigits; ++d) ++counts.data()[static_cast<std::size_t>(d) * kValues + digit(items[i].key, d)];
  }
  for (int d = 0; d < kDigits; ++d) {
    std::uint32_t* const places = counts.data() + static_cast<std::size_t>(d) * kValues;
    if (static_cast<std::int64_t>(places[digit(items[0].key, d)]) == size) continue;
    std::uint32_t sum = 0;
    for (std::size_t v = 0; v < kValues; ++v) {
      const std::uint32_t count = places[v];
      places[v] = sum;
      sum += count;
    }
    for (std::int64_t i = 0; i < size; ++i) other[places[digit(items[i].key, d)]++] = items[i];
    std::swap(items, other);
  }
  return items;
}

template <class Key>
void sort_keys(const SortedRow& row, KeyMaker<Key> make, Key flip, std::int64_t* order, std::int64_t step) {
  constexpr std::int64_t kShort = 1024;  // below which the counts of digits are most of the work
  const auto count = static_cast<std::size_t>(row.size);
  const bool is_short = row.size < kShort;
  kernels::Workspace<Item<Key>> items(is_short ? count : 2 * count);
  make_items(row, make, flip, items.data());
  Item<Key>* sorted = items.data();
  if (is_short) {
    std::sort(sorted, sorted + count);
  } else {
    sorted = sort_by_digits(sorted, sorted + count, row.size);
  }
  for (std::size_t i = 0; i < count; ++i) order[static_cast<std::int64_t>(i) * step] = sorted[i].place;
}

/// Those that may be among the first k are collected: once they are twice as many, the k-th is a bound for all later.
template <class Key>
void select_keys(const SortedRow& row, KeyMaker<Key> make, Key flip, std::int64_t k, std::int64_t* order,
                 std::int64_t step) {
  const std::int64_t room = k + std::max<std::int64_t>(k, 4 * kBlock);
  kernels::Workspace<Item<Key>> kept(static_cast<std::size_t>(room));
  Item<Key>* const items = kept.data();
  std::int64_t count = 0;
  std::array<Key, kBlock> keys;
  Key bound = std::numeric_limits<Key>::max();
  bool bounded = false;
  for (std::int64_t begin = 0; begin < row.size; begin += kBlock) {
    const std::int64_t size = std::min(kBlock, row.size - begin);
    make(row, begin, size, flip, keys.data());
    if (count + size > room) {
      std::nth_element(items, items + (k - 1), items + count);
      bound = items[k - 1].key;
      bounded = true;
      count = k;
    }
    for (std::int64_t i = 0; i < size; ++i) {
      const Key key = keys[static_cast<std::size_t>(i)];
      items[count] = {key, static_cast<std::uint32_t>(begin + i)};  // of equal keys the earlier one stays
      count += !bounded || key < bound ? 1 : 0;
    }
  }
  if (count > k) std::nth_element(items, items + (k - 1), items + count);
  std::sort(items, items + k);
  for (std::int64_t i = 0; i < k; ++i) order[i * step] = items[i].place;
}

/// Calls function(maker of keys, all ones or nothing to turn them around).
template <class Function>
void with_keys(const SortedRow& row, bool turned, const Function& function) {
  visit_width(size_of(row.dtype), [&](auto* word) {
    using Word = std::remove_pointer_t<decltype(word)>;
    using Key = std::conditional_t<sizeof(Word) == 8, std::uint64_t, std::uint32_t>;
    constexpr Key kAll = static_cast<Key>(std::numeric_limits<Key>::max() >> (8 * (sizeof(Key) - sizeof(Word))));
    function(KeyMaker<Key>(make_keys<Word, Key>), turned ? kAll : Key{0});
  });
}

}  // namespace

void sort_row(const SortedRow& row, bool descending, std::int64_t* order, std::int64_t step) {
  if (row.size == 0) return;
  with_keys(row, descending, [&](auto make, auto flip) { sort_keys(row, make, flip, order, step); });
}

void select_row(const SortedRow& row, bool largest, std::int64_t k, std::int64_t* order, std::int64_t step) {
  if (k == 0) return;
  with_keys(row, largest, [&](auto make, auto flip) { select_keys(row, make, flip, k, order, step); });
}

}  // namespace teff::ops

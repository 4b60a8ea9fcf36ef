// SPDX-License-Identifier: MIT
#include "teff/engine/convert.h"

#include <algorithm>
#include <array>
#include <cstddef>

namespace teff {
namespace {

constexpr std::int64_t kChunk = 512;  // elements that are converted in two steps at a time

template <class From, class To>
void convert_all(const From* from, To* to, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) to[i] = convert<To>(from[i]);
}

/// Types that every other one is converted from and to in one loop. The rest goes through one of these that has all
/// their values: a loop for each pair would weigh much and serve few.
constexpr bool has_loops(DType dtype) { return dtype <= DType::bfloat16; }

template <class Function>
void visit_with_loops(DType dtype, Function&& function) {
  visit_dtype(dtype, [&](auto zero) {
    if constexpr (has_loops(dtype_of<decltype(zero)>)) function(zero);
  });
}

/// Between a type without loops and one of its steps.
template <class Step>
void convert_from(const void* source, DType from, Step* target, std::int64_t count) {
  visit_dtype(from, [&](auto zero) { convert_all(static_cast<const decltype(zero)*>(source), target, count); });
}
template <class Step>
void convert_to(const Step* source, void* target, DType to, std::int64_t count) {
  visit_dtype(to, [&](auto zero) { convert_all(source, static_cast<decltype(zero)*>(target), count); });
}

template <class Step>
void convert_in_steps(const void* source, DType from, void* target, DType to, std::int64_t count) {
  std::array<Step, kChunk> chunk;
  const auto* in = static_cast<const std::byte*>(source);
  auto* out = static_cast<std::byte*>(target);
  for (std::int64_t left = count; left > 0; left -= kChunk) {
    const std::int64_t part = std::min(left, kChunk);
    convert_from(in, from, chunk.data(), part);
    convert_to(chunk.data(), out, to, part);
    in += static_cast<std::size_t>(part) * size_of(from);
    out += static_cast<std::size_t>(part) * size_of(to);
  }
}

bool is_8_bit_float(DType dtype) { return dtype == DType::float8_e4m3fn || dtype == DType::float8_e5m2; }

}  // namespace

void convert_elements(const void* source, DType from, void* target, DType to, std::int64_t count) {
  if (has_loops(from) && has_loops(to)) {
    visit_with_loops(from, [&](auto x) {
      visit_with_loops(to, [&](auto y) {
        convert_all(static_cast<const decltype(x)*>(source), static_cast<decltype(y)*>(target), count);
      });
    });
  } else if (is_8_bit_float(from) || is_8_bit_float(to)) {
    convert_in_steps<float>(source, from, target, to, count);
  } else if (from == DType::uint64) {
    convert_to(static_cast<const std::uint64_t*>(source), target, to, count);
  } else if (to == DType::uint64) {
    convert_from(source, from, static_cast<std::uint64_t*>(target), count);
  } else {  // what uint16 and uint32 hold, or saturate to
    convert_in_steps<std::int64_t>(source, from, target, to, count);
  }
}

}  // namespace teff

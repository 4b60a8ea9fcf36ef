// SPDX-License-Identifier: MIT
#include "teff/nn/text.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "teff/engine/error.h"
#include "teff/engine/text.h"

namespace teff::nn::detail {

std::string python_float(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  // Python writes an exponent from 1e16 on and below 1e-4.
  const double size = std::abs(value);
  const bool plain = size == 0 || (size >= 1e-4 && size < 1e16);
  char buffer[64];
  const auto format = plain ? std::chars_format::fixed : std::chars_format::scientific;
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value, format).ptr;
  std::string text(buffer, end);
  if (plain && text.find('.') == std::string::npos) text += ".0";
  return text;
}

std::string python_bool(bool value) { return value ? "True" : "False"; }

std::string int_or_pair(const Pair& pair) {
  return pair.height == pair.width ? std::to_string(pair.height) : to_string(pair);
}

std::string tuple(const IntList& list) {
  std::string text = "(";
  for (std::size_t i = 0; i < list.size(); ++i) text += (i == 0 ? "" : ", ") + std::to_string(list[i]);
  return text + (list.size() == 1 ? ",)" : ")");
}

std::string int_or_tuple(const IntList& list) {
  const bool equal = std::all_of(list.begin(), list.end(), [&](std::int64_t value) { return value == list[0]; });
  return equal && !list.empty() ? std::to_string(list[0]) : tuple(list);
}

std::string whole_or_float(double value) {
  const bool whole = std::trunc(value) == value && std::abs(value) < 1e15;
  return whole ? std::to_string(static_cast<std::int64_t>(value)) : python_float(value);
}

std::string inplace_repr(bool inplace, const std::string& before) {
  if (!inplace) return before;
  return before + (before.empty() ? "" : ", ") + "inplace=True";
}

std::string quoted(std::string_view name, char quote) { return quote + teff::detail::escaped(name) + quote; }

void expect(bool ok, std::string_view owner, std::string_view rule, const std::string& got) {
  if (!ok) throw ValueError(std::string(owner) + ": expected " + std::string(rule) + ", got " + got);
}

void expect_at_least(std::int64_t least, std::string_view owner, std::string_view name, std::int64_t value) {
  if (value >= least) return;
  expect(false, owner, std::string(name) + " >= " + std::to_string(least), std::to_string(value));
}

void expect_at_least(std::int64_t least, std::string_view owner, std::string_view name, const Pair& value) {
  if (value.height >= least && value.width >= least) return;
  expect(false, owner, std::string(name) + " >= " + std::to_string(least), int_or_pair(value));
}

void expect_at_least(std::int64_t least, std::string_view owner, std::string_view name, const IntList& value) {
  if (std::all_of(value.begin(), value.end(), [=](std::int64_t one) { return one >= least; })) return;
  expect(false, owner, std::string(name) + " >= " + std::to_string(least), int_or_tuple(value));
}

void expect_divisible(std::string_view owner, std::string_view name, std::int64_t channels, std::int64_t groups) {
  expect_at_least(1, owner, "groups", groups);
  expect(channels % groups == 0, owner, std::string(name) + " divisible by groups",
         std::to_string(channels) + " and " + std::to_string(groups));
}

}  // namespace teff::nn::detail

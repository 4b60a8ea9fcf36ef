// SPDX-License-Identifier: MIT
#include "teff/serialize/io/json.h"

#include <limits>

#include "teff/engine/error.h"
#include "teff/serialize/io/place.h"
#include "teff/serialize/io/utf8.h"

namespace teff::serialize {
namespace {

constexpr std::string_view kEscapes = "\"\\/bfnrt", kEscaped = "\"\\/\b\f\n\r\t";

}  // namespace

void JsonReader::refuse(const std::string& what) const {
  throw FormatError("JSON at offset " + std::to_string(offset_ + position_) + ": " + what);
}

/// The next character, as an error shows it.
std::string JsonReader::found() const {
  if (position_ == text_.size()) return "the end";
  return std::string("'").append(escaped(text_.substr(position_, 1), 1)).append("'");
}

void JsonReader::skip_space() {
  while (position_ < text_.size() && std::string_view(" \t\n\r").find(text_[position_]) != std::string_view::npos) {
    ++position_;
  }
}

bool JsonReader::accept(char c) {
  skip_space();
  if (position_ == text_.size() || text_[position_] != c) return false;
  ++position_;
  return true;
}

void JsonReader::expect(char c) {
  if (!accept(c)) refuse(std::string("expected '") + c + "', got " + found());
}

std::string JsonReader::string() {
  expect('"');
  std::string text;
  const std::size_t begin = position_;
  for (;; ++position_) {
    if (position_ == text_.size()) refuse("expected the end of a string, got the end");
    const char c = text_[position_];
    if (c == '"') break;
    if (static_cast<unsigned char>(c) < 0x20) refuse("expected no control character in a string, got " + found());
    if (c == '\\') {
      escape(text);
    } else {
      text += c;
    }
  }
  ++position_;
  if (!is_utf8(text)) {
    position_ = begin;
    refuse("expected text in UTF-8, got other bytes");
  }
  return text;
}

/// Leaves the position at the last character of the escape.
void JsonReader::escape(std::string& text) {
  if (++position_ == text_.size()) refuse("expected an escape, got the end");
  if (const std::size_t simple = kEscapes.find(text_[position_]); simple != kEscapes.npos) {
    text += kEscaped[simple];
    return;
  }
  if (text_[position_] != 'u') refuse("expected an escape, got " + found());
  std::uint32_t character = hex4();
  if (character >= 0xd800 && character < 0xdc00) {
    if (text_.substr(position_ + 1, 2) != "\\u") refuse("expected the second half of a surrogate pair");
    position_ += 2;
    const std::uint32_t low = hex4();
    if (low < 0xdc00 || low >= 0xe000) refuse("expected the second half of a surrogate pair");
    character = 0x10000 + ((character - 0xd800) << 10) + (low - 0xdc00);
  } else if (character >= 0xdc00 && character < 0xe000) {
    refuse("expected the first half of a surrogate pair");
  }
  append_utf8(text, character);
}

/// Four digits after the position.
std::uint32_t JsonReader::hex4() {
  std::uint32_t value = 0;
  for (int i = 0; i < 4; ++i) {
    const char c = ++position_ < text_.size() ? text_[position_] : '\0';
    const std::size_t digit = std::string_view("0123456789abcdefABCDEF").find(c);
    if (digit == std::string_view::npos || c == '\0') refuse("expected four hexadecimal digits");
    value = value << 4 | static_cast<std::uint32_t>(digit < 16 ? digit : digit - 6);
  }
  return value;
}

std::uint64_t JsonReader::integer() {
  skip_space();
  const std::size_t begin = position_;
  std::uint64_t value = 0;
  for (; position_ < text_.size() && text_[position_] >= '0' && text_[position_] <= '9'; ++position_) {
    const auto digit = static_cast<std::uint64_t>(text_[position_] - '0');
    if (value > (std::numeric_limits<std::uint64_t>::max() - digit) / 10)
      refuse("expected a number of at most 64 bits");
    if (position_ > begin && text_[begin] == '0') refuse("expected a number without leading zeros");
    value = 10 * value + digit;
  }
  const bool ends =
      position_ == text_.size() || std::string_view(".eE").find(text_[position_]) == std::string_view::npos;
  if (position_ == begin || !ends) refuse("expected a whole number without sign, got " + found());
  return value;
}

std::size_t JsonReader::next_place() {
  skip_space();
  return position_;
}

char JsonReader::next() {
  const std::size_t place = next_place();
  return place < text_.size() ? text_[place] : '\0';
}

std::string_view JsonReader::word() {
  const std::size_t begin = next_place();
  const auto is_in_word = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '+' ||
           c == '.';
  };
  while (position_ < text_.size() && is_in_word(text_[position_])) ++position_;
  if (position_ == begin) refuse("expected a value, got " + found());
  return text_.substr(begin, position_ - begin);
}

void JsonReader::finish() {
  skip_space();
  if (position_ < text_.size()) refuse("expected the end, got " + found());
}

}  // namespace teff::serialize

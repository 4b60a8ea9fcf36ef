// SPDX-License-Identifier: MIT
#include "teff/engine/text.h"

#include <array>
#include <cstdio>

namespace teff::detail {
namespace {

/// Of ASCII, and U+0080 to U+009F in UTF-8, whose second byte follows 0xc2.
bool is_control(unsigned char byte, unsigned char before) {
  return byte < 0x20 || byte == 0x7f || (before == 0xc2 && byte >= 0x80 && byte < 0xa0);
}

std::string escape(std::string_view text, std::string_view also, std::string_view but) {
  constexpr char kHex[] = "0123456789abcdef";
  std::string result;
  result.reserve(text.size());
  unsigned char before = 0;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool is_code = is_control(byte, before) && but.find(c) == std::string_view::npos;
    if (is_code || also.find(c) != std::string_view::npos) {
      result += "\\x";
      result += kHex[byte >> 4];
      result += kHex[byte & 15];
    } else {
      result += c;
    }
    before = byte;
  }
  return result;
}

}  // namespace

std::string escaped(std::string_view text, std::string_view also) { return escape(text, also, {}); }

std::string printable(std::string_view text) { return escape(text, {}, "\n"); }

std::string json_string(std::string_view text) {
  constexpr std::string_view kEscaped = "\"\\\b\f\n\r\t", kEscapes = "\"\\bfnrt";
  std::string quoted = "\"";
  for (const char c : text) {
    if (const std::size_t simple = kEscaped.find(c); simple != kEscaped.npos) {
      quoted += '\\';
      quoted += kEscapes[simple];
    } else if (static_cast<unsigned char>(c) < 0x20) {
      std::array<char, 8> code{};
      std::snprintf(code.data(), code.size(), "\\u%04x", static_cast<unsigned>(c));
      quoted += code.data();
    } else {
      quoted += c;
    }
  }
  return quoted + '"';
}

std::string coordinates(const Shape& shape, std::int64_t element) {
  Shape place = shape;
  for (std::size_t i = shape.size(); i-- > 0; element /= shape[i]) place[i] = element % shape[i];
  return to_string(place);
}

}  // namespace teff::detail

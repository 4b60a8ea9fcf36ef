// SPDX-License-Identifier: MIT
#include "teff/engine/text.h"

#include <algorithm>
#include <array>
#include <cstdio>

namespace teff::detail {
namespace {

/// Bytes of the character that begins there if it drives a terminal or turns the direction of writing instead of being
/// shown; else 0. Of ASCII; U+0080 to U+009F; U+061C, U+200E, U+200F, U+2028 to U+202E, U+2066 to U+2069.
std::size_t control_bytes(std::string_view text) {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
  if (byte(0) < 0x20 || byte(0) == 0x7f) return 1;
  if (byte(0) == 0xc2) return byte(1) >= 0x80 && byte(1) < 0xa0 ? 2 : 0;
  if (byte(0) == 0xd8) return byte(1) == 0x9c ? 2 : 0;
  if (byte(0) != 0xe2) return 0;
  const bool is_mark = byte(1) == 0x80 && (byte(2) == 0x8e || byte(2) == 0x8f || (byte(2) >= 0xa8 && byte(2) <= 0xae));
  const bool is_isolate = byte(1) == 0x81 && byte(2) >= 0xa6 && byte(2) <= 0xa9;
  return is_mark || is_isolate ? 3 : 0;
}

std::string escape(std::string_view text, std::string_view also, std::string_view but) {
  constexpr char kHex[] = "0123456789abcdef";
  std::string result;
  result.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    const bool is_special = also.find(text[i]) != std::string_view::npos;
    std::size_t codes = but.find(text[i]) != std::string_view::npos ? 0 : control_bytes(text.substr(i));
    if (is_special) codes = std::max<std::size_t>(codes, 1);
    if (codes == 0) result += text[i++];
    for (; codes > 0; --codes) {
      const auto byte = static_cast<unsigned char>(text[i++]);
      result += "\\x";
      result += kHex[byte >> 4];
      result += kHex[byte & 15];
    }
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

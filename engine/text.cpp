// SPDX-License-Identifier: MIT
#include "teff/engine/text.h"

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

}  // namespace teff::detail

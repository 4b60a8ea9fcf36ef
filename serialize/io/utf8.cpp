// SPDX-License-Identifier: MIT
#include "teff/serialize/io/utf8.h"

namespace teff::serialize {
namespace {

/// Of a character that begins with this byte, 0 if none does.
std::size_t length_from(unsigned char first) {
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first < 0xe0) return 2;
  if (first >= 0xe0 && first < 0xf0) return 3;
  if (first >= 0xf0 && first < 0xf5) return 4;
  return 0;
}

}  // namespace

bool is_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto first = static_cast<unsigned char>(text[i]);
    const std::size_t length = length_from(first);
    if (length == 0 || length > text.size() - i) return false;
    for (std::size_t k = 1; k < length; ++k) {
      if ((static_cast<unsigned char>(text[i + k]) & 0xc0) != 0x80) return false;
    }
    const unsigned char second = length > 1 ? static_cast<unsigned char>(text[i + 1]) : 0;
    if ((first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f)) return false;  // overlong, surrogate
    if ((first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f)) return false;  // overlong, too large
    i += length;
  }
  return true;
}

void append_utf8(std::string& text, std::uint32_t character) {
  const auto rest = [&](int shift) { text += static_cast<char>(0x80 | ((character >> shift) & 0x3f)); };
  if (character < 0x80) {
    text += static_cast<char>(character);
  } else if (character < 0x800) {
    text += static_cast<char>(0xc0 | (character >> 6));
    rest(0);
  } else if (character < 0x10000) {
    text += static_cast<char>(0xe0 | (character >> 12));
    rest(6);
    rest(0);
  } else {
    text += static_cast<char>(0xf0 | (character >> 18));
    rest(12);
    rest(6);
    rest(0);
  }
}

}  // namespace teff::serialize

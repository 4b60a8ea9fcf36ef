// SPDX-License-Identifier: MIT
#include "teff/serialize/io/utf8.h"

namespace teff::serialize {
bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t bytes = character_bytes(text);
    if (bytes == 0) return false;
    text.remove_prefix(bytes);
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

// SPDX-License-Identifier: MIT
#pragma once

// Private: text of foreign files.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace teff::serialize {

/// Bytes of the character at the beginning of the text, which is valid UTF-8 in its shortest form; 0 if it is not.
inline std::size_t character_bytes(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const std::size_t count = byte(0) < 0x80 ? 1 : byte(0) < 0xc2 ? 0 : byte(0) < 0xe0 ? 2 : byte(0) < 0xf0 ? 3 : 4;
  if (count == 0 || byte(0) > 0xf4 || count > text.size()) return 0;
  for (std::size_t i = 1; i < count; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  const bool too_long = (byte(0) == 0xe0 && byte(1) < 0xa0) || (byte(0) == 0xf0 && byte(1) < 0x90);
  const bool not_a_character = (byte(0) == 0xed && byte(1) > 0x9f) || (byte(0) == 0xf4 && byte(1) > 0x8f);
  return too_long || not_a_character ? 0 : count;
}

/// Whether the text is UTF-8: no overlong forms, no surrogates, nothing above U+10FFFF.
bool is_utf8(std::string_view text);

/// Appends the character. It must not be a surrogate, nor above U+10FFFF.
void append_utf8(std::string& text, std::uint32_t character);

}  // namespace teff::serialize

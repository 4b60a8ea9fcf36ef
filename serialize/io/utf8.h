// SPDX-License-Identifier: MIT
#pragma once

// Private: text of foreign files.

#include <cstdint>
#include <string>
#include <string_view>

namespace teff::serialize {

/// Whether the text is UTF-8: no overlong forms, no surrogates, nothing above U+10FFFF.
bool is_utf8(std::string_view text);

/// Appends the character. It must not be a surrogate, nor above U+10FFFF.
void append_utf8(std::string& text, std::uint32_t character);

}  // namespace teff::serialize

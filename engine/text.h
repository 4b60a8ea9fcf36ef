// SPDX-License-Identifier: MIT
#pragma once

// Private: text from elsewhere, fit to be printed.

#include <string>
#include <string_view>

namespace teff::detail {

/// The text with control characters, which could drive a terminal, as codes: \x1b. So are the characters of `also`.
std::string escaped(std::string_view text, std::string_view also = {});

/// The same for text of several lines: line ends stay.
std::string printable(std::string_view text);

}  // namespace teff::detail

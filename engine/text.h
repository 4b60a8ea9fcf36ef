// SPDX-License-Identifier: MIT
#pragma once

// Private: text from elsewhere, fit to be printed, and text that several files write.

#include <cstdint>
#include <string>
#include <string_view>

#include "teff/engine/shape.h"

namespace teff::detail {

/// The text with control characters, which could drive a terminal, as codes: \x1b. So are marks that turn the direction
/// of writing, and the characters of `also`.
std::string escaped(std::string_view text, std::string_view also = {});

/// The same for text of several lines: line ends stay.
std::string printable(std::string_view text);

/// The text in quotes, as JSON has it.
std::string json_string(std::string_view text);

/// [row, column] of an element by its number.
std::string coordinates(const Shape& shape, std::int64_t element);

}  // namespace teff::detail

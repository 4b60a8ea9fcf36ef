// SPDX-License-Identifier: MIT
#pragma once

// Private: Python's functions of numbers, by which exported programs compute sizes.

#include <optional>
#include <string_view>
#include <vector>

#include "teff/engine/dict.h"

namespace teff::serialize {

/// "_operator.mul" and its like, of numbers; none if there is no such function.
/// @throws FormatError for other arguments than it takes, and results beyond 64 bits.
std::optional<Value> number_from(std::string_view target, const std::vector<Value>& arguments);

}  // namespace teff::serialize

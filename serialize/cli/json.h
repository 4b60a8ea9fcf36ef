// SPDX-License-Identifier: MIT
#pragma once

#include <iosfwd>

#include <teff/engine/dict.h>

namespace teff::cli {

/// Prints the value as JSON in ASCII, indented, items in their order. A tensor is {"dtype", "shape"}, bytes are their
/// number, and numbers that JSON does not know (NaN, infinity) are null.
void print_json(std::ostream& out, const Value& value);

}  // namespace teff::cli

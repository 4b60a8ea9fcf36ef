// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "teff/serialize/script/script_syntax.h"

namespace teff::testing {

/// "(call (.add torch) x 1 alpha=2)". Texts have quotes and codes of bytes, numbers of floating point are hexadecimal.
std::string tree_of(const serialize::ScriptExpression& expression);

/// A line for each class, member, function and statement, as make_parser_golden.py writes them.
std::string text_of(const serialize::ScriptFile& file);

}  // namespace teff::testing

// SPDX-License-Identifier: MIT
#pragma once

// Private: numbers and names as text, and the checks of constructor arguments. Exported because teff::distributed, a
// library of its own, checks so too.

#include <cstdint>
#include <string>
#include <string_view>

#include "teff/engine/shape.h"

namespace TEFF_EXPORT teff {
namespace nn::detail {

/// The shortest text that reads back as the same number, as Python prints a float: "0.1", "1.0", "1e-05", "inf".
std::string python_float(double value);
/// "True", "False"
std::string python_bool(bool value);
/// `2`, or `(3, 2)`: PyTorch prints what the user wrote, and one number usually stands for both.
std::string int_or_pair(const Pair& pair);
/// `(3,)`, `(2, 3)`
std::string tuple(const IntList& list);
/// `2`, or `(3, 2, 1)`, as int_or_pair.
std::string int_or_tuple(const IntList& list);
/// A number whose default is a whole one in Python, which prints it without a point.
std::string whole_or_float(double value);
/// What a layer prints, and at its end whether it is said to work in place.
std::string inplace_repr(bool inplace, const std::string& before = "");
/// The name in double quotes; control characters, which could drive a terminal, are escaped.
std::string quoted(std::string_view name, char quote = '"');

/// @throws ValueError `<owner>: expected <rule>, got <got>` unless ok.
void expect(bool ok, std::string_view owner, std::string_view rule, const std::string& got);
/// @throws ValueError `<owner>: expected <name> >= <least>, got <value>`.
void expect_at_least(std::int64_t least, std::string_view owner, std::string_view name, std::int64_t value);
void expect_at_least(std::int64_t least, std::string_view owner, std::string_view name, const Pair& value);
void expect_at_least(std::int64_t least, std::string_view owner, std::string_view name, const IntList& value);
/// @throws ValueError unless groups is at least 1 and divides the channels.
void expect_divisible(std::string_view owner, std::string_view name, std::int64_t channels, std::int64_t groups);

}  // namespace nn::detail
}  // namespace teff

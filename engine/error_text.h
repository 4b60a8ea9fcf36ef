// SPDX-License-Identifier: MIT
#pragma once

// Private: errors with another text, of the same type.

#include <cstddef>
#include <string>
#include <string_view>

#include "teff/engine/error.h"

namespace teff::detail {

/// To be called in a handler of `error`: throws an error of its type with this text. Types that are not in error.h,
/// which nobody else can make, go on as they are.
[[noreturn]] void throw_again(const Error& error, const std::string& text);

/// throw_again with `name` in front, in place of the name of the operation that did the work.
[[noreturn]] void throw_again_as(std::string_view name, const Error& error);

// What is refused below the operations knows none of their names: its text begins with "memory: ", until name_memory
// puts the operation's in place of it.

/// Throws ResourceError: there is no memory for `count` values of `size` bytes.
[[noreturn]] void refuse_memory(std::size_t count, std::size_t size);

/// To be called in a handler of `error`: throws it again, for the operation `name`.
[[noreturn]] void name_memory(std::string_view name, const Error& error);

/// What function() gives. Its errors begin with `name`, for a function that other functions do the work of.
template <class Function>
decltype(auto) with_name(std::string_view name, Function&& function) {
  try {
    return function();
  } catch (const Error& error) {
    throw_again_as(name, error);
  }
}

}  // namespace teff::detail

// SPDX-License-Identifier: MIT
#pragma once

#include <doctest/doctest.h>

#include <exception>
#include <string>
#include <string_view>
#include <typeinfo>
#include <utility>

namespace teff::testing {

/// The text of the Expected that the function throws; fails the test if it throws nothing or something else.
template <class Expected, class Function>
std::string error_of(Function&& function) {
  try {
    std::forward<Function>(function)();
  } catch (const Expected& error) {
    return error.what();
  } catch (const std::exception& error) {
    FAIL_CHECK("expected another error, got " << typeid(error).name() << ": " << error.what());
    return "";
  }
  FAIL_CHECK("expected an error, got none");
  return "";
}

inline bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

}  // namespace teff::testing

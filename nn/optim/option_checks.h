// SPDX-License-Identifier: MIT
#pragma once

// Private: the checks of options and of state dicts of optimisers and schedulers.

#include <cmath>
#include <string>
#include <string_view>

#include "teff/engine/error.h"
#include "teff/nn/text.h"

namespace teff::optim::detail {

/// As people write it: "1", "0.5".
inline std::string number_text(double value) {
  std::string text = nn::detail::python_float(value);
  if (text.ends_with(".0")) text.resize(text.size() - 2);
  return text;
}

/// @throws ValueError `<owner>: expected <name> <rule>, got <value>` unless ok.
inline void expect_number(bool ok, std::string_view owner, std::string_view name, std::string_view rule, double value) {
  if (!ok) nn::detail::expect(false, owner, std::string(name) + ' ' + std::string(rule), number_text(value));
}

inline void expect_finite(std::string_view owner, std::string_view name, double value) {
  expect_number(std::isfinite(value), owner, name, "finite", value);
}

inline void expect_non_negative(std::string_view owner, std::string_view name, double value) {
  expect_number(value >= 0 && std::isfinite(value), owner, name, ">= 0 and finite", value);
}

/// [0, 1)
inline void expect_rate(std::string_view owner, std::string_view name, double value) {
  expect_number(value >= 0 && value < 1, owner, name, "in [0, 1)", value);
}

/// prepare(), whose errors are made StateDictErrors: those of a dict that is not what its owner writes.
template <class Prepare>
auto prepared(std::string_view owner, Prepare prepare) {
  try {
    return prepare();
  } catch (const StateDictError&) {
    throw;
  } catch (const Error& error) {
    throw StateDictError(std::string(owner) + ": loaded state dict is not valid: " + error.what());
  }
}

}  // namespace teff::optim::detail

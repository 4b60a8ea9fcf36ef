// SPDX-License-Identifier: MIT
#pragma once

// Functions that are made of other operations, by the names that tests/golden/make_math_golden.py gives them.

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "teff/engine/dict.h"

namespace teff::testing {

using ComposedFunction = std::function<Tensor(const std::vector<Tensor>& inputs, const Dict& attributes)>;

const std::map<std::string, ComposedFunction>& math_functions();

}  // namespace teff::testing

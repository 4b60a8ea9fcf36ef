// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "teff/engine/dict.h"

namespace teff {

using ComposedFunction = std::function<TensorList(const std::vector<Tensor>& inputs, const Dict& attributes)>;

/// Functions of ops.h that are made of other operations, for tests/golden/volumes.golden.
const std::map<std::string, ComposedFunction>& functions_of_volumes();
/// Those of tests/golden/rare.golden.
const std::map<std::string, ComposedFunction>& rare_functions();

}  // namespace teff

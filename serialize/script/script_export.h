// SPDX-License-Identifier: MIT
#pragma once

// Private: a captured network as the code of TorchScript.

#include <map>
#include <string>
#include <vector>

#include "teff/nn/graph/graph_module.h"
#include "teff/serialize/script/script_modules.h"

namespace teff::serialize {

struct ScriptCode {
  std::string forward;            // the method of the root, with its indentation
  std::vector<Tensor> constants;  // CONSTANTS.c0 and those after it
};

/// The method `forward`, a line for each operation. What follows the mode asks the module that made the call. Sizes
/// that follow the inputs' are computed from theirs. @throws ValueError that lists the operations that ATen does not
/// have, or names one that cannot be written.
ScriptCode export_script(const nn::GraphModuleData& data, const OutModules& modules);

}  // namespace teff::serialize

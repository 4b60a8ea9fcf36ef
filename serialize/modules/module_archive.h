// SPDX-License-Identifier: MIT
#pragma once

// Private: a pickled module as what the reader of TorchScript takes: its objects with their attributes, and the code of
// their classes, which is Teff's (layer_code.h).

#include "teff/serialize/torch/torch_module_tree.h"
#include "teff/serialize/torch/torch_script.h"

namespace teff::serialize {

/// @throws UnsupportedError for classes without code here, hooks, and methods of an object's own; FormatError.
ScriptArchive archive_of(PickledNetwork file);

}  // namespace teff::serialize

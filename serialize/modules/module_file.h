// SPDX-License-Identifier: MIT
#pragma once

// Private: networks in PyTorch's files.

#include <memory>

#include "teff/nn/graph/graph_module.h"
#include "teff/serialize/io/byte_source.h"
#include "teff/serialize/options.h"

namespace teff::serialize {

/// That of a TorchScript archive (script/script_file.h), or of a module that Python pickled whole, if it is a tree of
/// nn.Sequential and of PyTorch's own layers: nothing of the file is run, the layers are Teff's by a closed table. What
/// the network takes is looked for, unless LoadOptions::input_types says it.
/// @throws FormatError, also for a file of tensors only; UnsupportedError for classes that are not in the table, hooks
/// and options that Teff's layers lack.
nn::GraphModuleData read_torch_model(const std::shared_ptr<const ByteSource>& source, const LoadOptions& options);

}  // namespace teff::serialize

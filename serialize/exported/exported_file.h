// SPDX-License-Identifier: MIT
#pragma once

// Private: programs of torch.export (.pt2): a zip of the graph as JSON, and of the tensors.

#include <memory>

#include "teff/nn/graph/graph_module.h"
#include "teff/serialize/contents.h"
#include "teff/serialize/io/byte_source.h"
#include "teff/serialize/options.h"

namespace teff::serialize {

/// The program's state dict, without the tensors' elements. @throws FormatError, UnsupportedError.
std::unique_ptr<Contents> open_exported(std::shared_ptr<const ByteSource> source, const LoadOptions& options);

/// The program as a network. Its inputs' types are those that it was exported with; sizes that the file leaves open,
/// and the batch where the outputs follow it, are free. What an operation is told of its mode stays so.
/// @throws FormatError; UnsupportedError for what Teff has no place for, with the node.
nn::GraphModuleData read_exported_model(const std::shared_ptr<const ByteSource>& source, const LoadOptions& options);

}  // namespace teff::serialize

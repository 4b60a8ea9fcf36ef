// SPDX-License-Identifier: MIT
#pragma once

// Private: ONNX files.

#include <memory>

#include "teff/nn/graph/graph_module.h"
#include "teff/serialize/contents.h"
#include "teff/serialize/io/byte_source.h"
#include "teff/serialize/options.h"

namespace teff::serialize {

/// The initialisers by their names. @throws FormatError.
std::unique_ptr<Contents> open_onnx(std::shared_ptr<const ByteSource> source, const LoadOptions& options);

/// The network. What the file leaves open of its inputs' sizes is free, unless its operators freeze it, and so is the
/// batch. @throws FormatError; UnsupportedError for what Teff has no place for, before anything is built.
nn::GraphModuleData read_onnx_model(const std::shared_ptr<const ByteSource>& source);

}  // namespace teff::serialize

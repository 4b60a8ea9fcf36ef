// SPDX-License-Identifier: MIT
#pragma once

// Private: ONNX files.

#include <memory>

#include "teff/nn/graph/graph_module.h"
#include "teff/serialize/contents.h"
#include "teff/serialize/io/byte_sink.h"
#include "teff/serialize/io/byte_source.h"
#include "teff/serialize/options.h"

namespace teff::serialize {

/// The initialisers by their names. @throws FormatError.
std::unique_ptr<Contents> open_onnx(std::shared_ptr<const ByteSource> source, const LoadOptions& options);

/// The network. What the file leaves open of its inputs' sizes is free, unless its operators freeze it, and so is the
/// batch. @throws FormatError; UnsupportedError for what Teff has no place for, before anything is built.
nn::GraphModuleData read_onnx_model(const std::shared_ptr<const ByteSource>& source);

/// Writes the network: see export_graph. @throws ValueError, before anything is written, for what ONNX does not have,
/// and for more than 2 GB, which is the most that a protocol buffer may be; IoError.
void save_onnx(const nn::GraphModuleData& module, ByteSink& file, const SaveOptions& options);

/// Writes one tensor as a file of its own.
void save_onnx_tensor(const std::string& name, const Tensor& tensor, ByteSink& file);

/// In the metadata: the keys of parameters that are none, and have no values that an operator tells from others.
inline constexpr std::string_view kOnnxBuffers = "teff.buffers";

}  // namespace teff::serialize

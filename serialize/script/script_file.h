// SPDX-License-Identifier: MIT
#pragma once

// Private: TorchScript archives as networks.

#include "teff/nn/graph/graph_module.h"
#include "teff/serialize/io/byte_sink.h"
#include "teff/serialize/options.h"
#include "teff/serialize/torch/torch_script.h"

namespace teff::serialize {

/// The network that the archive's method `forward` is, in the mode that it was saved in; operations that the code tells
/// whether they train follow the mode. The archive does not say what forward takes: LoadOptions::input_types does, or
/// types that fit are looked for.
/// @throws FormatError; UnsupportedError for what Teff has no place for, with file and line of the code.
nn::GraphModuleData read_script_model(ScriptArchive archive, const LoadOptions& options);

/// Writes the network: modules, parameters and buffers under the names of the original, and a method `forward`, in the
/// mode of the module. PyTorch 1.13 and newer read it. @throws ValueError, before anything is written, for what ATen
/// does not have; IoError.
void save_script(const nn::GraphModuleData& data, ByteSink& sink, const SaveOptions& options);

}  // namespace teff::serialize

// SPDX-License-Identifier: MIT
#pragma once

#include <initializer_list>
#include <span>
#include <string>

#include "teff/engine/dict.h"
#include "teff/nn/graph_module.h"
#include "teff/nn/module.h"

namespace teff {

struct SaveOptions {
  /// Flushes file and folder to the disk, so that the file survives a power failure. Without it saving is
  /// still atomic: a reader, or a crash of the program, sees the old file or the new one.
  bool durable = true;
  /// Free text by name, shown by the teff command.
  Dict metadata = {};
};

struct LoadOptions {
  /// Compares the checksum of every tensor. The header is always verified.
  bool verify = true;
  /// Maps the file instead of reading it: tensors refer to the file's pages, which are loaded as they are
  /// touched (all of them at once with verify); writing to such a tensor never changes the file. Replacing
  /// the file, as save does, is fine while it is mapped; a program that changes or shortens it in place
  /// changes the values, or ends this program with SIGBUS.
  bool mmap = false;
};

/// Writes a dictionary to a `.teff` file, atomically: on any failure the old file is untouched and nothing is
/// left behind. Tensors that share all their elements are written once and come back shared; a view of some
/// elements is saved as these. Whether a tensor requires a gradient is not saved. Nobody may write to the
/// tensors meanwhile.
/// @throws IoError if the system refuses; ValueError for what the format cannot hold (see FORMAT.md), and for
/// a path with the extension of another format: .pt, .pth, .safetensors.
void save(const Dict& dict, const std::string& path, const SaveOptions& options = {});

/// Reads what save wrote.
/// @throws IoError if the file cannot be read; FormatError, with place and reason, if it is damaged, foreign
/// or newer.
Dict load(const std::string& path, const LoadOptions& options = {});

/// Captures the module with example inputs (see nn::capture) and writes graph, parameters, buffers and
/// printed form: a model file that needs no class. The first two rows of the inputs, and what the module
/// makes of them in evaluation mode, are kept in it as a test. A GraphModule is written as it is.
/// @throws what save throws; what nn::capture throws.
void save_model(nn::Module& module, std::span<const Tensor> inputs, const std::string& path,
                const SaveOptions& options = {});
inline void save_model(nn::Module& module, const Tensor& input, const std::string& path,
                       const SaveOptions& options = {}) {
  save_model(module, {&input, 1}, path, options);
}
inline void save_model(nn::Module& module, std::initializer_list<Tensor> inputs, const std::string& path,
                       const SaveOptions& options = {}) {
  save_model(module, std::span<const Tensor>(inputs.begin(), inputs.size()), path, options);
}

/// Reads what save_model wrote; @throws as load does.
nn::GraphModule load_model(const std::string& path, const LoadOptions& options = {});

}  // namespace teff

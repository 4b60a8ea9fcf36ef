// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <initializer_list>
#include <iosfwd>
#include <span>
#include <string>

#include "teff/engine/dict.h"
#include "teff/nn/graph_module.h"
#include "teff/nn/module.h"
#include "teff/serialize/options.h"

namespace teff {

/// Writes a dictionary to a file, atomically: on any failure the old file is untouched and nothing is left
/// behind. Tensors that share all their elements are written once and come back shared; a view of some elements
/// is saved as these. Whether a tensor requires a gradient is not saved. Nobody may write to the tensors meanwhile.
/// @throws IoError if the system refuses; ValueError for what the format cannot hold (see FORMAT.md).
void save(const Dict& dict, const std::string& path, const SaveOptions& options = {});
/// The same bytes to a stream, which must be a binary one. @throws IoError if the stream fails.
void save(const Dict& dict, std::ostream& stream, const SaveOptions& options = {});

/// Reads a file of any format, which is known by its content.
/// @throws IoError if the file cannot be read; FormatError, with place and reason, if it is damaged, foreign
/// or newer.
Dict load(const std::string& path, const LoadOptions& options = {});
/// From memory, of which the tensors are copies. @throws as above; ValueError with mmap.
Dict load(std::span<const std::byte> bytes, const LoadOptions& options = {});
/// Everything up to the end of the stream. @throws as above; IoError if the stream fails.
Dict load(std::istream& stream, const LoadOptions& options = {});

/// Captures the module with example inputs (see nn::capture) and writes graph, parameters, buffers and
/// printed form: a model file that needs no class, in the .teff format. The first two rows of the inputs, and what the
/// module makes of them in evaluation mode, are kept in it as a test. A GraphModule is written as it is.
/// @throws what save throws; what nn::capture throws.
void save_model(nn::Module& module, std::span<const Tensor> inputs, const std::string& path,
                const SaveOptions& options = {});
void save_model(nn::Module& module, std::span<const Tensor> inputs, std::ostream& stream,
                const SaveOptions& options = {});

/// The same for one input, and for a list of inputs.
template <class To>
void save_model(nn::Module& module, const Tensor& input, To&& to, const SaveOptions& options = {}) {
  save_model(module, std::span(&input, 1), to, options);
}
template <class To>
void save_model(nn::Module& module, std::initializer_list<Tensor> inputs, To&& to, const SaveOptions& options = {}) {
  save_model(module, std::span(inputs.begin(), inputs.size()), to, options);
}

/// Reads what save_model wrote; @throws as load does.
nn::GraphModule load_model(const std::string& path, const LoadOptions& options = {});
nn::GraphModule load_model(std::span<const std::byte> bytes, const LoadOptions& options = {});
nn::GraphModule load_model(std::istream& stream, const LoadOptions& options = {});

}  // namespace teff

// SPDX-License-Identifier: MIT
#pragma once

// Private: the files of torch.save: a zip of a pickle and of the tensors' bytes, or, before PyTorch 1.6, a chain of
// pickles with the bytes behind them.

#include <memory>
#include <string>
#include <vector>

#include "teff/engine/dict.h"
#include "teff/serialize/contents.h"
#include "teff/serialize/io/byte_sink.h"
#include "teff/serialize/io/byte_source.h"
#include "teff/serialize/io/zip_writer.h"
#include "teff/serialize/options.h"

namespace teff::serialize {

/// Reads all but the tensors' elements.
/// @throws FormatError for what is damaged, hostile, or more than data: TorchScript, pickled classes.
std::unique_ptr<Contents> open_torch(std::shared_ptr<const ByteSource> source, const LoadOptions& options);

/// Whether the file is a program of torch.export (exported/exported_file.h). @throws FormatError for a damaged zip.
bool is_exported(const ByteSource& source);

/// Writes what torch.load, also with weights_only, reads. A dictionary of tensors only becomes an OrderedDict with the
/// _metadata that PyTorch's modules expect; the state of an optimiser gets whole numbers as keys.
/// @throws ValueError for what Python could not read back: undefined tensors, dictionaries too deep in each other.
void save_torch(const Dict& dict, ByteSink& sink, const SaveOptions& options);

/// What the last entry of an archive says: two numbers of 20 digits, of the names of the entries, which every writer
/// computes in its own way, and of their checksums.
std::string torch_serialization_id(const std::vector<ZipWriter::Entry>& entries);

}  // namespace teff::serialize

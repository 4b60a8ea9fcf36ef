// SPDX-License-Identifier: MIT
#pragma once

// Private: the .safetensors format: the length of a JSON header, the header, the tensors' bytes.

#include <memory>

#include "teff/engine/dict.h"
#include "teff/serialize/contents.h"
#include "teff/serialize/io/byte_sink.h"
#include "teff/serialize/io/byte_source.h"
#include "teff/serialize/options.h"

namespace teff::serialize {

/// Reads the header only: tensors by name, in its order, and its __metadata__, text by name.
/// @throws FormatError unless the file keeps all rules of the format.
std::unique_ptr<Contents> open_safetensors(std::shared_ptr<const ByteSource> source, const LoadOptions& options);

/// The bytes that the format's own library writes. Tensors that share elements are written one by one.
/// @throws ValueError for anything but tensors in the dictionary, and anything but text in the metadata.
void save_safetensors(const Dict& dict, ByteSink& sink, const SaveOptions& options);

}  // namespace teff::serialize

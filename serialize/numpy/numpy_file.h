// SPDX-License-Identifier: MIT
#pragma once

// Private: NumPy's files: .npy, one array, and .npz, a zip of them.

#include <memory>

#include "teff/engine/dict.h"
#include "teff/serialize/contents.h"
#include "teff/serialize/io/byte_sink.h"
#include "teff/serialize/io/byte_source.h"
#include "teff/serialize/options.h"

namespace teff::serialize {

// Both read the headers only: one tensor under "", or tensors by the names of the arrays. @throws FormatError for what
// is damaged; UnsupportedError for arrays of text, objects, complex numbers, records.

std::unique_ptr<Contents> open_npy(std::shared_ptr<const ByteSource> source, const LoadOptions& options);
std::unique_ptr<Contents> open_npz(std::shared_ptr<const ByteSource> source, const LoadOptions& options);

// Write what numpy.load reads, in the order of C, not compressed. @throws ValueError for anything but tensors of dtypes
// that NumPy has: one under "" for .npy, and names that a zip may have for .npz; and for metadata.

void save_npy(const Dict& dict, ByteSink& sink, const SaveOptions& options);
void save_npz(const Dict& dict, ByteSink& sink, const SaveOptions& options);

}  // namespace teff::serialize

// SPDX-License-Identifier: MIT
#pragma once

// Private: a .teff file that is looked into without reading its tensors.

#include <memory>

#include "teff/serialize/contents.h"
#include "teff/serialize/io/byte_source.h"
#include "teff/serialize/options.h"

namespace teff::serialize {

/// `whole`: the file has the length that it should have; else check() says what is wrong with it.
/// @throws FormatError unless preamble and header are intact, and a model is one that load_model takes.
std::unique_ptr<Contents> open_teff(std::shared_ptr<const ByteSource> source, const LoadOptions& options,
                                    bool whole = true);

}  // namespace teff::serialize

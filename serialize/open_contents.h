// SPDX-License-Identifier: MIT
#pragma once

// Private: files of any format, looked into.

#include <memory>

#include "teff/serialize/contents.h"
#include "teff/serialize/io/byte_source.h"
#include "teff/serialize/options.h"

namespace teff::serialize {

/// Looks into a file of that format. @throws FormatError
std::unique_ptr<Contents> open_contents(FileFormat format, std::shared_ptr<const ByteSource> source,
                                        const LoadOptions& options);

}  // namespace teff::serialize

// SPDX-License-Identifier: MIT
#pragma once

// Files that the command was given to read.

#include <string>

#include <teff/serialize/file.h>
#include <teff/serialize/save_load.h>

namespace teff::cli {

/// The file; "-" is the standard input, which is read to its end, once.
File open_file(const std::string& path, const LoadOptions& options = {});

/// The model in it.
nn::GraphModule open_model(const std::string& path, const LoadOptions& options = {});

}  // namespace teff::cli

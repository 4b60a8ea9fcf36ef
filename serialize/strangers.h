// SPDX-License-Identifier: MIT
#pragma once

// Private: what a file is that Teff does not read, by its first bytes, in the words of those who have it, and what
// helps them. Nothing of it is run or unpacked.

#include <string>
#include <string_view>
#include <vector>

#include "teff/serialize/formats.h"

namespace teff::serialize {

/// "a Git LFS pointer, which stands for the file: run git lfs pull". For a file that none of the formats recognises.
std::string name_stranger(const FileStart& start);

/// The same for a zip file that torch.save did not write, by the names of its entries.
std::string name_zip(const std::vector<std::string_view>& names);

/// @throws UnsupportedError: a file of a format was expected, got `what`.
[[noreturn]] void refuse_stranger(const std::string& what);

}  // namespace teff::serialize

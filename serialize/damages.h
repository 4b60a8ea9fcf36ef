// SPDX-License-Identifier: MIT
#pragma once

// Private: what is damaged, by the names of entries.

#include <vector>

#include "teff/serialize/contents.h"
#include "teff/serialize/file_entry.h"

namespace teff::serialize {

/// One line for each entry that is concerned, and for each damage that concerns none.
std::vector<FileDamage> named(const std::vector<Damage>& damages, const Contents& contents, std::uint64_t file_bytes);

/// What the paths of all entries of a file may be together.
constexpr std::uint64_t max_path_bytes(std::uint64_t file_bytes) { return 64 * 1024 + 16 * file_bytes; }

}  // namespace teff::serialize

// SPDX-License-Identifier: MIT
#pragma once

// The entries of a zip, for mutators.

#include <string>
#include <vector>

#include "fuzz/target.h"

namespace teff::fuzz {

struct ZipPart {
  std::string name;
  Bytes bytes;  // unpacked
};

/// The entries of a small zip as its directory lists them; none if it cannot be read.
std::vector<ZipPart> unpack_zip(const Bytes& file);

/// A zip of these entries, of which there is one at least, with the folder of the first.
Bytes pack_zip(const std::vector<ZipPart>& parts);

}  // namespace teff::fuzz

// SPDX-License-Identifier: MIT
#pragma once

// Private: DEFLATE, in which zip files pack their entries (RFC 1951).

#include <cstddef>
#include <span>

namespace teff::serialize {

struct Inflated {
  std::size_t bytes = 0;  // that were written
  std::size_t used = 0;   // of the packed bytes
  bool ended = false;     // with the last block; else the memory was full before
};

/// Unpacks into `memory`, and no further than that. @throws FormatError if the packed bytes are damaged or cut off.
Inflated inflate(std::span<const std::byte> packed, std::span<std::byte> memory);

}  // namespace teff::serialize

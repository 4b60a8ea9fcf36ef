// SPDX-License-Identifier: MIT
#pragma once

// Private: the memory of one part of a read or a write.

#include <cstddef>
#include <span>

namespace teff::serialize {

struct Piece {
  std::byte* data;
  std::size_t size;
};

/// Drops the first `bytes` bytes of the pieces, and pieces of none in front.
inline std::span<Piece> drop_front(std::span<Piece> pieces, std::size_t bytes) {
  while (!pieces.empty() && bytes >= pieces.front().size) {
    bytes -= pieces.front().size;
    pieces = pieces.subspan(1);
  }
  if (bytes > 0) {
    pieces.front().data += bytes;
    pieces.front().size -= bytes;
  }
  return pieces;
}

}  // namespace teff::serialize

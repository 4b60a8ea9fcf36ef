// SPDX-License-Identifier: MIT
#pragma once

// Private: the bytes of tensors that lie anywhere in a file, for the formats of others.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "teff/serialize/io/byte_source.h"

namespace teff::serialize {

struct DataBlock {
  std::uint64_t offset = 0;     // in the file
  std::span<std::byte> memory;  // where the bytes go
  bool is_mapped = false;       // they are there already
};

/// Fills all blocks, on all threads. With `checksums` the result is the CRC-32 of each block, else it is empty.
std::vector<std::uint32_t> read_blocks(const ByteSource& source, std::span<const DataBlock> blocks, bool checksums);

}  // namespace teff::serialize

// SPDX-License-Identifier: MIT
#pragma once

// Private: XXH3, 64 bits, without seed.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "teff/serialize/io/checksum_kernel.h"

namespace teff::serialize {

std::uint64_t checksum(std::span<const std::byte> bytes);

/// The checksum of bytes that come piece by piece.
class Checksum {
 public:
  Checksum();
  void update(std::span<const std::byte> bytes);
  /// Of all pieces since the last call; the next piece begins a new checksum.
  std::uint64_t finish();

 private:
  const ChecksumKernel& kernel_;
  alignas(64) std::array<std::byte, kChecksumStateBytes> state_;
};

}  // namespace teff::serialize

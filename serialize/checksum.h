// SPDX-License-Identifier: MIT
#pragma once

// Private: XXH3, 64 bits, without seed. checksum.cpp is the only file that includes xxHash.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace teff::file {

std::uint64_t checksum(std::span<const std::byte> bytes);

/// The checksum of bytes that come piece by piece.
class Checksum {
 public:
  Checksum();
  void update(std::span<const std::byte> bytes);
  /// Of all pieces since the last call; the next piece begins a new checksum.
  std::uint64_t finish();

 private:
  alignas(64) std::array<std::byte, 576> state_;
};

}  // namespace teff::file

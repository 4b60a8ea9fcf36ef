// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <vector>

namespace teff::testing {

/// Bytes for checksums, the same in every run: 0, 31, 62, ... modulo 251.
inline std::vector<std::byte> counted(std::size_t size) {
  std::vector<std::byte> bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>(i * 31 % 251);
  return bytes;
}

}  // namespace teff::testing

// SPDX-License-Identifier: MIT
#pragma once

// Private: what a .teff file may hold at most. Published in FORMAT.md; enforced when writing and when
// reading.

#include <cstddef>
#include <cstdint>

namespace teff::serialize {

inline constexpr std::size_t kAlignment = 64;  // of the header and of each tensor's bytes
inline constexpr std::uint64_t kMaxHeaderBytes = 64 * 1024 * 1024;
inline constexpr std::uint64_t kMaxItems = 1 << 21;    // elements of all lists, dicts and tables of a file
inline constexpr std::uint64_t kMaxNodes = 1 << 16;    // of a graph
inline constexpr std::size_t kMaxDepth = 64;           // of dicts, lists and modules in each other
inline constexpr std::uint64_t kMaxNameBytes = 65535;  // of a key or name; other text is free

}  // namespace teff::serialize

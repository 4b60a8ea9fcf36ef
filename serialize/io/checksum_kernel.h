// SPDX-License-Identifier: MIT
#pragma once

// Private: XXH3 as it is compiled for one instruction set. The state is the same for all of them.

#include <cstddef>
#include <cstdint>

namespace teff::serialize {

struct ChecksumKernel {
  std::uint64_t (*hash)(const void* data, std::size_t bytes);
  void (*reset)(void* state);
  void (*update)(void* state, const void* data, std::size_t bytes);
  std::uint64_t (*digest)(const void* state);
};

inline constexpr std::size_t kChecksumStateBytes = 576;

extern const ChecksumKernel kChecksumBaseline;
extern const ChecksumKernel kChecksumAvx2;

}  // namespace teff::serialize

// Defines a kernel in a file that has included xxhash.h with XXH_INLINE_ALL, so that nothing of it is shared
// with files of another instruction set.
#define TEFF_CHECKSUM_KERNEL(name)                                                                   \
  static_assert(sizeof(XXH3_state_t) <= teff::serialize::kChecksumStateBytes);                       \
  const teff::serialize::ChecksumKernel teff::serialize::name = {                                    \
      [](const void* data, std::size_t bytes) -> std::uint64_t { return XXH3_64bits(data, bytes); }, \
      [](void* state) { XXH3_64bits_reset(static_cast<XXH3_state_t*>(state)); },                     \
      [](void* state, const void* data, std::size_t bytes) {                                         \
        XXH3_64bits_update(static_cast<XXH3_state_t*>(state), data, bytes);                          \
      },                                                                                             \
      [](const void* state) -> std::uint64_t { return XXH3_64bits_digest(static_cast<const XXH3_state_t*>(state)); }};

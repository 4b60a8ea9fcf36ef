// SPDX-License-Identifier: MIT
#include "teff/serialize/checksum.h"

#include <new>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace teff::file {
namespace {
XXH3_state_t* as_state(std::array<std::byte, 576>& bytes) {
  static_assert(sizeof(XXH3_state_t) <= sizeof(bytes));
  return std::launder(reinterpret_cast<XXH3_state_t*>(bytes.data()));
}
}  // namespace

std::uint64_t checksum(std::span<const std::byte> bytes) { return XXH3_64bits(bytes.data(), bytes.size()); }

Checksum::Checksum() {
  new (state_.data()) XXH3_state_t;
  XXH3_64bits_reset(as_state(state_));
}

void Checksum::update(std::span<const std::byte> bytes) {
  XXH3_64bits_update(as_state(state_), bytes.data(), bytes.size());
}

std::uint64_t Checksum::finish() {
  const std::uint64_t value = XXH3_64bits_digest(as_state(state_));
  XXH3_64bits_reset(as_state(state_));
  return value;
}

}  // namespace teff::file

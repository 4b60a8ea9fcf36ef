// SPDX-License-Identifier: MIT
#pragma once

// Private: the CRC-32 of zip files (polynomial 0x04C11DB7, bits reflected), as zlib's crc32 computes it.

#include <cstddef>
#include <cstdint>
#include <span>

namespace teff::serialize {

/// Of the bytes, going on from the checksum of what came before them.
std::uint32_t crc32(std::span<const std::byte> bytes, std::uint32_t before = 0);

/// The checksum of two pieces, from those of each and the length of the second.
std::uint32_t crc32_combine(std::uint32_t first, std::uint32_t second, std::uint64_t second_bytes);

// How it is computed; crc32 takes the fastest that the processor has.

std::uint32_t crc32_by_table(std::span<const std::byte> bytes, std::uint32_t before);
/// With carry-less multiplication. Only where crc32_has_folding().
std::uint32_t crc32_by_folding(std::span<const std::byte> bytes, std::uint32_t before);
bool crc32_has_folding();
/// With two of them at a time. Only where crc32_has_wide_folding().
std::uint32_t crc32_by_wide_folding(std::span<const std::byte> bytes, std::uint32_t before);
bool crc32_has_wide_folding();

/// x^n modulo the polynomial; the coefficient of x^0 is the highest bit.
constexpr std::uint32_t crc32_power(unsigned n) {
  std::uint32_t power = 0x80000000u;
  for (; n > 0; --n) power = (power >> 1) ^ ((power & 1) != 0 ? 0xEDB88320u : 0);
  return power;
}

}  // namespace teff::serialize

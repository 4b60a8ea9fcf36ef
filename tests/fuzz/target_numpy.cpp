// SPDX-License-Identifier: MIT
#include <vector>

#include "fuzz/checks.h"
#include "teff/engine/error.h"
#include "teff/serialize/io/inflate.h"

namespace teff::fuzz {

void run_numpy(std::span<const std::byte> bytes) { check_dict(bytes, {}, FileFormat::npz); }

/// The first byte says how much room there is.
void run_inflate(std::span<const std::byte> bytes) {
  if (bytes.empty()) return;
  std::vector<std::byte> memory(std::size_t{1} << (std::to_integer<unsigned>(bytes[0]) % 18));
  try {
    const serialize::Inflated result = serialize::inflate(bytes.subspan(1), memory);
    expect(result.bytes <= memory.size() && result.used < bytes.size(), "no more is read and written than there is");
    expect(result.ended || result.bytes == memory.size(), "unpacking stops at the end, or where the memory is full");
  } catch (const FormatError&) {
  }
}

}  // namespace teff::fuzz

// SPDX-License-Identifier: MIT
#include "teff/serialize/io/crc32.h"

#include <array>
#include <cstring>

namespace teff::serialize {
namespace {

constexpr std::size_t kSlices = 16;
using Tables = std::array<std::array<std::uint32_t, 256>, kSlices>;

/// tables[k][b]: what the byte b leaves in the checksum once k more bytes have followed it.
constexpr Tables make_tables() {
  Tables tables{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t value = byte;
    for (int bit = 0; bit < 8; ++bit) value = (value >> 1) ^ ((value & 1) != 0 ? 0xEDB88320u : 0);
    tables[0][byte] = value;
  }
  for (std::size_t k = 1; k < kSlices; ++k) {
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const std::uint32_t value = tables[k - 1][byte];
      tables[k][byte] = (value >> 8) ^ tables[0][value & 0xff];
    }
  }
  return tables;
}

constexpr Tables kTables = make_tables();

/// Of 16 bytes, into the first four of which the checksum so far has been added.
std::uint32_t step(const std::array<std::uint32_t, 4>& words) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < words.size(); ++i) {
    for (std::size_t byte = 0; byte < 4; ++byte) {
      sum ^= kTables[kSlices - 1 - 4 * i - byte][(words[i] >> (8 * byte)) & 0xff];
    }
  }
  return sum;
}

/// Product of two polynomials modulo that of the checksum.
std::uint32_t multiply(std::uint32_t a, std::uint32_t b) {
  std::uint32_t product = 0;
  for (; a != 0; a <<= 1) {
    if ((a & 0x80000000u) != 0) product ^= b;
    b = (b >> 1) ^ ((b & 1) != 0 ? 0xEDB88320u : 0);
  }
  return product;
}

}  // namespace

std::uint32_t crc32_by_table(std::span<const std::byte> bytes, std::uint32_t before) {
  std::uint32_t sum = ~before;
  for (; bytes.size() >= kSlices; bytes = bytes.subspan(kSlices)) {
    std::array<std::uint32_t, 4> words;
    std::memcpy(words.data(), bytes.data(), sizeof words);
    words[0] ^= sum;
    sum = step(words);
  }
  for (const std::byte byte : bytes) {
    sum = (sum >> 8) ^ kTables[0][(sum ^ std::to_integer<std::uint32_t>(byte)) & 0xff];
  }
  return ~sum;
}

#ifdef TEFF_CRC32_FOLDING

bool crc32_has_folding() {
  static const bool has = __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("sse4.1");
  return has;
}

bool crc32_has_wide_folding() {
  static const bool has = crc32_has_folding() && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("vpclmulqdq");
  return has;
}

#else

bool crc32_has_folding() { return false; }
bool crc32_has_wide_folding() { return false; }
std::uint32_t crc32_by_folding(std::span<const std::byte> bytes, std::uint32_t before) {
  return crc32_by_table(bytes, before);
}
std::uint32_t crc32_by_wide_folding(std::span<const std::byte> bytes, std::uint32_t before) {
  return crc32_by_table(bytes, before);
}

#endif

std::uint32_t crc32(std::span<const std::byte> bytes, std::uint32_t before) {
  if (crc32_has_wide_folding()) return crc32_by_wide_folding(bytes, before);
  return crc32_has_folding() ? crc32_by_folding(bytes, before) : crc32_by_table(bytes, before);
}

std::uint32_t crc32_combine(std::uint32_t first, std::uint32_t second, std::uint64_t second_bytes) {
  // The first piece is multiplied by x for each bit that follows it: by squaring x^8.
  std::uint32_t factor = crc32_power(8);
  for (; second_bytes != 0; second_bytes >>= 1) {
    if ((second_bytes & 1) != 0) first = multiply(factor, first);
    factor = multiply(factor, factor);
  }
  return first ^ second;
}

}  // namespace teff::serialize

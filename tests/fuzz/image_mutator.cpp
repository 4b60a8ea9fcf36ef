// SPDX-License-Identifier: MIT
#include "fuzz/image_mutator.h"

#include "teff/serialize/io/crc32.h"

namespace teff::fuzz {
namespace {

/// Of four bytes, the highest first.
std::uint32_t read_word(std::span<const std::uint8_t> bytes) {
  std::uint32_t word = 0;
  for (const std::uint8_t byte : bytes.first(4)) word = word << 8 | byte;
  return word;
}

void write_word(std::span<std::uint8_t> bytes, std::uint32_t word) {
  for (int i = 3; i >= 0; --i, word >>= 8) bytes[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(word);
}

/// Chunks: the length of the content, four letters, the content, and the checksum of letters and content.
void mend_checksums(std::span<std::uint8_t> chunks) {
  while (chunks.size() >= 12) {
    const std::size_t length = read_word(chunks);
    if (length > chunks.size() - 12) return;
    write_word(chunks.subspan(8 + length), serialize::crc32(std::as_bytes(chunks.subspan(4, 4 + length))));
    chunks = chunks.subspan(12 + length);
  }
}

}  // namespace

void mutate_image(Bytes& file, Random& random, Mutator mutate) {
  constexpr std::size_t kMagicBytes = 8;
  mutate(file);
  const bool is_png = file.size() > kMagicBytes && file[0] == 0x89;
  if (is_png && random() % 16 != 0) mend_checksums(std::span(file).subspan(kMagicBytes));
}

}  // namespace teff::fuzz

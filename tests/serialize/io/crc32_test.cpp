// SPDX-License-Identifier: MIT
#include "teff/serialize/io/crc32.h"

#include <doctest/doctest.h>

#include <string_view>
#include <vector>

#include "serialize/io/counted.h"

using namespace teff::serialize;
using teff::testing::counted;

namespace {

std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

}  // namespace

TEST_CASE("the checksum has the published values") {
  CHECK(crc32({}) == 0);
  CHECK(crc32(bytes_of("a")) == 0xe8b7be43);
  CHECK(crc32(bytes_of("123456789")) == 0xcbf43926);
  CHECK(crc32(bytes_of("The quick brown fox jumps over the lazy dog")) == 0x414fa339);
}

TEST_CASE("the checksum is that of Python's zlib, whichever way it is computed") {
  const struct {
    std::size_t size;
    std::uint32_t checksum;
  } expected[] = {
      {1, 0xd202ef8d},   {15, 0x57ac00f3},  {16, 0x995197ca},   {17, 0x64fd9327},    {127, 0x49ac24ca},
      {128, 0x769a87c4}, {129, 0x42cb689b}, {1000, 0xb403841f}, {65537, 0xd240a13d},
  };
  for (const auto& one : expected) {
    CAPTURE(one.size);
    const std::vector<std::byte> bytes = counted(one.size);
    CHECK(crc32(bytes) == one.checksum);
    CHECK(crc32_by_table(bytes, 0) == one.checksum);
    if (crc32_has_folding()) CHECK(crc32_by_folding(bytes, 0) == one.checksum);
    if (crc32_has_wide_folding()) CHECK(crc32_by_wide_folding(bytes, 0) == one.checksum);
  }
}

TEST_CASE("the checksum of pieces is that of the whole, one after the other and combined") {
  for (const std::size_t size : {2, 64, 127, 128, 200, 255, 256, 383, 384, 1000, 300000}) {
    const std::vector<std::byte> bytes = counted(size);
    const std::span<const std::byte> all(bytes);
    for (const std::size_t first : {std::size_t{0}, std::size_t{1}, size / 3, size - 1, size}) {
      const auto left = all.first(first), right = all.subspan(first);
      CHECK(crc32(right, crc32(left)) == crc32(all));
      CHECK(crc32_combine(crc32(left), crc32(right), right.size()) == crc32(all));
      if (crc32_has_folding()) CHECK(crc32_by_folding(right, 77) == crc32_by_table(right, 77));
      if (crc32_has_wide_folding()) CHECK(crc32_by_wide_folding(right, 77) == crc32_by_table(right, 77));
    }
  }
}

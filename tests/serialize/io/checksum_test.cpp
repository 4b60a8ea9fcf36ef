// SPDX-License-Identifier: MIT
#include "teff/serialize/io/checksum.h"

#include <doctest/doctest.h>

#include <vector>

#include "serialize/io/counted.h"

using namespace teff::serialize;
using teff::testing::counted;

TEST_CASE("the checksum is XXH3 with 64 bits and no seed") {
  CHECK(checksum({}) == 0x2d06800538d394c2);  // of xxHash's own tests
}

TEST_CASE("the checksum of pieces is that of the whole, for every instruction set") {
  for (const std::size_t size : {1, 16, 17, 128, 129, 240, 241, 1023, 1024, 1025, 300000}) {
    const std::vector<std::byte> bytes = counted(size);
    const std::span<const std::byte> all(bytes);
    const std::uint64_t whole = checksum(all);
    CHECK(kChecksumBaseline.hash(all.data(), all.size()) == whole);
    for (const std::size_t first : {std::size_t{0}, size / 3, size - 1}) {
      Checksum pieces;
      pieces.update(all.first(first));
      pieces.update(all.subspan(first));
      CHECK(pieces.finish() == whole);
      pieces.update(all);
      CHECK(pieces.finish() == whole);
    }
  }
}

// SPDX-License-Identifier: MIT
#include "examples/idx.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <fstream>
#include <string>
#include <vector>

#include <teff/engine/error.h>

#include "support/temp_file.h"

using namespace teff;
using fashion::parse_idx;
using fashion::read_idx;

namespace {

using RawBytes = std::vector<std::uint8_t>;

/// Two rows of three: 1 ... 6.
const RawBytes kTwoByThree = {0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6};

/// The same, as Python's gzip.compress(..., 9, mtime=0) packs it.
const RawBytes kGzip = {0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0x63, 0x60,
                        0xe0, 0x60, 0x62, 0x60, 0x60, 0x00, 0x61, 0x66, 0x46, 0x26, 0x66, 0x16,
                        0x56, 0x36, 0x00, 0x48, 0x94, 0x3e, 0xe5, 0x12, 0x00, 0x00, 0x00};

RawBytes with(RawBytes bytes, std::size_t place, std::uint8_t value) {
  bytes.at(place) = value;
  return bytes;
}

RawBytes first(const RawBytes& bytes, std::size_t count) {
  return {bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(count)};
}

RawBytes joined(RawBytes bytes, const RawBytes& more) {
  bytes.insert(bytes.end(), more.begin(), more.end());
  return bytes;
}

/// The message with which the bytes are refused; empty if they are not.
std::string refusal(const RawBytes& bytes) {
  try {
    parse_idx(bytes, "f");
  } catch (const FormatError& error) {
    return error.what();
  }
  return "";
}

void check_is_two_by_three(const Tensor& tensor) {
  CHECK(tensor.dtype() == DType::uint8);
  CHECK(tensor.shape() == Shape{2, 3});
  for (std::int64_t i = 0; i < tensor.numel(); ++i) CHECK(tensor.data<std::uint8_t>()[i] == i + 1);
}

}  // namespace

TEST_CASE("an IDX file gives a uint8 tensor of its sizes, packed or not") {
  check_is_two_by_three(parse_idx(kTwoByThree, "f"));
  check_is_two_by_three(parse_idx(kGzip, "f"));
}

TEST_CASE("an IDX file is read from the disk") {
  const testing::TempFile file("images.gz");
  std::ofstream(file.path(), std::ios::binary)
      .write(reinterpret_cast<const char*>(kGzip.data()), static_cast<std::streamsize>(kGzip.size()));
  check_is_two_by_three(read_idx(file));
}

TEST_CASE("a file that is not there, or is a folder, cannot be read") {
  const testing::TempFolder folder;
  CHECK_THROWS_WITH_AS(read_idx(folder / "none"), doctest::Contains("none: cannot read: No such file"), IoError);
  CHECK_THROWS_WITH_AS(read_idx(folder.path()), doctest::Contains(": cannot read: Is a directory"), IoError);
}

TEST_CASE("a malformed IDX header is refused with the reason") {
  CHECK(refusal({}) == "f: truncated: expected a header of 4 bytes, got 0");
  CHECK(refusal(with(kTwoByThree, 0, 'P')) == "f: not an IDX file: it does not begin with two zero bytes");
  CHECK(refusal(with(kTwoByThree, 1, 1)) == "f: not an IDX file: it does not begin with two zero bytes");
  CHECK(refusal(with(kTwoByThree, 2, 0x0d)) == "f: expected elements of type 8 (unsigned byte), got type 13");
  CHECK(refusal(with(kTwoByThree, 3, 0)) == "f: expected 1 to 8 dimensions, got 0");
  CHECK(refusal(with(kTwoByThree, 3, 9)) == "f: expected 1 to 8 dimensions, got 9");
  CHECK(refusal(first(kTwoByThree, 11)) ==
        "f: truncated: expected 2 sizes of 4 bytes after the first 4 bytes, got 7 bytes");
  CHECK(refusal(with(kTwoByThree, 7, 0)) == "f: expected sizes of at least 1, got [0, 3]");
}

TEST_CASE("sizes beyond the limit are refused before anything is allocated") {
  CHECK(refusal(with(kTwoByThree, 4, 0xff)) == "f: expected at most 268435456 elements, got [4278190082, 3]");
  RawBytes huge = {0, 0, 8, 8};
  huge.resize(4 + 8 * 4, 0xff);
  CHECK(refusal(huge).starts_with("f: expected at most 268435456 elements, got [4294967295, "));
}

TEST_CASE("every truncation of an IDX file is refused, packed or not") {
  for (std::size_t size = 0; size < kTwoByThree.size(); ++size) CHECK(refusal(first(kTwoByThree, size)) != "");
  for (std::size_t size = 0; size < kGzip.size(); ++size) CHECK(refusal(first(kGzip, size)) != "");
  CHECK(refusal(first(kTwoByThree, 17)) == "f: truncated: expected 6 elements for the sizes [2, 3], got 5");
  CHECK(refusal(first(kGzip, 30)) == "f: truncated: the gzip stream has no end");
}

TEST_CASE("bytes after the end of an IDX file are refused, packed or not") {
  CHECK(refusal(joined(kTwoByThree, {0})) == "f: bytes after the end: expected 6 elements for the sizes [2, 3], got 7");
  CHECK(refusal(joined(kGzip, {0})) == "f: 1 bytes after the end of the gzip stream");
  CHECK(refusal(joined(kGzip, kGzip)) == "f: 35 bytes after the end of the gzip stream");
}

TEST_CASE("damage within a gzip stream is refused, and so is a gzip stream within another") {
  CHECK(refusal(with(kGzip, 27, kGzip[27] ^ 1)) == "f: damaged gzip stream: incorrect data check");
  CHECK(refusal(with(kGzip, 31, 0x13)) == "f: damaged gzip stream: incorrect length check");
  CHECK(refusal(with(kGzip, 2, 7)) == "f: damaged gzip stream: unknown compression method");
  // gzip.compress(b"\x1f\x8b", 9, mtime=0)
  CHECK(refusal({0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 3, 0x93, 0xef, 0x06, 0, 0xc9, 0x46, 0xe9, 0xf6, 2, 0, 0, 0}) ==
        "f: truncated: expected a header of 4 bytes, got 2");
}

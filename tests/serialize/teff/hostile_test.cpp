// SPDX-License-Identifier: MIT

// Files with right checksums that no writer of ours would write, as FORMAT.md describes the bytes.

#include <vector>

#include "serialize/file_fixture.h"

using namespace teff;
using namespace teff::testing;

namespace {

constexpr std::uint64_t kHuge = ~std::uint64_t{0};
constexpr std::uint64_t kText = 4, kTensor = 6, kList = 7, kDict = 8;

/// Numbers of the table's entry for a tensor.
struct Entry {
  std::uint64_t dtype = 1;
  std::vector<std::uint64_t> shape = {2};
  std::uint64_t offset = 192;
  std::uint64_t bytes = 8;
  std::uint64_t checksum = xxh3(std::string(8, '\0'));
};

std::string table_of(const std::vector<Entry>& entries) {
  std::string table = word(entries.size());
  for (const Entry& entry : entries) {
    table += word(entry.dtype) + word(entry.shape.size());
    for (const std::uint64_t size : entry.shape) table += word(size);
    table += word(entry.offset) + word(entry.bytes) + word(entry.checksum);
  }
  return table;
}

/// {"a": the first tensor}, no metadata. With one entry of one dimension the header ends at 169, the data
/// begin at 192.
std::string file_with(const Entry& entry, std::size_t data_bytes = 8) {
  return file_of(table_of({entry}) + header_of({0, 1, "a", kTensor, 0}), std::string(data_bytes, '\0'));
}

/// {"a": the first tensor, "b": the second}. The header ends at 234, the data begin at 256.
std::string file_with_two(const Entry& first, const Entry& second, std::size_t data_bytes) {
  return file_of(table_of({first, second}) + header_of({0, 2, "a", kTensor, 0, "b", kTensor, 1}),
                 std::string(data_bytes, '\0'));
}

/// No tensors, no metadata, and a dict of these parts.
std::string dict_of(std::initializer_list<Part> parts) { return file_of(word(0) + word(0) + header_of(parts)); }

void check_refused(const std::string& file, const std::string& part) {
  const std::string text = refusal(file);
  CAPTURE(part);
  CHECK_MESSAGE(contains(text, part), text);
}

}  // namespace

TEST_CASE("the files that the tests below vary are good") {
  CHECK(refusal(file_with({})) == "loaded");
  CHECK(refusal(file_with_two({.offset = 256}, {.offset = 320}, 72)) == "loaded");
  CHECK(refusal(dict_of({1, "a", kText, "b"})) == "loaded");
}

TEST_CASE("another version, kind, feature or reserved field is refused, naming it") {
  const std::string header = header_of({0, 0, 0});
  CHECK(refusal(file_of(header)) == "loaded");
  CHECK(refusal(file_of(header, {}, {.version = 2})) ==
        "load: x.teff: preamble: expected format version 1, got version 2: read it with a newer Teff");
  check_refused(file_of(header, {}, {.version = 0}), "got version 0");
  check_refused(file_of(header, {}, {.kind = 3}), "expected kind 1 (dictionary) or 2 (model), got 3");
  check_refused(file_of(header, {}, {.kind = 0}), "got 0");
  check_refused(file_of(header, {}, {.features = 8}), "the file uses feature 3, which this program does not know");
  check_refused(file_of(header, {}, {.reserved = 1}), "expected 0 at offset 48");
}

TEST_CASE("a header longer than the file or the limit is refused") {
  std::string file = file_of(header_of({0, 0, 0}));
  for (const std::uint64_t bytes : {std::uint64_t{25}, std::uint64_t{64} << 20, kHuge, kHuge - 63}) {
    file.replace(24, 8, word(bytes));
    file.replace(56, 8, word(xxh3(file.substr(0, 56))));
    check_refused(file, "preamble: expected a header of at most 24 bytes, got " + std::to_string(bytes));
  }
  file.replace(24, 8, word(16));
  check_refused(repaired(file), "expected the last tensor to end with the file, at offset 88, got 80");
  check_refused(file_of(header_of({0, 0})), "header at offset 80: expected at most the 0 bytes that are left");
}

TEST_CASE("bytes after the content of the header are refused") {
  check_refused(file_of(header_of({0, 0, 0, 0})),
                "header at offset 88: expected the end of the header, got 8 more bytes");
  check_refused(file_of(header_of({0, 0, 0}) + "x"), "got 1 more bytes");
}

TEST_CASE("counts and lengths are compared with what is left") {
  check_refused(file_of(word(kHuge)), "expected no more elements than the 0 bytes that are left can hold");
  check_refused(file_of(header_of({0, kHuge})), "got 18446744073709551615");
  check_refused(dict_of({kHuge}), "expected no more elements");
  check_refused(dict_of({std::uint64_t{1} << 60, 0, 0}), "expected no more elements");
  check_refused(dict_of({1, kHuge, 0, 0}), "expected at most the 16 bytes that are left, got a length of");
  check_refused(dict_of({1, "a", kText, std::uint64_t{1} << 40}), "expected at most the 0 bytes that are left");
  check_refused(dict_of({1, "a", kList, 100, 0}), "(\"a\"): expected no more elements than the 8 bytes");
  check_refused(dict_of({1, "a", kDict, 3, 0, 0, 0}), "expected no more elements");
}

TEST_CASE("lists that all claim the rest of the header are refused together") {
  std::string header = word(0) + word(0) + word(1) + word(1) + "a";
  for (int i = 0; i < 60; ++i) header += word(kList) + word(1000);
  header += std::string(16000, '\0');
  check_refused(file_of(header), "expected no more elements");
}

TEST_CASE("a header of many values takes bounded memory, and more than the limit are refused") {
  std::string header = word(0) + word(0) + word(1) + word(1) + "a" + word(kList) + word((1 << 21) + 1);
  header += std::string(8 * ((1 << 21) + 1), '\0');
  check_refused(file_of(header), "expected at most 2097152 elements");
}

TEST_CASE("values deeper than 64 in each other are refused") {
  std::string header = word(0) + word(0) + word(1) + word(1) + "a";
  for (int i = 0; i < 100000; ++i) header += word(kList) + word(1);
  check_refused(file_of(header + word(0)), "deeper than 64");
}

TEST_CASE("unknown kinds of values and numbers that are no bool are refused") {
  check_refused(dict_of({1, "a", 9}), "expected a number from 0 to 8, got 9");
  check_refused(dict_of({1, "a", kHuge}), "expected a number from 0 to 8");
  check_refused(dict_of({1, "a", 1, 2}), "(\"a\"): expected 0 or 1, got 2");
}

TEST_CASE("a key that occurs twice, and a name that is too long, are refused") {
  check_refused(dict_of({2, "a", 0, "a", 0}), "(\"a\"): expected a key to occur once, got it again");
  check_refused(dict_of({1, std::string(65536, 'k'), 0}), "expected a name of at most 65535 bytes, got 65536");
}

TEST_CASE("a tensor that the table does not have, or that nothing names, is refused") {
  check_refused(dict_of({1, "a", kTensor, 0}), "(\"a\"): expected a tensor below 0, got 0");
  check_refused(file_of(table_of({{}}) + header_of({0, 1, "a", kTensor, 1}), std::string(8, '\0')), "got 1");
  check_refused(file_of(table_of({{}}) + header_of({0, 1, "a", 2, 0}), std::string(8, '\0')),
                "expected all tensors to be named, got no name for tensor 0");
}

TEST_CASE("tensors must be named in the order of the table") {
  const std::string table = table_of({{.offset = 256}, {.offset = 320}});
  check_refused(file_of(table + header_of({0, 2, "a", kTensor, 1, "b", kTensor, 0}), std::string(72, '\0')),
                "(\"a\"): expected tensors in the order of the table, next 0, got 1");
}

TEST_CASE("unknown dtypes and impossible shapes are refused") {
  check_refused(file_with({.dtype = 0}), "expected a number from 1 to 15, got 0");
  check_refused(file_with({.dtype = 16}), "got 16");
  check_refused(file_with({.dtype = 11}), "expected the preamble to name feature 2, which is used here");
  check_refused(file_with({.dtype = 257}), "got 257");
  check_refused(file_with({.shape = {kHuge}}), "shape: expected sizes of at least 0, got [-1]");
  check_refused(file_with({.shape = {std::uint64_t{1} << 62}}), "expected at most 2^59 elements");
  check_refused(file_with({.shape = std::vector<std::uint64_t>(8, 1 << 8)}), "expected at most 2^59 elements");
  check_refused(file_with({.shape = std::vector<std::uint64_t>(9, 1)}), "expected at most 8 dimensions, got 9");
  check_refused(file_with({.shape = {0, std::uint64_t{1} << 62}}), "expected at most 2^59 elements");
}

TEST_CASE("a length that does not follow from dtype and shape is refused") {
  for (const std::uint64_t bytes : {0, 4, 7, 9, 16}) {
    check_refused(file_with({.bytes = bytes}), "expected 8 bytes for float32 [2], got " + std::to_string(bytes));
  }
  check_refused(file_with({.dtype = 2}), "expected 16 bytes for float64 [2], got 8");
}

TEST_CASE("tensors must follow each other without gap, overlap, or disorder") {
  for (const std::uint64_t offset : {std::uint64_t{0}, std::uint64_t{184}, std::uint64_t{191}, std::uint64_t{193},
                                     std::uint64_t{256}, kHuge, kHuge - 7}) {
    check_refused(file_with({.offset = offset}), "expected offset 192, or that of an earlier tensor, got");
  }
  check_refused(file_with({.offset = 256}, 72), "expected offset 192");
  const Entry first{.offset = 256};
  check_refused(file_with_two(first, {.offset = 264}, 72),
                "expected offset 320, or that of an earlier tensor, got 264");
  check_refused(file_with_two(first, {.offset = 384}, 136), "expected offset 320");
  check_refused(file_with_two({.offset = 320}, first, 72), "tensor 0 of the table: expected offset 256");
}

TEST_CASE("tensors may share a place only if dtype, length and checksum agree") {
  const Entry first{.offset = 256};
  CHECK(refusal(file_with_two(first, first, 8)) == "loaded");
  const std::string part = "expected dtype, length and checksum of tensor 0, whose offset it shares, got others";
  check_refused(file_with_two(first, {.dtype = 4, .offset = 256}, 8), part);
  check_refused(file_with_two(first, {.shape = {1}, .offset = 256, .bytes = 4}, 8), part);
  check_refused(file_with_two(first, {.offset = 256, .checksum = 0}, 8), part);
}

TEST_CASE("data beyond the end of the file, and files beyond the data, are refused") {
  check_refused(file_with({}, 7), "expected at most the 199 bytes of the file, got an end at offset 200");
  check_refused(file_with({.shape = {1 << 30}, .bytes = std::uint64_t{4} << 30}), "expected at most the 200 bytes");
  check_refused(file_with({}, 9), "expected the last tensor to end with the file, at offset 201, got 200");
  check_refused(file_of(header_of({0, 0, 0}), "x"), "expected the last tensor to end with the file");
}

TEST_CASE("an empty tensor has no place and no checksum") {
  const auto file = [](const Entry& entry) { return file_of(table_of({entry}) + header_of({0, 1, "a", kTensor, 0})); };
  const Entry good{.shape = {0}, .offset = 0, .bytes = 0, .checksum = 0};
  CHECK(refusal(file(good)) == "loaded");
  check_refused(file({.shape = {0}, .offset = 192, .bytes = 0, .checksum = 0}), "expected offset 0");
  check_refused(file({.shape = {0}, .offset = 0, .bytes = 0, .checksum = 1}), "expected checksum 0");
}

TEST_CASE("padding must be zero") {
  std::string file = file_with({});
  file[170] = 'x';
  check_refused(repaired(file), "tensor \"a\" at offset 192: expected zeros before it, got others");
}

TEST_CASE("bytes of a bool tensor must be 0 or 1, verified or not") {
  const std::string data("\1\2", 2);
  std::string file =
      file_of(table_of({{.dtype = 8, .bytes = 2, .checksum = xxh3(data)}}) + header_of({0, 1, "a", kTensor, 0}), data);
  check_refused(file, "tensor \"a\" at offset 192: expected bool values of 0 or 1, got others");
}

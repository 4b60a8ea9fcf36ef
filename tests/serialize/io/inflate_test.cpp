// SPDX-License-Identifier: MIT
#include "teff/serialize/io/inflate.h"

#include <cstdint>
#include <string>

#include "serialize/file_fixture.h"

using namespace teff;
using namespace teff::testing;

namespace {

// zlib's output for the 700 bytes of wave(), with codes of its own.
constexpr const char* kOwnCodes =
    "edce070e45300000d08a512b1aa3315a23562a941a513ef73fd7bf8877820720558fd36631aeee96d69222bf0213dbbc635c"
    "212364b0f6f90ae4bc419626bdc699b0e6a6bf32dbc20b89c81a3b5ef14ec3e15f427aa2ed0eacbe76eda82601cba2e4b681"
    "7aa45bf4e5fc97e82f2c74f9a0b9cc07b830618e55bd452a703b647ab579ddee1047c559c5544406c46b99354f931622d435"
    "9fa721dd521434c6be2ac4005ffb6bff01";

std::string from_hex(std::string_view digits) {
  std::string bytes;
  for (std::size_t i = 0; i < digits.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(std::string(digits.substr(i, 2)), nullptr, 16));
  }
  return bytes;
}

std::string wave() {
  std::string bytes;
  for (int i = 0; i < 700; ++i) bytes += static_cast<char>((i * i * 7 + i / 3) % 61);
  return bytes;
}

/// What `room` bytes hold afterwards, and how the packed bytes ended.
std::string inflated(const std::string& packed, std::size_t room, bool ended = true) {
  std::string memory(room, '?');
  const serialize::Inflated result =
      serialize::inflate(std::as_bytes(std::span(packed)), std::as_writable_bytes(std::span(memory)));
  CHECK(result.ended == ended);
  if (ended) CHECK(result.used == packed.size());
  return memory.substr(0, result.bytes);
}

void check_inflate_refused(const std::string& packed, const std::string& reason) {
  CHECK(error_of<FormatError>([&] { inflated(packed, 1000); }) == "deflate: " + reason);
}

/// Bits from the lowest of each byte on, written "1 01 ...": numbers lowest bit first.
std::string bits(std::string_view text) {
  std::string bytes;
  int count = 0;
  for (const char c : text) {
    if (c == ' ') continue;
    if (count % 8 == 0) bytes += '\0';
    if (c == '1') bytes.back() = static_cast<char>(static_cast<unsigned char>(bytes.back()) | 1u << (count % 8));
    ++count;
  }
  return bytes;
}

}  // namespace

TEST_CASE("blocks of all kinds are unpacked") {
  CHECK(inflated(from_hex("010500faff68656c6c6f"), 10) == "hello");  // stored
  CHECK(inflated(from_hex("4b4c4a4e042300"), 9) == "abcabcabc");     // the codes that everybody knows
  CHECK(inflated(from_hex(kOwnCodes), 700) == wave());               // codes of its own
  CHECK(inflated(from_hex("000100feff") + 'x' + from_hex("010500faff68656c6c6f"), 9) == "xhello");
  CHECK(inflated(from_hex("0300"), 0).empty());
}

TEST_CASE("unpacking stops where the memory is full") {
  for (const std::size_t room : {0, 1, 4, 8})
    CHECK(inflated(from_hex("4b4c4a4e042300"), room, false) == std::string("abcabcabc").substr(0, room));
  CHECK(inflated(from_hex(kOwnCodes), 699, false) == wave().substr(0, 699));
  CHECK(inflated(from_hex("010500faff68656c6c6f"), 3, false) == "hel");
}

TEST_CASE("packed bytes that are cut off anywhere are refused") {
  const std::string packed = from_hex(kOwnCodes);
  for (std::size_t bytes = 0; bytes < packed.size(); ++bytes) {
    CAPTURE(bytes);
    check_inflate_refused(packed.substr(0, bytes), "the packed bytes end too early");
  }
}

TEST_CASE("what DEFLATE does not allow is refused") {
  check_inflate_refused(bits("1 11"), "a block of an unknown kind");
  check_inflate_refused(from_hex("010500faf0"), "a stored block with two lengths");
  check_inflate_refused(bits("1 10 0000001 00000 0000000"), "a distance beyond the beginning");
  check_inflate_refused(bits("1 10 11000110 0000000"), "a length that does not exist");
  check_inflate_refused(bits("1 10 00110000 0000001 11110 0000000"), "a distance that does not exist");
  check_inflate_refused(bits("1 01 01111 00000 0000"), "more codes than there are symbols");
  check_inflate_refused(bits("1 01 00000 00000 0000 100 100 100 100"), "a code of more symbols than its lengths allow");
  check_inflate_refused(bits("1 01 00000 00000 0000 110 000 000 110"),
                        "a code of fewer symbols than its lengths allow");
  check_inflate_refused(bits("1 01 00000 00000 0000 100 000 100 000 0"), "a length repeated before the first");
  // 18, 138 zeros each, twice: none for the end.
  check_inflate_refused(bits("1 01 00000 00000 0000 000 000 100 100 1 1111111 1 1101011 0 0 0 0 0 0 0 0 0 0 0"),
                        "a block without an end");
}

// SPDX-License-Identifier: MIT
#include "teff/serialize/teff/preamble.h"

#include <algorithm>
#include <bit>
#include <cstdio>
#include <cstring>

#include "teff/engine/error.h"
#include "teff/serialize/io/checksum.h"
#include "teff/serialize/io/limits.h"

namespace teff::serialize {
namespace {

static_assert(std::endian::native == std::endian::little, "tensors are written as they lie in memory");

// A line end of either kind, an end of file for DOS, a byte above 127 and a NUL: each is lost in a transfer
// as text.
constexpr std::array<unsigned char, 10> kMagic{0x89, 'T', 'E', 'F', 'F', '\r', '\n', 0x1a, '\n', 0x00};

// Places of the fields.
constexpr std::size_t kVersion = 10;
constexpr std::size_t kKind = 12;
constexpr std::size_t kFeatures = 16;
constexpr std::size_t kHeaderBytes = 24;
constexpr std::size_t kFileBytes = 32;
constexpr std::size_t kHeaderChecksum = 40;
constexpr std::size_t kReserved = 48;
constexpr std::size_t kChecksum = 56;

template <class T>
void put(PreambleBytes& bytes, std::size_t place, T value) {
  std::memcpy(bytes.data() + place, &value, sizeof(T));
}

template <class T>
T get(std::span<const std::byte> bytes, std::size_t place) {
  T value{};
  std::memcpy(&value, bytes.data() + place, sizeof(T));
  return value;
}

[[noreturn]] void refuse(const std::string& what) { throw FormatError("preamble: " + what); }

void check_magic(std::span<const std::byte> bytes) {
  if (has_magic(bytes)) return;
  const bool as_text = bytes.size() >= 5 && std::memcmp(bytes.data() + 1, "TEFF", 4) == 0 &&
                       (bytes.front() == std::byte{0x89} || bytes.front() == std::byte{0x09});
  throw FormatError("damaged: expected the first bytes " + hex(std::as_bytes(std::span(kMagic))) + ", got " +
                    hex(bytes.first(std::min(bytes.size(), kMagic.size()))) +
                    (as_text ? ", as after a transfer as text: transfer it as binary" : ""));
}

void check_features(std::uint64_t features) {
  if (const std::uint64_t unknown = features & ~std::uint64_t{kKnownFeatures}; unknown != 0) {
    throw UnsupportedError("preamble: the file uses feature " + std::to_string(std::countr_zero(unknown)) +
                           ", which this program does not know: read it with a newer Teff");
  }
}

}  // namespace

PreambleBytes encode(const Preamble& preamble) {
  PreambleBytes bytes{};
  std::memcpy(bytes.data(), kMagic.data(), kMagic.size());
  put(bytes, kVersion, kFormatVersion);
  put(bytes, kKind, static_cast<std::uint32_t>(preamble.kind));
  put(bytes, kFeatures, preamble.features);
  put(bytes, kHeaderBytes, preamble.header_bytes);
  put(bytes, kFileBytes, preamble.file_bytes);
  put(bytes, kHeaderChecksum, preamble.header_checksum);
  put(bytes, kReserved, std::uint64_t{0});
  put(bytes, kChecksum, checksum(std::span(bytes).first(kChecksum)));
  return bytes;
}

Preamble decode_preamble(std::span<const std::byte> bytes) {
  check_magic(bytes);
  if (bytes.size() < kPreambleBytes) {
    refuse("expected 64 bytes, got " + std::to_string(bytes.size()) + ": the file was cut off");
  }
  const auto expected = checksum(bytes.first(kChecksum));
  if (const auto stored = get<std::uint64_t>(bytes, kChecksum); stored != expected) {
    refuse("damaged: expected checksum " + hex(expected) + ", got " + hex(stored));
  }
  if (const auto version = get<std::uint16_t>(bytes, kVersion); version != kFormatVersion) {
    throw UnsupportedError("preamble: expected format version 1, got version " + std::to_string(version) +
                           ": read it with a newer Teff");
  }
  check_features(get<std::uint64_t>(bytes, kFeatures));
  const auto kind = get<std::uint32_t>(bytes, kKind);
  if (kind != 1 && kind != 2) refuse("expected kind 1 (dictionary) or 2 (model), got " + std::to_string(kind));
  const Preamble preamble{static_cast<FileKind>(kind), get<std::uint64_t>(bytes, kFeatures),
                          get<std::uint64_t>(bytes, kHeaderBytes), get<std::uint64_t>(bytes, kFileBytes),
                          get<std::uint64_t>(bytes, kHeaderChecksum)};
  if (const auto reserved = get<std::uint64_t>(bytes, kReserved); reserved != 0) {
    refuse("expected 0 at offset 48, got " + hex(reserved));
  }
  return preamble;
}

void check_file_bytes(const Preamble& preamble, std::uint64_t file_bytes) {
  if (preamble.file_bytes == file_bytes) return;
  refuse("expected a file of " + std::to_string(preamble.file_bytes) + " bytes, got " + std::to_string(file_bytes) +
         (file_bytes < preamble.file_bytes ? ": the file was cut off" : ": something was appended"));
}

void check_header_bytes(const Preamble& preamble, std::uint64_t file_bytes) {
  const std::uint64_t most = std::min(kMaxHeaderBytes, std::min(preamble.file_bytes, file_bytes) - kPreambleBytes);
  if (preamble.file_bytes >= kPreambleBytes && preamble.header_bytes <= most) return;
  refuse("expected a header of at most " + std::to_string(most) + " bytes, got " +
         std::to_string(preamble.header_bytes));
}

bool has_magic(std::span<const std::byte> bytes) {
  return bytes.size() >= kMagic.size() && std::memcmp(bytes.data(), kMagic.data(), kMagic.size()) == 0;
}

std::string hex(std::span<const std::byte> bytes) {
  std::string text;
  for (const std::byte byte : bytes) {
    std::array<char, 4> digits{};
    std::snprintf(digits.data(), digits.size(), "%02x", std::to_integer<unsigned>(byte));
    text += text.empty() ? "" : " ";
    text += digits.data();
  }
  return text;
}

std::string hex(std::uint64_t value) {
  std::array<char, 20> digits{};
  std::snprintf(digits.data(), digits.size(), "%016llx", static_cast<unsigned long long>(value));
  return digits.data();
}

}  // namespace teff::serialize

// SPDX-License-Identifier: MIT
#pragma once

// Private: the first 64 bytes of a .teff file. See FORMAT.md.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace teff::serialize {

inline constexpr std::size_t kPreambleBytes = 64;
inline constexpr std::uint16_t kFormatVersion = 1;

enum class FileKind : std::uint32_t { dict = 1, model = 2 };

/// Additions to version 1. A file has the bit of each that it uses, and of no other.
enum Feature : std::uint64_t {
  kSeveralResults = 1 << 0,  // nodes of kind result
  kFreeSizes = 1 << 1,       // sizes that are free beside the batch, or attributes that follow a size of a node
  kMoreDTypes = 1 << 2,      // dtypes from uint16 on
  kKnownFeatures = kSeveralResults | kFreeSizes | kMoreDTypes,
};

struct Preamble {
  FileKind kind = FileKind::dict;
  std::uint64_t features = 0;
  std::uint64_t header_bytes = 0;
  std::uint64_t file_bytes = 0;
  std::uint64_t header_checksum = 0;
};

using PreambleBytes = std::array<std::byte, kPreambleBytes>;

PreambleBytes encode(const Preamble& preamble);

/// @throws FormatError unless the bytes are the beginning of a .teff file that this program reads. Fewer bytes than 64
/// are all that the file has.
Preamble decode_preamble(std::span<const std::byte> bytes);

/// @throws FormatError unless the file has the length that it should have.
void check_file_bytes(const Preamble& preamble, std::uint64_t file_bytes);
/// @throws FormatError unless the file can hold the header.
void check_header_bytes(const Preamble& preamble, std::uint64_t file_bytes);

/// Whether the bytes begin as every .teff file does.
bool has_magic(std::span<const std::byte> bytes);

/// `89 54 45 46 ...`, for error messages.
std::string hex(std::span<const std::byte> bytes);
std::string hex(std::uint64_t value);

}  // namespace teff::serialize

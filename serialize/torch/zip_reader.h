// SPDX-License-Identifier: MIT
#pragma once

// Private: zip files of entries that are not compressed, which is what torch.save writes.

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "teff/serialize/io/byte_source.h"

namespace teff::serialize {

struct ZipEntry {
  std::string_view name;     // with the root
  std::uint64_t header = 0;  // offset of its local header
  std::uint64_t offset = 0;  // of its bytes
  std::uint64_t bytes = 0;
  std::uint64_t packed = 0;  // what they take in the file
  std::uint32_t crc = 0;     // 0 of an entry that is not empty: not computed by the writer
  std::uint16_t flags = 0;
  std::uint16_t method = 0;  // of compression; 0 for none
};

/// What the end of a zip file says of its directory.
struct ZipDirectory {
  std::uint64_t entries = 0;
  std::uint64_t bytes = 0;
  std::uint64_t offset = 0;
};

/// The directory of a zip file, which must have one reading only: the entries follow each other without hole or
/// overlap from the first byte on, all under one root folder, each header says what the directory says, and the file
/// ends with its directory.
class ZipReader {
 public:
  /// Reads everything but the entries' bytes. Refers to the source. @throws FormatError.
  explicit ZipReader(const ByteSource& source);

  /// @throws FormatError for a compressed entry, for the functions below read none.
  void check_stored() const;
  /// The entry `name` under the root folder, or null.
  const ZipEntry* find(std::string_view name) const;
  /// The bytes of an entry of at most `max_bytes`. @throws FormatError if it is longer, or damaged (with `verify`).
  std::vector<std::byte> read(const ZipEntry& entry, std::uint64_t max_bytes, bool verify) const;

 private:
  ZipDirectory find_directory() const;
  void read_directory(const ZipDirectory& directory);
  void check_names();
  void check_layout(const ZipDirectory& directory);

  const ByteSource& source_;
  std::vector<std::byte> directory_;
  std::vector<ZipEntry> entries_;
  std::map<std::string_view, std::size_t> by_name_;  // without the root. Not hashed: all could have one hash
};

/// @throws FormatError if the entry's writer has computed a checksum and it is another one.
void check_crc(const ZipEntry& entry, std::uint32_t actual);

/// The name, in quotes, fit to be printed.
std::string quoted_name(std::string_view name);

}  // namespace teff::serialize

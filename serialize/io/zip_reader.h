// SPDX-License-Identifier: MIT
#pragma once

// Private: zip files, as torch.save, numpy.savez and tools that pack files write them.

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
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
  std::uint32_t crc = 0;
  bool has_crc = true;  // else its writer computed none: of all entries it is 0 then
  std::uint16_t flags = 0;
  std::uint16_t method = 0;  // of compression: 0 for none, 8 for DEFLATE

  bool is_packed() const { return method != 0; }
};

/// What the end of a zip file says of its directory.
struct ZipDirectory {
  std::uint64_t entries = 0;
  std::uint64_t bytes = 0;
  std::uint64_t offset = 0;
};

/// The directory of a zip file, which must have one reading only: the entries follow each other without hole or
/// overlap from the first byte on, each header says what the directory says, and the file ends with its directory.
class ZipReader {
 public:
  /// Reads everything but the entries' bytes. Refers to the source. @throws FormatError.
  explicit ZipReader(const ByteSource& source);

  /// In the order of the file.
  const std::vector<ZipEntry>& entries() const { return entries_; }
  /// The folder that all entries are in, with its slash (what macOS adds in a folder of its own does not count); empty
  /// if there is none.
  std::string_view root() const { return root_; }
  /// @throws FormatError for entries packed in a way that nobody can read here, or that unfold to much more than the
  /// file. The functions below expect that it was called.
  void check_packing() const;
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
  std::string_view root_;
  std::map<std::string_view, std::size_t> by_name_;  // without the root. Not hashed: all could have one hash
};

/// Fills the memory with the first bytes of the entry, unpacked. @throws FormatError if it has not so many.
void unpack(const ByteSource& source, const ZipEntry& entry, std::span<std::byte> memory);

/// @throws FormatError if the entry's writer has computed a checksum and it is another one.
void check_crc(const ZipEntry& entry, std::uint32_t actual);

/// Whether a zip file may have an entry of that name: a relative path without "..", as every system can unpack it.
bool is_entry_name(std::string_view name);

/// The name, in quotes, fit to be printed.
std::string quoted_name(std::string_view name);

}  // namespace teff::serialize

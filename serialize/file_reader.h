// SPDX-License-Identifier: MIT
#pragma once

// Private: a file that is read.

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "teff/serialize/posix.h"

namespace teff::file {

/// The whole file in memory, copy on write: what is written to it never reaches the file.
class Mapping {
 public:
  Mapping(int descriptor, std::size_t bytes);
  ~Mapping();
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;

  std::byte* data() const { return data_; }

 private:
  std::byte* data_;
  std::size_t bytes_;
};

/// An open regular file. All functions throw IoError if the system refuses.
class FileReader {
 public:
  explicit FileReader(const std::string& path);

  /// When it was opened.
  std::uint64_t size() const { return size_; }
  /// Fills the buffer from `offset` on. @throws FormatError if the file ends before.
  void read(std::span<std::byte> buffer, std::uint64_t offset) const;
  /// Fills the pieces one after the other. The array of pieces is used up.
  void read(std::span<iovec> pieces, std::uint64_t offset) const;
  std::shared_ptr<const Mapping> map() const;

 private:
  Descriptor descriptor_;
  std::uint64_t size_ = 0;
};

}  // namespace teff::file

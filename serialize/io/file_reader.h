// SPDX-License-Identifier: MIT
#pragma once

// Private: a file that is read.

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "teff/serialize/io/byte_source.h"
#include "teff/serialize/io/posix.h"

namespace teff::serialize {

/// An open regular file. All functions throw IoError if the system refuses.
class FileReader final : public ByteSource {
 public:
  explicit FileReader(const std::string& path);

  /// When it was opened.
  std::uint64_t size() const override { return size_; }
  void read(std::span<iovec> pieces, std::uint64_t offset) const override;
  using ByteSource::read;
  std::shared_ptr<const Mapping> map() const override;
  std::shared_ptr<const ByteSource> beside(const std::string& name) const override;

 private:
  FileReader() = default;
  /// Takes what open() gave.
  void open(int descriptor, const std::string& path);

  std::string path_;
  Descriptor descriptor_;
  std::uint64_t size_ = 0;
};

}  // namespace teff::serialize

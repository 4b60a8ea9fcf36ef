// SPDX-License-Identifier: MIT
#pragma once

// Private: a file that is read.

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "teff/serialize/io/byte_source.h"
#include "teff/serialize/io/system.h"

namespace teff::serialize {

/// An open regular file. All functions throw IoError if the system refuses.
class FileReader final : public ByteSource {
 public:
  /// `follow`: whether the path may be a link.
  explicit FileReader(const std::string& path, bool follow = true)
      : path_(path), file_(SystemFile::open(path, follow)) {}

  /// When it was opened.
  std::uint64_t size() const override { return file_.size(); }
  void read(std::span<Piece> pieces, std::uint64_t offset) const override;
  using ByteSource::read;
  std::shared_ptr<const Mapping> map() const override;
  std::shared_ptr<const ByteSource> beside(const std::string& name) const override;

 private:
  std::string path_;
  SystemFile file_;
};

}  // namespace teff::serialize

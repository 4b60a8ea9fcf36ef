// SPDX-License-Identifier: MIT
#pragma once

// Private: bytes that are read from any place: a file, or memory.

#include <cstddef>
#include <cstdint>
#include <istream>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "teff/serialize/io/system.h"

namespace teff::serialize {

class ByteSource {
 public:
  virtual ~ByteSource() = default;

  virtual std::uint64_t size() const = 0;
  /// Fills the pieces one after the other from `offset` on. The array of pieces is used up. May be called from several
  /// threads at once. @throws FormatError if the source ends before; IoError if the system refuses.
  virtual void read(std::span<Piece> pieces, std::uint64_t offset) const = 0;
  /// @throws ValueError if the source is not a file.
  virtual std::shared_ptr<const Mapping> map() const;
  /// Another file in the same folder, which the content names. @throws UnsupportedError if the source is not a file, or
  /// the name is not that of a file right there; IoError if there is none.
  virtual std::shared_ptr<const ByteSource> beside(const std::string& name) const;

  void read(std::span<std::byte> buffer, std::uint64_t offset) const;
};

/// Memory that somebody else owns.
class MemorySource final : public ByteSource {
 public:
  explicit MemorySource(std::span<const std::byte> bytes) : bytes_(bytes) {}

  std::uint64_t size() const override { return bytes_.size(); }
  void read(std::span<Piece> pieces, std::uint64_t offset) const override;
  using ByteSource::read;

 private:
  std::span<const std::byte> bytes_;
};

/// All that is left in the stream. @throws IoError if the stream fails.
std::vector<std::byte> read_all(std::istream& stream);

}  // namespace teff::serialize

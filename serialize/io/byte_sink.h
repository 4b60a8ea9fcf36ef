// SPDX-License-Identifier: MIT
#pragma once

// Private: where the bytes of a file go: to a file, or to a stream.

#include <cstddef>
#include <cstdint>
#include <ostream>
#include <span>

#include "teff/serialize/io/piece.h"

namespace teff::serialize {

class ByteSink {
 public:
  virtual ~ByteSink() = default;

  /// Writes the pieces one after the other, from `offset` on. The array of pieces is used up. @throws IoError.
  virtual void write(std::span<Piece> pieces, std::uint64_t offset) = 0;
  /// Whether `offset` may lie before what was written already. If not, each write goes on where the last one ended.
  virtual bool is_rewritable() const = 0;

  void write(std::span<const std::byte> bytes, std::uint64_t offset);
};

class StreamSink final : public ByteSink {
 public:
  /// Refers to the stream.
  explicit StreamSink(std::ostream& stream) : stream_(stream) {}

  void write(std::span<Piece> pieces, std::uint64_t offset) override;
  using ByteSink::write;
  bool is_rewritable() const override { return false; }

 private:
  std::ostream& stream_;
};

}  // namespace teff::serialize

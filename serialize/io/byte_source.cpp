// SPDX-License-Identifier: MIT
#include "teff/serialize/io/byte_source.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "teff/engine/error.h"
#include "teff/serialize/io/quiet_stream.h"

namespace teff::serialize {
namespace {

constexpr std::size_t kStreamChunkBytes = 64 * 1024;

}  // namespace

void ByteSource::read(std::span<std::byte> buffer, std::uint64_t offset) const {
  Piece piece{buffer.data(), buffer.size()};
  read({&piece, 1}, offset);
}

std::shared_ptr<const Mapping> ByteSource::map() const {
  throw ValueError("expected a file where mmap is set, got memory or a stream");
}

std::shared_ptr<const ByteSource> ByteSource::beside(const std::string&) const {
  throw UnsupportedError("expected all of it in one place, got a name of another file: load it by its path");
}

void MemorySource::read(std::span<Piece> pieces, std::uint64_t offset) const {
  for (const Piece& piece : pieces) {
    if (offset > bytes_.size() || piece.size > bytes_.size() - offset) {
      throw FormatError("expected " + std::to_string(piece.size) + " bytes at offset " + std::to_string(offset) +
                        ", got the end at " + std::to_string(bytes_.size()));
    }
    if (piece.size > 0) std::memcpy(piece.data, bytes_.data() + offset, piece.size);
    offset += piece.size;
  }
}

std::vector<std::byte> read_all(std::istream& stream) {
  const QuietStream quiet(stream);
  std::vector<std::byte> bytes;
  while (stream) {
    const std::size_t size = bytes.size();
    bytes.resize(size + std::max(kStreamChunkBytes, size / 2));
    stream.read(reinterpret_cast<char*>(bytes.data() + size), static_cast<std::streamsize>(bytes.size() - size));
    bytes.resize(size + static_cast<std::size_t>(stream.gcount()));
  }
  if (stream.bad() || !stream.eof())
    throw IoError("the stream failed after " + std::to_string(bytes.size()) + " bytes");
  return bytes;
}

}  // namespace teff::serialize

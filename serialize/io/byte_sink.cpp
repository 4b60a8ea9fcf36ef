// SPDX-License-Identifier: MIT
#include "teff/serialize/io/byte_sink.h"

#include <string>

#include "teff/engine/error.h"
#include "teff/serialize/io/quiet_stream.h"

namespace teff::serialize {

void ByteSink::write(std::span<const std::byte> bytes, std::uint64_t offset) {
  Piece piece{const_cast<std::byte*>(bytes.data()), bytes.size()};
  write({&piece, 1}, offset);
}

void StreamSink::write(std::span<Piece> pieces, std::uint64_t offset) {
  const QuietStream quiet(stream_);
  for (const Piece& piece : pieces) {
    stream_.write(reinterpret_cast<const char*>(piece.data), static_cast<std::streamsize>(piece.size));
    if (!stream_) throw IoError("the stream failed at offset " + std::to_string(offset));
    offset += piece.size;
  }
}

}  // namespace teff::serialize

// SPDX-License-Identifier: MIT
#include "examples/idx.h"

#include <memory>
#include <vector>

#include <zlib.h>

#include <teff/engine/error.h>

#include "examples/read_file.h"

namespace fashion {
namespace {

using Bytes = std::vector<std::uint8_t>;

constexpr std::size_t kHeaderBytes = 4;
constexpr std::uint8_t kUnsignedByte = 8;

[[noreturn]] void refuse(const std::string& name, const std::string& reason) {
  throw teff::FormatError(name + ": " + reason);
}

bool is_gzip(std::span<const std::uint8_t> bytes) { return bytes.size() >= 2 && bytes[0] == 0x1f && bytes[1] == 0x8b; }

/// One gzip member, complete, with a right checksum and nothing behind it.
Bytes gunzip(std::span<const std::uint8_t> packed, const std::string& name) {
  constexpr int kGzipWindow = 16 + MAX_WBITS;
  z_stream stream{};
  if (inflateInit2(&stream, kGzipWindow) != Z_OK) throw teff::Error(name + ": zlib cannot start");
  const std::unique_ptr<z_stream, int (*)(z_stream*)> end(&stream, &inflateEnd);
  stream.next_in = const_cast<std::uint8_t*>(packed.data());  // zlib reads only
  stream.avail_in = static_cast<uInt>(packed.size());

  Bytes bytes;
  int status = Z_OK;
  examples::append_all(bytes, kMaxIdxBytes, name, [&](std::uint8_t* place, std::size_t room) {
    stream.next_out = place;
    stream.avail_out = static_cast<uInt>(room);
    status = inflate(&stream, Z_NO_FLUSH);
    return room - stream.avail_out;
  });
  if (status == Z_OK || status == Z_BUF_ERROR) refuse(name, "truncated: the gzip stream has no end");
  if (status != Z_STREAM_END) {
    refuse(name, std::string("damaged gzip stream: ") + (stream.msg != nullptr ? stream.msg : "zlib gives no reason"));
  }
  if (stream.avail_in != 0) refuse(name, std::to_string(stream.avail_in) + " bytes after the end of the gzip stream");
  return bytes;
}

std::int64_t big_endian(std::span<const std::uint8_t, 4> b) {
  return std::int64_t{b[0]} << 24 | std::int64_t{b[1]} << 16 | std::int64_t{b[2]} << 8 | b[3];
}

/// Sizes from the header, checked.
teff::Shape read_shape(std::span<const std::uint8_t> bytes, const std::string& name) {
  if (bytes.size() < kHeaderBytes) {
    refuse(name, "truncated: expected a header of 4 bytes, got " + std::to_string(bytes.size()));
  }
  if (bytes[0] != 0 || bytes[1] != 0) refuse(name, "not an IDX file: it does not begin with two zero bytes");
  if (bytes[2] != kUnsignedByte) {
    refuse(name, "expected elements of type 8 (unsigned byte), got type " + std::to_string(bytes[2]));
  }
  const std::size_t rank = bytes[3];
  if (rank < 1 || rank > teff::kMaxRank) {
    refuse(name, "expected 1 to " + std::to_string(teff::kMaxRank) + " dimensions, got " + std::to_string(rank));
  }
  if (bytes.size() < kHeaderBytes + 4 * rank) {
    refuse(name, "truncated: expected " + std::to_string(rank) + " sizes of 4 bytes after the first 4 bytes, got " +
                     std::to_string(bytes.size() - kHeaderBytes) + " bytes");
  }
  teff::Shape shape;
  for (std::size_t i = 0; i < rank; ++i) shape.push_back(big_endian(bytes.subspan(kHeaderBytes + 4 * i).first<4>()));
  return shape;
}

/// Product of the sizes. Each is below 2^32 and the product so far at most 2^28, so nothing overflows.
std::size_t count_elements(const teff::Shape& shape, const std::string& name) {
  std::size_t count = 1;
  for (const std::int64_t size : shape) {
    if (size == 0) refuse(name, "expected sizes of at least 1, got " + teff::to_string(shape));
    count *= static_cast<std::size_t>(size);
    if (count > kMaxIdxBytes) {
      refuse(name, "expected at most " + std::to_string(kMaxIdxBytes) + " elements, got " + teff::to_string(shape));
    }
  }
  return count;
}

teff::Tensor parse_unpacked(std::span<const std::uint8_t> bytes, const std::string& name) {
  const teff::Shape shape = read_shape(bytes, name);
  const std::size_t count = count_elements(shape, name);
  const auto elements = bytes.subspan(kHeaderBytes + 4 * shape.size());
  if (elements.size() != count) {
    refuse(name, (elements.size() < count ? "truncated: " : "bytes after the end: ") + std::string("expected ") +
                     std::to_string(count) + " elements for the sizes " + teff::to_string(shape) + ", got " +
                     std::to_string(elements.size()));
  }
  return teff::tensor<std::uint8_t>(elements, shape);
}

}  // namespace

teff::Tensor parse_idx(std::span<const std::uint8_t> bytes, const std::string& name) {
  return is_gzip(bytes) ? parse_unpacked(gunzip(bytes, name), name) : parse_unpacked(bytes, name);
}

teff::Tensor read_idx(const std::string& path) { return parse_idx(examples::read_file(path, kMaxIdxBytes), path); }

}  // namespace fashion

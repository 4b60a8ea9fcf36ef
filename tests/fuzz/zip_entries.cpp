// SPDX-License-Identifier: MIT
#include "fuzz/zip_entries.h"

#include <algorithm>
#include <cstring>
#include <span>
#include <sstream>

#include "teff/engine/error.h"
#include "teff/serialize/io/byte_sink.h"
#include "teff/serialize/io/inflate.h"
#include "teff/serialize/io/zip_format.h"
#include "teff/serialize/io/zip_writer.h"

namespace teff::fuzz {
namespace {

namespace zip = serialize::zip;

constexpr std::size_t kMaxUnpacked = 1 << 18;

template <class T>
T number_in(const Bytes& bytes, std::size_t place) {
  T value{};
  if (place <= bytes.size() && bytes.size() - place >= sizeof value) {
    std::memcpy(&value, bytes.data() + place, sizeof value);
  }
  return value;
}

/// As much as there is.
Bytes bytes_in(const Bytes& bytes, std::size_t begin, std::size_t count) {
  begin = std::min(begin, bytes.size());
  const auto first = bytes.begin() + static_cast<std::ptrdiff_t>(begin);
  return {first, first + static_cast<std::ptrdiff_t>(std::min(count, bytes.size() - begin))};
}

/// What the bytes unfold to; the bytes themselves if they are damaged.
Bytes inflated(const Bytes& packed, std::size_t size) {
  Bytes result(std::min(size, kMaxUnpacked));
  try {
    serialize::inflate(std::as_bytes(std::span(packed)), std::as_writable_bytes(std::span(result)));
  } catch (const FormatError&) {
    return packed;
  }
  return result;
}

}  // namespace

std::vector<ZipPart> unpack_zip(const Bytes& file) {
  std::vector<ZipPart> parts;
  if (file.size() < zip::kEndBytes) return parts;
  const std::size_t end = file.size() - zip::kEndBytes;
  if (number_in<std::uint32_t>(file, end) != zip::kEnd) return parts;
  std::size_t place = number_in<std::uint32_t>(file, end + 16);
  while (number_in<std::uint32_t>(file, place) == zip::kCentral) {
    const std::size_t name = number_in<std::uint16_t>(file, place + 28);
    const std::size_t local = number_in<std::uint32_t>(file, place + 42);
    const std::size_t begin = local + zip::kLocalBytes + number_in<std::uint16_t>(file, local + 26) +
                              number_in<std::uint16_t>(file, local + 28);
    const Bytes name_bytes = bytes_in(file, place + zip::kCentralBytes, name);
    Bytes bytes = bytes_in(file, begin, number_in<std::uint32_t>(file, place + 20));
    const bool is_packed = number_in<std::uint16_t>(file, place + 10) != 0;
    if (is_packed) bytes = inflated(bytes, number_in<std::uint32_t>(file, place + 24));
    parts.push_back({{name_bytes.begin(), name_bytes.end()}, std::move(bytes)});
    place += zip::kCentralBytes + name + number_in<std::uint16_t>(file, place + 30) +
             number_in<std::uint16_t>(file, place + 32);
  }
  return parts;
}

Bytes pack_zip(const std::vector<ZipPart>& parts) {
  // NumPy's arrays are in no folder.
  const std::size_t slash = parts[0].name.find('/');
  const std::string root = slash == std::string::npos ? "" : parts[0].name.substr(0, slash);
  const std::size_t skipped = root.empty() ? 0 : root.size() + 1;
  std::ostringstream stream;
  serialize::StreamSink sink(stream);
  serialize::ZipWriter writer(sink, root);
  for (const ZipPart& part : parts) {
    writer.add(part.name.substr(std::min(skipped, part.name.size())), std::as_bytes(std::span(part.bytes)));
  }
  writer.finish();
  const std::string file = stream.str();
  return {file.begin(), file.end()};
}

}  // namespace teff::fuzz

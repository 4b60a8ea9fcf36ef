// SPDX-License-Identifier: MIT
#pragma once

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include <teff/engine/error.h>

namespace examples {

/// Appends to `bytes` by chunks until `fill(place, room)`, which returns how much it wrote, leaves room. What
/// a damaged file claims is thus never allocated. @throws teff::FormatError beyond `most` bytes.
template <class Fill>
void append_all(std::vector<std::uint8_t>& bytes, std::size_t most, const std::string& name, Fill fill) {
  constexpr std::size_t kChunk = std::size_t{1} << 20;
  for (bool more = true; more;) {
    const std::size_t old = bytes.size();
    bytes.resize(old + kChunk);
    const std::size_t written = fill(bytes.data() + old, kChunk);
    bytes.resize(old + written);
    if (bytes.size() > most) {
      throw teff::FormatError(name + ": expected at most " + std::to_string(most) + " bytes, got more");
    }
    more = written == kChunk;
  }
}

/// The content of a file. @throws teff::IoError if it cannot be read; teff::FormatError beyond `most` bytes.
inline std::vector<std::uint8_t> read_file(const std::string& path, std::size_t most) {
  const auto fail = [&path] { throw teff::IoError(path + ": cannot read: " + std::strerror(errno)); };
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"), &std::fclose);
  if (file == nullptr) fail();
  std::vector<std::uint8_t> bytes;
  append_all(bytes, most, path,
             [&](std::uint8_t* place, std::size_t room) { return std::fread(place, 1, room, file.get()); });
  if (std::ferror(file.get()) != 0) fail();
  return bytes;
}

}  // namespace examples

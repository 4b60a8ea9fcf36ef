// SPDX-License-Identifier: MIT
#pragma once

// Private: where the functions of save_load.h read from: a file, memory, a stream. What goes wrong is an error that
// names function and place.

#include <istream>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "teff/engine/error.h"
#include "teff/serialize/io/about.h"
#include "teff/serialize/io/byte_source.h"
#include "teff/serialize/io/file_reader.h"
#include "teff/serialize/options.h"

namespace teff::serialize {

inline constexpr const char* kMemory = "memory";
inline constexpr const char* kStream = "stream";

/// A mistake of the caller, not of the file.
inline void check_no_mmap(const char* function, const LoadOptions& options) {
  if (options.mmap)
    throw ValueError(std::string(function) + ": expected a file where mmap is set, got memory or a stream");
}

/// read(source, options), as the two below.
template <class Read>
auto read_from(const char* function, const std::string& path, const LoadOptions& options, Read&& read) {
  return about<FormatError>(function, path, [&] { return read(std::make_shared<const FileReader>(path), options); });
}

template <class Read>
auto read_from(const char* function, std::span<const std::byte> bytes, const LoadOptions& options, Read&& read) {
  check_no_mmap(function, options);
  return about<FormatError>(function, kMemory,
                            [&] { return read(std::make_shared<const MemorySource>(bytes), options); });
}

template <class Read>
auto read_from(const char* function, std::istream& stream, const LoadOptions& options, Read&& read) {
  check_no_mmap(function, options);
  return about<FormatError>(function, kStream, [&] {
    const std::vector<std::byte> bytes = read_all(stream);
    return read(std::make_shared<const MemorySource>(bytes), options);
  });
}

}  // namespace teff::serialize

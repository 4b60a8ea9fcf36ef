// SPDX-License-Identifier: MIT
#pragma once

// Private: how the formats are told from each other. To add one: its FileFormat in options.h, its row in formats.cpp,
// and its functions in open_contents.cpp and save.cpp. These stand apart so that a program that only loads models
// is linked without the readers of other formats, and one that only loads without the writers.

#include <array>
#include <string>
#include <string_view>

#include "teff/serialize/io/byte_source.h"
#include "teff/serialize/options.h"

namespace teff::serialize {

/// The beginning of a file, by which its format is known.
struct FileStart {
  std::array<std::byte, 2048> bytes{};
  std::uint64_t file_bytes = 0;

  bool has(std::size_t place, std::string_view text) const;
};

/// Where the name of the first file of a tar archive begins.
std::size_t tar_name(const FileStart& start);

struct Format {
  FileFormat id;
  std::string_view name;
  std::array<std::string_view, 2> extensions;
  bool (*recognises)(const FileStart&);
};

/// By the content, whatever the file is called. @throws UnsupportedError that says what it is, if it is none of them.
const Format& format_of(const ByteSource& source);

/// By the option, else by the extension, in any case.
const Format& format_for(const std::string& path, FileFormat format);

}  // namespace teff::serialize

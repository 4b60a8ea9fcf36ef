// SPDX-License-Identifier: MIT
#pragma once

// Private: the formats of dictionaries, and which one a file has.

#include <array>
#include <memory>
#include <string>
#include <string_view>

#include "teff/serialize/contents.h"
#include "teff/serialize/io/byte_sink.h"
#include "teff/serialize/io/byte_source.h"
#include "teff/serialize/options.h"

namespace teff::serialize {

/// The beginning of a file, by which its format is known.
struct FileStart {
  std::array<std::byte, 512> bytes{};
  std::uint64_t file_bytes = 0;

  bool has(std::size_t place, std::string_view text) const;
};

/// To add a format, write its functions and give it a line in formats.cpp.
struct Format {
  FileFormat id;
  std::string_view name;
  std::array<std::string_view, 2> extensions;
  bool (*recognises)(const FileStart&);
  Dict (*load)(const ByteSource&, const LoadOptions&);
  void (*save)(const Dict&, ByteSink&, const SaveOptions&);
  /// To look into a file. Null: it is loaded as a whole for that.
  std::unique_ptr<Contents> (*open)(std::shared_ptr<const ByteSource>, const LoadOptions&) = nullptr;
};

/// By the content, whatever the file is called; .teff for all that is not known.
const Format& format_of(const ByteSource& source);

/// By the format's `open`, else by its `load`.
std::unique_ptr<Contents> open_contents(const Format& format, std::shared_ptr<const ByteSource> source,
                                        const LoadOptions& options);

/// By the option, else by the extension, in any case.
const Format& format_for(const std::string& path, FileFormat format);

}  // namespace teff::serialize

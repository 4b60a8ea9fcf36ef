// SPDX-License-Identifier: MIT
#pragma once

// Private: a .teff file as a whole: preamble, header (table of tensors, metadata, content), tensors. See
// FORMAT.md.

#include <functional>

#include "teff/serialize/io/byte_sink.h"
#include "teff/serialize/io/byte_source.h"
#include "teff/serialize/options.h"
#include "teff/serialize/teff/archive.h"
#include "teff/serialize/teff/preamble.h"
#include "teff/serialize/teff/tensor_table.h"

namespace teff::serialize {

/// A .teff file without its tensors: preamble, header and table are read and checked.
struct TeffHeader {
  /// `whole`: the file has the length that it should have. If not, data may be missing at its end.
  /// @throws IoError; FormatError for a file that is damaged, foreign or newer.
  explicit TeffHeader(const ByteSource& file, bool whole = true);

  std::uint64_t end() const { return kPreambleBytes + bytes.size(); }

  const Preamble preamble;
  const std::vector<std::byte> bytes;
  HeaderReader archive;  // behind the table
  std::vector<TensorEntry> table;
  Layout layout;
};

/// Writes a file with what `content` writes to the archive.
/// @throws IoError; ValueError for what the format cannot hold.
void write_teff(ByteSink& file, FileKind kind, const Dict& metadata, const std::function<void(HeaderWriter&)>& content);

/// Lets `content` read from the archive; then fills the tensors that it got. Returns the metadata.
/// @throws IoError; FormatError for a file that is damaged, foreign, newer, or of another kind.
Dict read_teff(const ByteSource& file, FileKind kind, const LoadOptions& options,
               const std::function<void(HeaderReader&)>& content);

}  // namespace teff::serialize

// SPDX-License-Identifier: MIT
#pragma once

// Private: where in a .pt2 file the program, its state dict and its constants are. PyTorch up to 2.7 nests files of
// torch.save in the zip; later ones have a file of JSON that says which entries have the tensors' elements.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "teff/serialize/contents.h"
#include "teff/serialize/io/byte_source.h"
#include "teff/serialize/io/zip_reader.h"
#include "teff/serialize/options.h"

namespace teff::serialize {

class ExportedArchive {
 public:
  /// @throws FormatError, also for a zip that is no program; UnsupportedError for one of several programs.
  ExportedArchive(std::shared_ptr<const ByteSource> source, const LoadOptions& options);

  /// The graph, as JSON; and where it begins in the file.
  std::string program() const;
  std::uint64_t program_offset() const;

  // Structures of tensors by their names.

  std::unique_ptr<Contents> state_dict() const;
  std::unique_ptr<Contents> constants() const;

 private:
  void find_model();
  const ZipEntry& entry(std::string_view name) const;
  std::string text_of(const ZipEntry& entry, std::uint64_t max_bytes) const;
  std::unique_ptr<Contents> nested(const ZipEntry& entry) const;
  std::unique_ptr<Contents> tensors_in(const char* folder, const char* config) const;

  std::shared_ptr<const ByteSource> source_;
  std::shared_ptr<const ZipReader> zip_;
  LoadOptions options_;
  bool swapped_ = false;
  std::string model_;  // its name, in a file of PyTorch 2.8 or later; else empty
};

/// Tensors whose elements are in entries of the zip, as a file of JSON says. `zip` is of `source`.
std::unique_ptr<Contents> open_exported_payload(std::shared_ptr<const ByteSource> source,
                                                std::shared_ptr<const ZipReader> zip, const std::string& folder,
                                                std::string config, std::uint64_t offset, const LoadOptions& options,
                                                bool swapped);

}  // namespace teff::serialize

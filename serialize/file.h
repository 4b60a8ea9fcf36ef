// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "teff/engine/dict.h"
#include "teff/nn/graph/graph_module.h"
#include "teff/serialize/file_entry.h"
#include "teff/serialize/options.h"

namespace TEFF_EXPORT teff {

/// A file that is open, to look into it without reading its tensors: costs the header only, of PyTorch's files the
/// directory and the pickle. const functions may be called from several threads at once.
///
///   const File file("checkpoint.teff");
///   for (const FileEntry& entry : file.entries()) std::cout << entry.path << ' ' << entry.type.shape << '\n';
///   Tensor weight = file.read("model_state_dict/conv1.weight").as_tensor();
///
/// A model is listed as a dictionary with the items "state_dict", "constants" and "self_test".
class File {
 public:
  /// Of the options, `verify` and `mmap` are for read(). @throws what load throws, but not for entries that Teff has no
  /// place for; header and structure are verified.
  explicit File(const std::string& path, const LoadOptions& options = {});
  /// Refers to the memory.
  explicit File(std::span<const std::byte> bytes, const LoadOptions& options = {});
  File(File&&) noexcept;
  File& operator=(File&&) noexcept;
  ~File();

  FileFormat format() const;
  /// Of the format, 1 or higher; 0 if the format has none.
  int version() const;
  /// Bytes of the file.
  std::uint64_t size() const;
  /// What the file holds, in tensors without values: reading their values is an error.
  const Dict& structure() const;
  /// All tensors, in the order of the structure. @throws FormatError if their paths together are longer than 16 times
  /// the file, which only a hostile file's are.
  std::vector<FileEntry> entries() const;
  /// What the file holds and Teff has no place for: complex, quantised and sparse tensors, objects of unknown classes.
  /// structure() is without them, and so is what read_all() gives, if the options skip them. Empty for Teff's own
  /// files.
  const std::vector<UnsupportedEntry>& unsupported() const;
  /// The whole modules of Python in the file, whose state dicts structure() has.
  const std::vector<FileModule>& modules() const;
  /// The operators of an ONNX file, in its words and its order; load_model makes a graph of them, if it can.
  const std::vector<FileOperator>& operators() const;
  /// Graph, keys, summary and mode of a model, in tensors without values; null if the file holds no model.
  const nn::GraphModuleData* model() const;

  /// The free values that were saved with the file. @throws as read().
  Dict metadata() const;
  /// The value at a path as in FileEntry: a tensor, a number, ..., or a whole list or dictionary. Reads and verifies
  /// only what it returns. @throws IndexError if there is no such value; FormatError if it is damaged; IoError.
  Value read(std::string_view path) const;
  /// All of it. @throws as read(); FormatError if there are unsupported() entries, unless they are skipped.
  Dict read_all() const;

  /// Whether the file has checksums of its elements: verify() sees each change of them then. Files of .safetensors,
  /// .npy and of PyTorch before 1.6 have none, nor has a .pt whose writer was told so.
  bool has_checksums() const;
  /// Reads and checks everything, keeping nothing. Empty if all is as it was written.
  std::vector<FileDamage> verify() const;

 private:
  struct State;
  std::unique_ptr<const State> state_;
};

struct Salvage {
  Dict dict;                        // the intact values
  std::vector<FileDamage> damages;  // every other one; empty if the file is whole
};

/// Reads what is intact of a damaged .teff file, also of one that was cut off: tensors whose checksums match, and all
/// other values. A damaged tensor is left out; in a list None takes its place. Of a model the state dict is read.
/// @throws IoError; FormatError if the first 64 bytes or the header are damaged: no value is certain then.
Salvage salvage(const std::string& path);

}  // namespace teff

// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "teff/engine/tensor.h"
#include "teff/nn/module.h"

namespace TEFF_EXPORT teff {

/// A tensor of a file.
struct FileEntry {
  /// The keys that lead to it, joined by '/'; a place in a list is [3]: `optimizer/state[0]/momentum_buffer`. In a key
  /// the characters / [ and \ stand behind a \.
  std::string path;
  TensorType type;
  std::uint64_t bytes = 0;
  std::optional<std::uint64_t> offset;    // of its elements in the file. None without elements, or if not known
  std::optional<std::uint64_t> checksum;  // XXH3 of its elements, in .teff files
  std::string shared_with;                // path of the first entry on the same elements; empty if that is this one
};

/// An entry of a foreign file that Teff has no place for.
struct UnsupportedEntry {
  std::string path;  // as in FileEntry
  std::string what;  // "ComplexFloatStorage", "sparse", "omegaconf.dictconfig.DictConfig"
};

/// A module of Python that a file of PyTorch holds whole.
struct FileModule {
  std::string path;           // as in FileEntry, of its state dict; empty: the whole file
  nn::ModuleSummary summary;  // the classes and, of PyTorch's own layers, their hyper-parameters, as Python prints them
};

/// An operator of a network of another system, as its file has it.
struct FileOperator {
  std::string type;  // "Conv"
  std::string name;
  std::vector<std::string> inputs, outputs;
};

/// A part of a file that is damaged, and why.
struct FileDamage {
  std::string entry;  // its path; empty: not an entry
  std::string reason;
};

/// A key as it stands in a path.
std::string escape_key(std::string_view key);

}  // namespace teff

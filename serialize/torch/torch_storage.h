// SPDX-License-Identifier: MIT
#pragma once

// Private: the storages of a file of PyTorch: flat arrays that its tensors refer to.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "teff/engine/tensor.h"
#include "teff/serialize/io/byte_source.h"
#include "teff/serialize/io/data_blocks.h"
#include "teff/serialize/options.h"
#include "teff/serialize/torch/pickle_machine.h"
#include "teff/serialize/torch/zip_reader.h"

namespace teff::serialize {

/// What a pickle says of a storage: ('storage', type, key, location, numel).
struct StorageId {
  std::string type;  // "FloatStorage"
  std::string key;
  std::int64_t numel = 0;
  std::int64_t view_offset = 0;  // legacy files: of a storage that is part of another
  std::size_t item_bytes = 0;    // 0: Teff does not know the type
  std::optional<DType> dtype;    // none: Teff has no such type, or the storage is of plain bytes
  bool untyped() const { return type == "UntypedStorage"; }
};

/// @throws FormatError unless the node is such a tuple.
StorageId storage_id(const Pickle& pickle, NodeId persistent);

/// The type of a dtype's storages, without "Storage": "Float".
std::string_view storage_type_name(DType dtype);

/// Where a storage's bytes lie.
struct StoredBytes {
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;
  const ZipEntry* entry = nullptr;  // with the checksum, where there is one
};

/// None for a key that the file does not have.
using FindStorage = std::function<std::optional<StoredBytes>(const std::string& key)>;

/// Tensors of one dimension for the storages that were asked for.
class TorchStorages {
 public:
  TorchStorages(const ByteSource& source, const LoadOptions& options, FindStorage find);

  /// A tensor of all elements, which read() fills later. @throws FormatError if the file has no such storage, or
  /// another length of it.
  const Tensor& get(const StorageId& id, DType dtype);
  /// @throws FormatError if an entry is damaged, or a bool is neither 0 nor 1.
  void read() const;

 private:
  struct Storage {
    Tensor tensor;
    StoredBytes place;
    bool is_mapped = false;
  };

  const ByteSource& source_;
  const LoadOptions& options_;
  const FindStorage find_;
  const std::shared_ptr<const Mapping> mapping_;
  std::vector<Storage> storages_;
  std::map<std::string, std::size_t> by_key_;
};

}  // namespace teff::serialize

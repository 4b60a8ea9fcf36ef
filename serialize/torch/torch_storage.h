// SPDX-License-Identifier: MIT
#pragma once

// Private: the storages of a file of PyTorch, flat arrays, and the tensors that have their elements there.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "teff/engine/error.h"
#include "teff/engine/tensor.h"
#include "teff/serialize/contents.h"
#include "teff/serialize/io/byte_source.h"
#include "teff/serialize/io/zip_reader.h"
#include "teff/serialize/options.h"
#include "teff/serialize/torch/pickle_machine.h"

namespace teff::serialize {

/// What a pickle says of a storage: ('storage', type, key, location, numel).
struct StorageId {
  std::string type;  // "FloatStorage"
  std::string key;
  std::int64_t numel = 0;
  std::int64_t view_offset = 0;            // legacy files: of a storage that is part of another
  std::optional<std::int64_t> view_numel;  // the same
  std::size_t item_bytes = 0;              // 0: Teff does not know the type
  std::optional<DType> dtype;              // none: Teff has no such type, or the storage is of plain bytes
  bool untyped() const { return type == "UntypedStorage"; }
};

/// @throws FormatError unless the node is such a tuple.
StorageId storage_id(const Pickle& pickle, NodeId persistent);

/// The type of a dtype's storages, without "Storage": "Float"; "Untyped", of bytes, for dtypes that have none.
std::string_view storage_type_name(DType dtype);

/// From one order of bytes to the other, for elements of that size.
void swap_bytes(std::span<std::byte> memory, std::size_t item_bytes);

/// Where a storage's bytes lie.
struct StoredBytes {
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;
  const ZipEntry* entry = nullptr;  // with the checksum, where there is one

  /// Whether they take other bytes in the file, and unpack() reads them.
  bool is_packed() const { return entry != nullptr && entry->is_packed(); }
};

/// None for a key that the file does not have.
using FindStorage = std::function<std::optional<StoredBytes>(const std::string& key)>;

/// Which elements of a storage a tensor has.
struct TorchView {
  std::size_t storage = 0;
  std::int64_t offset = 0;
  std::vector<std::int64_t> strides;  // of a tensor that is not contiguous, whose elements are copied; else empty
};

class TorchStorages {
 public:
  /// `swapped`: the elements have the bytes of a big-endian machine.
  TorchStorages(std::shared_ptr<const ByteSource> source, const LoadOptions& options, FindStorage find,
                bool swapped = false);

  /// The index of a storage. @throws FormatError if the file has no such storage, or another length of it.
  std::size_t get(const StorageId& id, DType dtype);
  std::int64_t numel(std::size_t storage) const { return storages_[storage].numel; }

  /// A stand-in for a tensor: of the elements that the view says, or without elements. @throws ShapeError
  Tensor add(const TensorType& type, const std::optional<TorchView>& view);
  /// A tensor whose elements the pickle itself has: it stands for copies of itself.
  void add_values(const Tensor& values);

  // As in Contents.
  StoragePlace place_of(const Tensor& stand_in) const;
  std::vector<Tensor> read(std::span<const Tensor> stand_ins) const;
  std::vector<Damage> check() const;
  bool have_checksums() const;

 private:
  struct Storage {
    std::int64_t numel = 0;
    DType dtype{};
    StoredBytes place;
  };
  struct Entry {
    std::size_t elements = 0;  // equal for the tensors that share all of them
    std::optional<TorchView> view;
    bool has_values = false;  // of add_values
  };

  const Entry& entry_of(const Tensor& stand_in) const {
    const auto found = entries_.find(stand_in.id());
    if (found == entries_.end()) throw IndexError("File: expected a tensor of the file, got another");
    return found->second;
  }
  bool is_mapped(const Storage& storage) const;
  Tensor make_array(const Storage& storage) const;
  /// Fills the arrays, by storage. @throws FormatError if one is damaged, or a bool is neither 0 nor 1.
  void fill(const std::map<std::size_t, Tensor>& arrays, bool verify) const;

  std::shared_ptr<const ByteSource> source_;
  bool verify_;
  bool swapped_;
  FindStorage find_;
  std::shared_ptr<const Mapping> mapping_;
  std::vector<Storage> storages_;
  std::map<std::string, std::size_t> by_key_;
  std::unordered_map<const void*, Entry> entries_;  // of the stand-ins
  std::map<std::vector<std::int64_t>, std::size_t> elements_;
  std::size_t num_elements_ = 0;  // different ones
};

}  // namespace teff::serialize

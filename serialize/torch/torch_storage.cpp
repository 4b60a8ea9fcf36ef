// SPDX-License-Identifier: MIT
#include "teff/serialize/torch/torch_storage.h"

#include <algorithm>
#include <array>

#include "teff/engine/error.h"
#include "teff/serialize/io/crc32.h"
#include "teff/serialize/io/place.h"

namespace teff::serialize {
namespace {

struct StorageType {
  std::string_view name;  // without "Storage"
  std::size_t item_bytes;
  std::optional<DType> dtype;
};

constexpr std::array kTypes = {
    StorageType{"Float", 4, DType::float32},
    StorageType{"Double", 8, DType::float64},
    StorageType{"Half", 2, DType::float16},
    StorageType{"BFloat16", 2, DType::bfloat16},
    StorageType{"Long", 8, DType::int64},
    StorageType{"Int", 4, DType::int32},
    StorageType{"Short", 2, DType::int16},
    StorageType{"Char", 1, DType::int8},
    StorageType{"Byte", 1, DType::uint8},
    StorageType{"Bool", 1, DType::bool_},
    StorageType{"Untyped", 1, {}},
    StorageType{"ComplexFloat", 8, {}},
    StorageType{"ComplexDouble", 16, {}},
    StorageType{"QInt8", 1, {}},
    StorageType{"QUInt8", 1, {}},
    StorageType{"QInt32", 4, {}},
    StorageType{"QUInt4x2", 1, {}},
    StorageType{"QUInt2x4", 1, {}},
};

constexpr std::string_view kStorage = "Storage";
constexpr std::size_t kMaxKeyBytes = 100;

[[noreturn]] void refuse_storage(const std::string& what) { throw FormatError("storage: " + what); }

/// A field of the tuple, which must be of that kind.
NodeId field(const Pickle& pickle, std::span<const NodeId> fields, std::size_t place, NodeKind kind, const char* what) {
  if (pickle[fields[place]].kind != kind) refuse_storage("expected " + std::string(what) + ", got something else");
  return fields[place];
}

void read_view(const Pickle& pickle, NodeId node, StorageId& id) {
  if (pickle[node].kind == NodeKind::none) return;
  if (pickle[node].kind != NodeKind::tuple || pickle[node].a != 3)
    refuse_storage("expected the key, offset and size of a view");
  const std::vector<NodeId> view = pickle.items(node);
  const std::int64_t offset = pickle.integer(field(pickle, view, 1, NodeKind::integer, "the offset of a view"));
  const std::int64_t size = pickle.integer(field(pickle, view, 2, NodeKind::integer, "the size of a view"));
  if (offset < 0 || size < 0 || offset > id.numel || size > id.numel - offset) {
    refuse_storage("expected a view of its " + std::to_string(id.numel) + " elements, got " + std::to_string(size) + " from " +
           std::to_string(offset) + " on");
  }
  id.view_offset = offset;
}

}  // namespace

StorageId storage_id(const Pickle& pickle, NodeId persistent) {
  const NodeId tuple = pickle[persistent].a;
  const bool is_tuple = pickle[tuple].kind == NodeKind::tuple && pickle[tuple].a >= 5 && pickle[tuple].a <= 6;
  const std::vector<NodeId> fields = is_tuple ? pickle.items(tuple) : std::vector<NodeId>();
  if (!is_tuple || pickle[fields[0]].kind != NodeKind::text || pickle.text(fields[0]) != "storage") {
    refuse_storage("expected ('storage', type, key, location, numel), got another tuple");
  }
  StorageId id;
  const std::string type = pickle.global(field(pickle, fields, 1, NodeKind::global, "a class"));
  id.type = type.substr(type.rfind('.') + 1);
  id.key = pickle.text(field(pickle, fields, 2, NodeKind::text, "a key of text"));
  if (id.key.size() > kMaxKeyBytes) refuse_storage("expected a key of at most 100 bytes, got a longer one");
  id.numel = pickle.integer(field(pickle, fields, 4, NodeKind::integer, "a number of elements"));
  if (!type.starts_with("torch.") || !id.type.ends_with(kStorage)) {
    refuse_storage("expected a type of storage, got " + escaped(type, 100));
  }
  const auto name = std::string_view(id.type).substr(0, id.type.size() - kStorage.size());
  const auto found = std::find_if(kTypes.begin(), kTypes.end(), [&](const StorageType& t) { return t.name == name; });
  if (found != kTypes.end()) {
    id.item_bytes = found->item_bytes;
    id.dtype = found->dtype;
  }
  constexpr std::int64_t kMaxElements = std::int64_t{1} << 58;  // their bytes are counted with 64 bits
  if (id.numel < 0 || id.numel > kMaxElements) refuse_storage("expected a number of elements, got " + std::to_string(id.numel));
  if (fields.size() == 6) read_view(pickle, fields[5], id);
  return id;
}

std::string_view storage_type_name(DType dtype) {
  return std::find_if(kTypes.begin(), kTypes.end(), [&](const StorageType& t) { return t.dtype == dtype; })->name;
}

TorchStorages::TorchStorages(const ByteSource& source, const LoadOptions& options, FindStorage find)
    : source_(source), options_(options), find_(std::move(find)), mapping_(options.mmap ? source.map() : nullptr) {}

const Tensor& TorchStorages::get(const StorageId& id, DType dtype) {
  const std::string about = quoted_name(id.key) + ": ";
  const auto item_bytes = static_cast<std::int64_t>(size_of(dtype));
  if (id.untyped() && id.numel % item_bytes != 0) {
    refuse_storage(about + "expected a multiple of " + std::to_string(item_bytes) + " bytes, got " + std::to_string(id.numel));
  }
  const std::int64_t numel = id.untyped() ? id.numel / item_bytes : id.numel;
  const auto [found, is_new] = by_key_.emplace(id.key, storages_.size());
  if (!is_new) {
    const Tensor& known = storages_[found->second].tensor;
    if (known.dtype() == dtype && known.numel() == numel) return known;
    refuse_storage(about + "expected one type and length, got " + std::to_string(known.numel()) + " elements of " +
           std::string(to_string(known.dtype())) + ", and " + std::to_string(numel) + " of " +
           std::string(to_string(dtype)));
  }
  const std::optional<StoredBytes> place = find_(id.key);
  if (!place) refuse_storage(about + "expected its bytes in the file, got none");
  const auto bytes = static_cast<std::uint64_t>(numel * item_bytes);
  if (place->bytes != bytes) {
    refuse_storage(about + "expected " + std::to_string(bytes) + " bytes for " + std::to_string(id.numel) + " elements, got " +
           std::to_string(place->bytes));
  }
  const bool is_mapped = mapping_ != nullptr && bytes > 0 && place->offset % size_of(dtype) == 0;
  const TensorType type{{numel}, dtype};
  const auto mapped = [&] {
    return Tensor::from_external(mapping_->data() + place->offset, type, [mapping = mapping_](void*) {});
  };
  storages_.push_back({is_mapped ? mapped() : empty(type.shape, {.dtype = dtype}), *place, is_mapped});
  return storages_.back().tensor;
}

void TorchStorages::read() const {
  std::vector<DataBlock> blocks;
  for (const Storage& storage : storages_) {
    const auto memory = std::span(static_cast<std::byte*>(storage.tensor.raw_data()), storage.tensor.nbytes());
    blocks.push_back({storage.place.offset, memory, storage.is_mapped});
  }
  const std::vector<std::uint32_t> checksums = read_blocks(source_, blocks, options_.verify);
  for (std::size_t i = 0; i < storages_.size(); ++i) {
    const Storage& storage = storages_[i];
    if (options_.verify && storage.place.entry != nullptr) check_crc(*storage.place.entry, checksums[i]);
    if (storage.tensor.dtype() == DType::bool_ && !are_bools(blocks[i].memory)) {
      refuse_storage("at offset " + std::to_string(storage.place.offset) + ": expected bool values of 0 or 1, got others");
    }
  }
}

}  // namespace teff::serialize

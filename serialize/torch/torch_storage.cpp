// SPDX-License-Identifier: MIT
#include "teff/serialize/torch/torch_storage.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <set>

#include "teff/engine/autograd.h"
#include "teff/engine/error.h"
#include "teff/engine/strided_copy.h"
#include "teff/engine/tensor_impl.h"
#include "teff/serialize/io/crc32.h"
#include "teff/serialize/io/data_blocks.h"
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

/// The elements of the view, one behind the other.
Tensor strided(const Tensor& array, const Shape& shape, const TorchView& view) {
  const Tensor copy = empty(shape, {.dtype = array.dtype()});
  ops::StridedCopy plan{shape, {}, ops::contiguous_strides(shape), view.offset, 0};
  std::copy(view.strides.begin(), view.strides.end(), plan.from_strides.begin());
  ops::strided_copy(plan, array, copy);
  return copy;
}

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
    refuse_storage("expected a view of its " + std::to_string(id.numel) + " elements, got " + std::to_string(size) +
                   " from " + std::to_string(offset) + " on");
  }
  id.view_offset = offset;
  id.view_numel = size;
}

}  // namespace

void swap_bytes(std::span<std::byte> memory, std::size_t item_bytes) {
  for (std::size_t i = 0; i + item_bytes <= memory.size(); i += item_bytes) {
    std::reverse(memory.data() + i, memory.data() + i + item_bytes);
  }
}

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
  if (id.numel < 0 || id.numel > kMaxElements)
    refuse_storage("expected a number of elements, got " + std::to_string(id.numel));
  if (fields.size() == 6) read_view(pickle, fields[5], id);
  return id;
}

std::string_view storage_type_name(DType dtype) {
  const auto found = std::find_if(kTypes.begin(), kTypes.end(), [&](const StorageType& t) { return t.dtype == dtype; });
  return found == kTypes.end() ? "Untyped" : found->name;
}

TorchStorages::TorchStorages(std::shared_ptr<const ByteSource> source, const LoadOptions& options, FindStorage find,
                             bool swapped)
    : source_(std::move(source)),
      verify_(options.verify),
      swapped_(swapped),
      find_(std::move(find)),
      mapping_(options.mmap ? source_->map() : nullptr) {}

std::size_t TorchStorages::get(const StorageId& id, DType dtype) {
  const std::string about = quoted_name(id.key) + ": ";
  const auto item_bytes = static_cast<std::int64_t>(size_of(dtype));
  if (id.untyped() && id.numel % item_bytes != 0) {
    refuse_storage(about + "expected a multiple of " + std::to_string(item_bytes) + " bytes, got " +
                   std::to_string(id.numel));
  }
  const std::int64_t numel = id.untyped() ? id.numel / item_bytes : id.numel;
  const auto [found, is_new] = by_key_.emplace(id.key, storages_.size());
  if (!is_new) {
    const Storage& known = storages_[found->second];
    if (known.dtype == dtype && known.numel == numel) return found->second;
    refuse_storage(about + "expected one type and length, got " + std::to_string(known.numel) + " elements of " +
                   std::string(to_string(known.dtype)) + ", and " + std::to_string(numel) + " of " +
                   std::string(to_string(dtype)));
  }
  const std::optional<StoredBytes> place = find_(id.key);
  if (!place) refuse_storage(about + "expected its bytes in the file, got none");
  const auto bytes = static_cast<std::uint64_t>(numel * item_bytes);
  if (place->bytes != bytes) {
    refuse_storage(about + "expected " + std::to_string(bytes) + " bytes for " + std::to_string(id.numel) +
                   " elements, got " + std::to_string(place->bytes));
  }
  storages_.push_back({numel, dtype, *place});
  return found->second;
}

Tensor TorchStorages::add(const TensorType& type, const std::optional<TorchView>& view) {
  Tensor stand_in = detail::make_without_values(type);
  std::size_t index = num_elements_;
  if (view) {
    std::vector<std::int64_t> elements = {static_cast<std::int64_t>(view->storage), view->offset};
    if (view->strides.empty()) {
      elements.push_back(stand_in.numel());
    } else {
      elements.insert(elements.end(), type.shape.begin(), type.shape.end());
      elements.insert(elements.end(), view->strides.begin(), view->strides.end());
    }
    index = elements_.emplace(std::move(elements), num_elements_).first->second;
  }
  if (index == num_elements_) ++num_elements_;  // elements that no tensor before had
  entries_.emplace(stand_in.id(), Entry{index, view, false});
  return stand_in;
}

void TorchStorages::add_values(const Tensor& values) {
  entries_.emplace(values.id(), Entry{num_elements_++, {}, true});
}

StoragePlace TorchStorages::place_of(const Tensor& stand_in) const {
  const Entry& entry = entry_of(stand_in);
  if (!entry.view || !entry.view->strides.empty()) return {entry.elements, {}, {}};
  const Storage& storage = storages_[entry.view->storage];
  if (storage.place.is_packed()) return {entry.elements, {}, {}};
  return {entry.elements,
          storage.place.offset + static_cast<std::uint64_t>(entry.view->offset) * size_of(storage.dtype),
          {}};
}

bool TorchStorages::is_mapped(const Storage& storage) const {
  const std::size_t item_bytes = size_of(storage.dtype);
  return mapping_ != nullptr && storage.numel > 0 && !storage.place.is_packed() &&
         storage.place.offset % item_bytes == 0 && (!swapped_ || item_bytes == 1);
}

Tensor TorchStorages::make_array(const Storage& storage) const {
  const Shape shape{storage.numel};
  if (!is_mapped(storage)) return empty(shape, {.dtype = storage.dtype});
  return Tensor::from_external(mapping_->data() + storage.place.offset, {shape, storage.dtype},
                               [mapping = mapping_](void*) {});
}

void TorchStorages::fill(const std::map<std::size_t, Tensor>& arrays, bool verify) const {
  std::vector<DataBlock> blocks;
  for (const auto& [index, array] : arrays) {
    const Storage& storage = storages_[index];
    const auto memory = std::span(static_cast<std::byte*>(array.raw_data()), array.nbytes());
    if (storage.place.is_packed()) unpack(*source_, *storage.place.entry, memory);
    blocks.push_back({storage.place.offset, memory, is_mapped(storage) || storage.place.is_packed()});
  }
  const std::vector<std::uint32_t> checksums = read_blocks(*source_, blocks, verify);
  for (std::size_t i = 0; const auto& [index, array] : arrays) {
    const Storage& storage = storages_[index];
    if (verify && storage.place.entry != nullptr) check_crc(*storage.place.entry, checksums[i]);
    if (storage.dtype == DType::bool_ && !are_bools(blocks[i].memory)) {
      refuse_storage("at offset " + std::to_string(storage.place.offset) +
                     ": expected bool values of 0 or 1, got others");
    }
    if (swapped_) swap_bytes(blocks[i].memory, size_of(storage.dtype));
    ++i;
  }
}

std::vector<Tensor> TorchStorages::read(std::span<const Tensor> stand_ins) const {
  const NoGradGuard no_grad;
  std::map<std::size_t, Tensor> arrays, copies;
  for (const Tensor& stand_in : stand_ins) {
    const std::optional<TorchView>& view = entry_of(stand_in).view;
    if (view && !arrays.contains(view->storage)) arrays.emplace(view->storage, make_array(storages_[view->storage]));
  }
  fill(arrays, verify_);
  std::vector<Tensor> tensors;
  for (const Tensor& stand_in : stand_ins) {
    const auto& [elements, view, has_values] = entry_of(stand_in);
    const Shape& shape = stand_in.shape();
    if (has_values) {
      tensors.push_back(empty(shape, {.dtype = stand_in.dtype()}));
      if (stand_in.nbytes() > 0) std::memcpy(tensors.back().raw_data(), stand_in.raw_data(), stand_in.nbytes());
    } else if (!view) {
      tensors.push_back(empty(shape, {.dtype = stand_in.dtype()}));
    } else if (view->strides.empty()) {
      tensors.push_back(detail::alias(arrays.at(view->storage), shape, view->offset));
    } else {
      Tensor& copy = copies[elements];
      if (!copy.defined()) copy = strided(arrays.at(view->storage), shape, *view);
      tensors.push_back(detail::alias(copy, shape));
    }
  }
  return tensors;
}

bool TorchStorages::have_checksums() const {
  return std::all_of(storages_.begin(), storages_.end(), [](const Storage& storage) {
    return storage.place.entry != nullptr && storage.place.entry->has_crc;
  });
}

std::vector<Damage> TorchStorages::check() const {
  std::vector<std::set<std::size_t>> elements_of(storages_.size());
  for (const auto& [stand_in, entry] : entries_) {
    if (entry.view) elements_of[entry.view->storage].insert(entry.elements);
  }
  std::vector<Damage> damages;
  for (std::size_t i = 0; i < storages_.size(); ++i) {
    try {
      fill({{i, make_array(storages_[i])}}, true);
    } catch (const Error& error) {
      for (const std::size_t elements : elements_of[i]) damages.push_back({elements, error.what()});
    }
  }
  return damages;
}

}  // namespace teff::serialize

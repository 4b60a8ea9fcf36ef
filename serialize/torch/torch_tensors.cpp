// SPDX-License-Identifier: MIT

// Tensors and storages of PyTorch's pickles.

#include "teff/engine/error.h"
#include "teff/serialize/torch/pickle_text.h"
#include "teff/serialize/torch/torch_guard.h"

namespace teff::serialize {
namespace {

std::string with_shape(const std::vector<std::int64_t>& sizes) {
  std::string text;
  for (const std::int64_t size : sizes) text += (text.empty() ? "" : ", ") + std::to_string(size);
  return '[' + text + ']';
}

}  // namespace

std::optional<DType> dtype_named(std::string_view name) {
  for (int i = static_cast<int>(DType::float32); i <= static_cast<int>(DType::uint64); ++i) {
    const auto dtype = static_cast<DType>(i);
    if (name == "torch." + std::string(to_string(dtype))) return dtype;
  }
  return {};
}

/// Which elements of a storage a tensor has.
struct TorchValues::View {
  std::int64_t offset;
  std::vector<std::int64_t> sizes, strides;

  std::int64_t numel() const { return teff::numel(Shape(std::span<const std::int64_t>(sizes))); }

  bool is_contiguous() const {
    std::int64_t expected = 1;
    for (std::size_t i = sizes.size(); i-- > 0;) {
      if (sizes[i] != 1 && strides[i] != expected) return false;
      expected *= sizes[i];
    }
    return true;
  }

  /// Whether all elements are among the storage's. For a tensor that has elements.
  bool fits(std::int64_t storage_numel) const {
    std::int64_t last = offset;
    bool overflow = offset < 0;
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      std::int64_t step = 0;
      overflow |= strides[i] < 0 || __builtin_mul_overflow(sizes[i] - 1, strides[i], &step) ||
                  __builtin_add_overflow(last, step, &last);
    }
    return !overflow && last < storage_numel;
  }
};

/// _rebuild_tensor_v2(storage, offset, sizes, strides, ...); the third version has a dtype for storages of bytes.
Value TorchValues::tensor(Known function, std::span<const NodeId> arguments) {
  const bool third = function == Known::tensor_v3;
  if (arguments.size() < (third ? 7 : 4) || pickle_[arguments[0]].kind != NodeKind::persistent) {
    refuse("expected storage, offset, sizes and strides of a tensor, got something else");
  }
  const StorageId id = storage_id(pickle_, arguments[0]);
  View view{integer(arguments[1], "the offset of a tensor"), integers(arguments[2], "the sizes of a tensor"),
            integers(arguments[3], "the strides of a tensor")};
  std::optional<DType> dtype = id.dtype;
  std::string type = id.type;
  if (third) {
    if (pickle_[arguments[6]].kind != NodeKind::global) refuse("expected a dtype, got something else");
    type = pickle_.global(arguments[6]);
    dtype = dtype_named(type);
  }
  if (!dtype) return unsupported(escaped(type, kShownOfName));
  if (view.sizes.size() > kMaxRank) {
    return unsupported("of " + std::to_string(view.sizes.size()) + " dimensions, which may be 8 at most");
  }
  if (__builtin_add_overflow(view.offset, id.view_offset, &view.offset)) refuse("the offset of a tensor overflows");
  return make_tensor(id, *dtype, view);
}

/// _rebuild_from_type_v2(function, class, arguments, state): a tensor, of a class derived from Tensor.
Value TorchValues::tensor_of_type(NodeId id, std::span<const NodeId> arguments) {
  if (arguments.size() < 3 || pickle_[arguments[0]].kind != NodeKind::global) {
    refuse("expected a function, a class and arguments, got something else");
  }
  const std::string name = pickle_.global(arguments[0]);
  const Known function = known(arguments[0]);
  const bool is_tensor = function >= Known::tensor && function <= Known::other_tensor;
  if (!is_tensor || function == Known::tensor_of_type) {  // which could be deep in each other
    return options_.inert_objects ? inert(id)
                                  : unsupported_kind("a tensor that is made by " + escaped(name, kShownOfName));
  }
  return call(function, name, id, tuple(arguments[2], "a tuple of arguments"));
}

/// Of a legacy file the storage may be part of another.
Value TorchValues::storage(NodeId id) {
  if (const std::string name = class_of(pickle_, id); name != kNoClass) {
    if (!options_.inert_objects) return unsupported_kind("the class " + name);
    count(name.size());
    return name;
  }
  const StorageId storage = storage_id(pickle_, id);
  if (!storage.dtype && !storage.untyped()) return unsupported(escaped(storage.type, kShownOfName));
  const std::int64_t numel = storage.view_numel.value_or(storage.numel);
  return make_tensor(storage, storage.dtype.value_or(DType::uint8), {storage.view_offset, {numel}, {1}});
}

Tensor TorchValues::make_tensor(const StorageId& id, DType dtype, const View& view) {
  if (view.sizes.size() != view.strides.size()) refuse("expected as many strides as sizes, got others");
  const std::size_t storage = storages_.get(id, dtype);
  Tensor tensor;
  try {
    const std::int64_t numel = view.numel(), stored = storages_.numel(storage);
    if (numel > 0 && !view.fits(stored)) {
      refuse("expected a tensor within the " + std::to_string(stored) + " elements of its storage, got shape " +
             with_shape(view.sizes) + ", strides " + with_shape(view.strides) + ", offset " +
             std::to_string(view.offset));
    }
    const TensorType type{Shape(std::span<const std::int64_t>(view.sizes)), dtype};
    const bool is_contiguous = view.is_contiguous();
    if (numel > 0 && !is_contiguous) count_copy(id, view, type);
    std::optional<TorchView> elements;
    if (numel > 0) elements = {storage, view.offset, is_contiguous ? std::vector<std::int64_t>() : view.strides};
    tensor = storages_.add(type, elements);
  } catch (const ShapeError& error) {
    refuse(error.what());
  }
  listing_.add(listing_.shows_more() ? place.text() : "", tensor.type());
  return tensor;
}

/// Of what will be copied; tensors with the same elements share a copy.
void TorchValues::count_copy(const StorageId& id, const View& view, const TensorType& type) {
  const std::string name = std::to_string(view.offset) + with_shape(view.sizes) + with_shape(view.strides) + id.key;
  if (!copies_.insert(name).second) return;
  const std::uint64_t bytes = static_cast<std::uint64_t>(numel(type.shape)) * size_of(type.dtype);
  if (bytes > copied_left_) {
    refuse("expected expanded tensors of at most 8 times the file's size, got shape " + with_shape(view.sizes) +
           ", strides " + with_shape(view.strides));
  }
  copied_left_ -= bytes;
}

}  // namespace teff::serialize

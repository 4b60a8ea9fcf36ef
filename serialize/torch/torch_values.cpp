// SPDX-License-Identifier: MIT
#include "teff/serialize/torch/torch_values.h"

#include <algorithm>
#include <array>

#include "teff/engine/autograd.h"
#include "teff/engine/error.h"
#include "teff/serialize/io/limits.h"

namespace teff::serialize {
namespace {

constexpr std::size_t kShownBytes = 100;
constexpr int kMaxCalls = 2 * kMaxDepth;
// Of what a pickle may unfold to, and expanded tensors may take, beyond multiples of its length and the file's.
constexpr std::uint64_t kSlackBytes = 64 * 1024;

constexpr std::array<std::string_view, 14> kTorchNames = {"Size",
                                                          "device",
                                                          "Tensor",
                                                          "strided",
                                                          "sparse_coo",
                                                          "sparse_csr",
                                                          "contiguous_format",
                                                          "channels_last",
                                                          "preserve_format",
                                                          "per_tensor_affine",
                                                          "per_channel_affine",
                                                          "per_tensor_symmetric",
                                                          "per_channel_symmetric",
                                                          "per_channel_affine_float_qparams"};
constexpr std::array<std::string_view, 29> kDTypeNames = {
    "float32",   "float",      "float64",       "double",      "float16", "half",   "bfloat16", "int64",
    "long",      "int32",      "int",           "int16",       "short",   "int8",   "uint8",    "bool",
    "complex64", "complex128", "complex32",     "qint8",       "quint8",  "qint32", "quint4x2", "uint16",
    "uint32",    "uint64",     "float8_e4m3fn", "float8_e5m2", "cdouble"};

template <std::size_t n>
bool is_one_of(std::string_view name, const std::array<std::string_view, n>& names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::string with_shape(const std::vector<std::int64_t>& sizes) {
  std::string text;
  for (const std::int64_t size : sizes) text += (text.empty() ? "" : ", ") + std::to_string(size);
  return '[' + text + ']';
}

/// The dtype of "torch.float32", if Teff has it.
std::optional<DType> dtype_named(std::string_view name) {
  for (int i = static_cast<int>(DType::float32); i <= static_cast<int>(kLastDType); ++i) {
    const auto dtype = static_cast<DType>(i);
    if (name == "torch." + std::string(to_string(dtype))) return dtype;
  }
  return {};
}

}  // namespace

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

bool is_torch_global(std::string_view module, std::string_view name) {
  if (module == "torch" || module == "torch.storage") {
    return name.ends_with("Storage") || is_one_of(name, kTorchNames) || is_one_of(name, kDTypeNames);
  }
  if (module == "torch._utils") return name.starts_with("_rebuild_");
  if (module == "torch._tensor") return name == "_rebuild_from_type_v2";
  if (module == "torch.nn.parameter") return name == "Parameter";
  if (module == "collections") return name == "OrderedDict" || name == "Counter";
  if (module == "_codecs") return name == "encode";
  if (module == "__builtin__" || module == "builtins") {
    return name == "set" || name == "complex" || name == "bytearray";
  }
  return false;
}

TorchValues::TorchValues(const Pickle& pickle, TorchStorages& storages, std::uint64_t file_bytes)
    : pickle_(pickle),
      storages_(storages),
      unfolded_left_(12 * std::uint64_t{pickle.size()} + kSlackBytes),
      copied_left_(8 * file_bytes + kSlackBytes) {}

Dict TorchValues::dict() {
  const NoGradGuard no_grad;
  Value root = value(pickle_.root());
  listing_.check();
  if (root.is_dict()) return std::move(root.as_dict());
  // torch.save takes anything: a tensor, or a list of them.
  Dict dict;
  dict.insert("", std::move(root));
  return dict;
}

Value TorchValues::value(NodeId id) {
  // Objects in objects have no place of their own.
  if (depth_ == kMaxCalls) refuse("objects deeper than 128 in each other");
  ++depth_;
  Value result = value_of(id);
  --depth_;
  return result;
}

Value TorchValues::value_of(NodeId id) {
  const Node& node = pickle_[id];
  count(8);
  switch (node.kind) {
    case NodeKind::none:
      return {};
    case NodeKind::boolean:
      return node.a != 0;
    case NodeKind::integer:
      return pickle_.integer(id);
    case NodeKind::floating:
      return pickle_.floating(id);
    case NodeKind::text:
      count(node.c);
      return pickle_.text(id);
    case NodeKind::bytes: {
      count(node.c);
      const auto bytes = std::as_bytes(std::span(pickle_.text(id)));
      return Bytes(bytes.begin(), bytes.end());
    }
    case NodeKind::long_integer:
      refuse("expected an integer of at most 64 bits, got a longer one");
    case NodeKind::tuple:
    case NodeKind::list:
    case NodeKind::set:
      return list(id);
    case NodeKind::dict:
      return dict_of(id);
    case NodeKind::global:
      return pickle_.global(id);
    case NodeKind::object:
      return object(id);
    case NodeKind::persistent:
      return storage(id);
  }
  return {};
}

Value TorchValues::list(NodeId id) {
  const std::vector<NodeId> nodes = items(id);
  List list;
  list.reserve(nodes.size());
  for (std::size_t i = 0; const NodeId item : nodes) {
    const Within within(*this, i++);
    list.push_back(value(item));
  }
  return list;
}

Value TorchValues::dict_of(NodeId id) {
  const std::vector<NodeId> nodes = items(id);
  Dict dict;
  for (std::size_t i = 0; i < nodes.size(); i += 2) {
    const std::string name = key(nodes[i]);
    const Within within(*this, std::string_view(name));
    count(8 + name.size());
    // In Python the key 1 is not the key "1".
    if (dict.contains(name)) refuse("expected a key once, got it again");
    dict.insert(name, value(nodes[i + 1]));
  }
  return dict;
}

std::string TorchValues::key(NodeId id) const {
  const NodeKind kind = pickle_[id].kind;
  if (kind == NodeKind::integer) return std::to_string(pickle_.integer(id));
  if (kind != NodeKind::text) refuse("expected keys of text or whole numbers, got another kind");
  return std::string(pickle_.text(id));
}

Value TorchValues::object(NodeId id) {
  const Node& node = pickle_[id];
  if (pickle_[node.a].kind != NodeKind::global) return inert(node);
  const std::string name = pickle_.global(node.a);
  const std::size_t dot = name.rfind('.');
  if (!is_torch_global(name.substr(0, dot), name.substr(dot + 1))) return inert(node);
  return call(name, items(node.b));
}

/// The attributes of an object whose class nobody knows. Parameters, buffers and children of a module count as such, as
/// they do in Python.
Value TorchValues::inert(const Node& node) {
  if (node.c == kNoNode) return Dict();
  const Within within(*this, std::string_view("__state__"));
  Value state = value(node.c);
  Dict attributes;
  if (!state.is_dict()) {
    attributes.insert("__state__", std::move(state));
    return attributes;
  }
  for (auto& [name, attribute] : state.as_dict()) {
    const bool members = name == "_parameters" || name == "_buffers" || name == "_modules";
    if (!members || !attribute.is_dict()) {
      attributes[name] = std::move(attribute);
    } else {
      for (auto& [member, content] : attribute.as_dict()) attributes[member] = std::move(content);
    }
  }
  return attributes;
}

Value TorchValues::call(const std::string& function, std::span<const NodeId> arguments) {
  if (function.starts_with("torch._utils._rebuild_parameter") && arguments.size() >= 2) return value(arguments[0]);
  if (function == "torch.nn.parameter.Parameter" && !arguments.empty()) return value(arguments[0]);
  if (function.starts_with("torch._utils._rebuild_")) return tensor(function, arguments);
  if (function == "torch._tensor._rebuild_from_type_v2") return tensor_of_type(arguments);
  if (function == "torch.Size" && arguments.size() == 1) return list(arguments[0]);
  if (function == "torch.device") return device(arguments);
  if (function == "_codecs.encode") return encoded(arguments);
  if (function.ends_with(".set") && arguments.size() <= 1) return arguments.empty() ? List() : value(arguments[0]);
  refuse("expected no " + escaped(function, kShownBytes) + " with " + std::to_string(arguments.size()) + " arguments");
}

/// _rebuild_tensor_v2(storage, offset, sizes, strides, ...); the third version has a dtype for storages of bytes.
Value TorchValues::tensor(const std::string& function, std::span<const NodeId> arguments) {
  const std::string version = function.substr(std::string_view("torch._utils._rebuild_").size());
  const bool third = version == "tensor_v3";
  if (version != "tensor" && version != "tensor_v2" && !third) {
    return unsupported(version == "qtensor" ? "quantised" : escaped(version, kShownBytes));
  }
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
  if (!dtype) return unsupported(escaped(type, kShownBytes));
  if (__builtin_add_overflow(view.offset, id.view_offset, &view.offset)) refuse("the offset of a tensor overflows");
  return make_tensor(id, *dtype, view);
}

/// _rebuild_from_type_v2(function, type, arguments, state)
Value TorchValues::tensor_of_type(std::span<const NodeId> arguments) {
  if (arguments.size() < 3 || pickle_[arguments[0]].kind != NodeKind::global) {
    refuse("expected a function, a type and arguments, got something else");
  }
  const std::string function = pickle_.global(arguments[0]);
  if (!function.starts_with("torch._utils._rebuild_"))
    refuse("expected a tensor, got " + escaped(function, kShownBytes));
  return call(function, tuple(arguments[2], "a tuple of arguments"));
}

Value TorchValues::storage(NodeId id) {
  if (const NodeId what = pickle_[id].a; pickle_[what].kind == NodeKind::tuple) {
    // ('module', class, file, source): the class of a whole model in old files.
    const std::vector<NodeId> fields = items(what);
    if (fields.size() >= 2 && pickle_[fields[0]].kind == NodeKind::text && pickle_.text(fields[0]) == "module") {
      return value(fields[1]);
    }
  }
  const StorageId storage = storage_id(pickle_, id);
  if (!storage.dtype && !storage.untyped()) return unsupported(escaped(storage.type, kShownBytes));
  return make_tensor(storage, storage.dtype.value_or(DType::uint8), {0, {storage.numel}, {1}});
}

/// bytes, as protocol 2 writes them: _codecs.encode(text, 'latin1')
Value TorchValues::encoded(std::span<const NodeId> arguments) {
  if (arguments.size() != 2 || pickle_[arguments[0]].kind != NodeKind::text ||
      pickle_[arguments[1]].kind != NodeKind::text || pickle_.text(arguments[1]) != "latin1") {
    refuse("expected text and 'latin1', got something else");
  }
  const std::string_view text = pickle_.text(arguments[0]);
  count(text.size());
  Bytes bytes;
  for (std::size_t i = 0; i < text.size(); ++i) {
    auto byte = static_cast<unsigned char>(text[i]);
    if (byte >= 0xc4) refuse("expected characters below 256, got another");
    if (byte >= 0xc2) byte = static_cast<unsigned char>(byte << 6 | (static_cast<unsigned char>(text[++i]) & 0x3f));
    bytes.push_back(std::byte{byte});
  }
  return bytes;
}

Value TorchValues::device(std::span<const NodeId> arguments) const {
  if (arguments.empty() || arguments.size() > 2 || pickle_[arguments[0]].kind != NodeKind::text) {
    refuse("expected the name of a device, got something else");
  }
  std::string name(pickle_.text(arguments[0]));
  if (arguments.size() == 2) name += ':' + std::to_string(integer(arguments[1], "the index of a device"));
  return name;
}

Tensor TorchValues::make_tensor(const StorageId& id, DType dtype, const View& view) {
  if (view.sizes.size() != view.strides.size()) refuse("expected as many strides as sizes, got others");
  if (view.sizes.size() > kMaxRank) refuse("expected at most 8 dimensions, got " + std::to_string(view.sizes.size()));
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
  listing_.add(place.text(), tensor.type());
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

Value TorchValues::unsupported(const std::string& what) {
  listing_.add_unsupported(place.text(), what);
  return {};
}

/// What is referred to again and again counts each time.
void TorchValues::count(std::size_t bytes) {
  if (bytes > unfolded_left_) refuse("the pickle unfolds to much more than its own size");
  unfolded_left_ -= bytes;
}

std::vector<NodeId> TorchValues::items(NodeId id) {
  count(4 * std::size_t{pickle_[id].a});
  return pickle_.items(id);
}

std::vector<NodeId> TorchValues::tuple(NodeId id, const char* what) {
  if (pickle_[id].kind != NodeKind::tuple) refuse("expected " + std::string(what) + ", got something else");
  return items(id);
}

std::int64_t TorchValues::integer(NodeId id, const char* what) const {
  if (pickle_[id].kind != NodeKind::integer) refuse("expected " + std::string(what) + ", got something else");
  return pickle_.integer(id);
}

std::vector<std::int64_t> TorchValues::integers(NodeId id, const char* what) {
  if (pickle_[id].kind == NodeKind::object) {  // torch.Size
    const std::vector<NodeId> arguments = items(pickle_[id].b);
    if (arguments.size() != 1) refuse("expected " + std::string(what) + ", got something else");
    id = arguments[0];
  }
  std::vector<std::int64_t> values;
  for (const NodeId node : tuple(id, what)) values.push_back(integer(node, what));
  return values;
}

void TorchValues::refuse(const std::string& what) const {
  throw FormatError(place.depth() == 0 ? what : "entry \"" + place.text() + "\": " + what);
}

}  // namespace teff::serialize

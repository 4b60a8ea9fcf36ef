// SPDX-License-Identifier: MIT

// numpy's scalars and arrays, whose elements the pickle itself has.

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "teff/engine/error.h"
#include "teff/engine/ops.h"
#include "teff/serialize/io/utf8.h"
#include "teff/serialize/torch/torch_guard.h"

namespace teff::serialize {

/// numpy's type of elements: 'f' and 4 for float32. Of the kinds Teff knows b, i, u, f, and of scalars S, U.
struct TorchValues::NumpyType {
  char kind = 0;
  std::size_t bytes = 0;
  bool swapped = false;
  std::string name;  // as numpy writes it: "f4"
};

namespace {

constexpr std::size_t kTensorBytes = 200;  // beside its elements

struct NumpyDType {
  char kind;
  std::size_t bytes;
  DType dtype;
};

/// As PyTorch had no unsigned types but uint8, these become wider ones.
constexpr auto kNumpyDTypes = std::to_array<NumpyDType>({
    {'b', 1, DType::bool_},
    {'i', 1, DType::int8},
    {'i', 2, DType::int16},
    {'i', 4, DType::int32},
    {'i', 8, DType::int64},
    {'u', 1, DType::uint8},
    {'u', 2, DType::int32},
    {'u', 4, DType::int64},
    {'f', 2, DType::float16},
    {'f', 4, DType::float32},
    {'f', 8, DType::float64},
});

/// Elements as the dtype has them: in this machine's order of bytes, unsigned ones as wide as the type they become.
void copy_elements(const Bytes& from, std::size_t item_bytes, bool swapped, std::span<std::byte> to) {
  const std::size_t count = from.size() / item_bytes, wide = count == 0 ? 0 : to.size() / count;
  for (std::size_t i = 0; i < count; ++i) {
    std::byte* const target = to.data() + i * wide;
    std::memcpy(target, from.data() + i * item_bytes, item_bytes);
    std::memset(target + item_bytes, 0, wide - item_bytes);
    if (swapped) std::reverse(target, target + item_bytes);
  }
}

std::uint64_t word_of(const Bytes& bytes, bool swapped) {
  std::uint64_t word = 0;
  Bytes ordered = bytes;
  if (swapped) std::reverse(ordered.begin(), ordered.end());
  std::memcpy(&word, ordered.data(), std::min(ordered.size(), sizeof word));
  return word;
}

/// numpy's text has four bytes a character, and zeros behind the last.
std::string text_of(const Bytes& bytes, bool swapped) {
  std::string text;
  std::size_t zeros = 0;
  for (std::size_t i = 0; i + 4 <= bytes.size(); i += 4) {
    const auto character = static_cast<std::uint32_t>(word_of(
        Bytes(bytes.begin() + static_cast<std::ptrdiff_t>(i), bytes.begin() + static_cast<std::ptrdiff_t>(i + 4)),
        swapped));
    zeros = character == 0 ? zeros + 1 : 0;
    const bool valid = character < 0xd800 || (character > 0xdfff && character < 0x110000);
    append_utf8(text, valid ? character : 0xfffd);
  }
  text.resize(text.size() - zeros);
  return text;
}

double half_of(std::uint64_t word) {
  Half half;
  half.bits = static_cast<std::uint16_t>(word);
  return static_cast<double>(static_cast<float>(half));
}

IntList reversed_dims(std::size_t rank) {
  std::vector<std::int64_t> dims;
  while (rank-- > 0) dims.push_back(static_cast<std::int64_t>(rank));
  return IntList(std::span<const std::int64_t>(dims));
}

}  // namespace

/// numpy.dtype('f4', ...) with the state (3, '<', ...). None if the node is no dtype.
std::optional<TorchValues::NumpyType> TorchValues::numpy_type(NodeId id) {
  const Node& node = pickle_[id];
  if (node.kind != NodeKind::object || pickle_[node.a].kind != NodeKind::global) return {};
  if (known(node.a) != Known::numpy_dtype || pickle_[node.b].a == 0) return {};
  const NodeId code = pickle_.items(node.b, 1)[0];
  if (pickle_[code].kind != NodeKind::text) return {};
  std::string_view name = pickle_.text(code).substr(0, kShownOfName);
  NumpyType type;
  type.name = name;
  if (const NodeId state = pickle_.object(id).state; state != kNoNode && pickle_[state].kind == NodeKind::tuple) {
    const std::vector<NodeId> fields = pickle_.items(state, 2);
    type.swapped = fields.size() == 2 && pickle_[fields[1]].kind == NodeKind::text && pickle_.text(fields[1]) == ">";
  }
  if (!name.empty() && std::string_view("<>=|").find(name[0]) != name.npos) {
    type.swapped = name[0] == '>';
    name.remove_prefix(1);
  }
  if (name.empty()) return {};
  type.kind = name[0];
  const std::string digits(name.substr(1));
  const bool is_number = !digits.empty() && digits.size() < 10 &&
                         std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; });
  type.bytes = is_number ? std::stoul(digits) * (type.kind == 'U' ? 4 : 1) : 0;
  return type;
}

Value TorchValues::numpy_type_name(NodeId id) {
  const std::optional<NumpyType> type = numpy_type(id);
  if (!type) return unsupported_kind("a dtype of numpy that is none of its own");
  return "numpy." + type->name;
}

/// scalar(dtype, bytes): a number, a bool, text or bytes.
Value TorchValues::numpy_scalar(std::span<const NodeId> arguments) {
  const std::optional<NumpyType> type = arguments.size() == 2 ? numpy_type(arguments[0]) : std::nullopt;
  if (!type) refuse("expected a dtype of numpy and a value, got something else");
  const auto refused = [&] {
    return unsupported_kind("a number of numpy's type " + escaped(type->name, kShownOfName));
  };
  if (std::string_view("biufSU").find(type->kind) == std::string_view::npos) return refused();
  const Bytes bytes = bytes_at(arguments[1]);
  if (bytes.size() != type->bytes) {
    refuse("expected " + std::to_string(type->bytes) + " bytes of numpy's type " + escaped(type->name, kShownOfName) +
           ", got " + std::to_string(bytes.size()));
  }
  const auto is = [&](char kind, std::size_t size) { return type->kind == kind && type->bytes == size; };
  const std::uint64_t word = word_of(bytes, type->swapped);
  if (is('b', 1)) return word != 0;
  if (type->kind == 'S') return bytes;
  if (type->kind == 'U') return text_of(bytes, type->swapped);
  if (is('f', 8)) return std::bit_cast<double>(word);
  if (is('f', 4)) return static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(word)));
  if (is('f', 2)) return half_of(word);
  if (is('u', 8) && word >> 63 != 0) return std::to_string(word);
  const bool is_whole = type->kind == 'i' || type->kind == 'u';
  if (!is_whole || (type->bytes != 1 && type->bytes != 2 && type->bytes != 4 && type->bytes != 8)) return refused();
  const auto unused = static_cast<int>(64 - 8 * type->bytes);
  const auto high = static_cast<std::int64_t>(word << unused);
  return type->kind == 'i' ? high >> unused : static_cast<std::int64_t>(word);
}

/// _reconstruct(class, ...) with the state (version, sizes, dtype, whether in Fortran's order, bytes).
Value TorchValues::numpy_array(NodeId id) {
  const NodeId state = pickle_.object(id).state;
  if (state == kNoNode || pickle_[state].kind != NodeKind::tuple || pickle_[state].a < 4) {
    refuse("expected sizes, dtype and elements of an array of numpy, got something else");
  }
  std::vector<NodeId> fields = items(state);
  if (fields.size() > 4) fields.erase(fields.begin());  // the version
  const std::optional<NumpyType> type = numpy_type(fields[1]);
  if (!type || pickle_[fields[2]].kind != NodeKind::boolean) {
    refuse("expected sizes, dtype and elements of an array of numpy, got something else");
  }
  const std::vector<std::int64_t> sizes = integers(fields[0], "the sizes of an array");
  const bool has_objects = pickle_[fields[3]].kind == NodeKind::list;
  return make_array(*type, sizes, pickle_[fields[2]].a != 0, has_objects ? Bytes() : bytes_at(fields[3]));
}

/// _frombuffer(bytes, dtype, sizes, order), which protocol 5 has
Value TorchValues::numpy_from_buffer(std::span<const NodeId> arguments) {
  const std::optional<NumpyType> type = arguments.size() == 4 ? numpy_type(arguments[1]) : std::nullopt;
  if (!type || pickle_[arguments[3]].kind != NodeKind::text) {
    refuse("expected bytes, dtype, sizes and order of an array of numpy, got something else");
  }
  return make_array(*type, integers(arguments[2], "the sizes of an array"), pickle_.text(arguments[3]) == "F",
                    bytes_at(arguments[0]));
}

Value TorchValues::make_array(const NumpyType& type, std::span<const std::int64_t> sizes, bool fortran,
                              const Bytes& bytes) {
  const auto found = std::find_if(kNumpyDTypes.begin(), kNumpyDTypes.end(),
                                  [&](const NumpyDType& t) { return t.kind == type.kind && t.bytes == type.bytes; });
  const std::optional<DType> large = type.kind == 'u' && type.bytes == 8 ? dtype_named("torch.uint64") : std::nullopt;
  if (!large && found == kNumpyDTypes.end()) {
    return unsupported("an array of numpy's type " + escaped(type.name, kShownOfName));
  }
  const DType dtype = large ? *large : found->dtype;
  if (sizes.size() > kMaxRank) {
    return unsupported("of " + std::to_string(sizes.size()) + " dimensions, which may be 8 at most");
  }
  const Shape shape(sizes);
  std::int64_t elements = 0;
  try {
    elements = numel(shape);
  } catch (const ShapeError& error) {
    refuse(error.what());
  }
  if (bytes.size() / type.bytes != static_cast<std::uint64_t>(elements) || bytes.size() % type.bytes != 0) {
    refuse("expected " + std::to_string(elements) + " elements of " + std::to_string(type.bytes) +
           " bytes of an array, got " + std::to_string(bytes.size()) + " bytes");
  }
  count(kTensorBytes + bytes.size());
  const std::vector<std::int64_t> reversed(sizes.rbegin(), sizes.rend());
  // In Fortran's order the first dimension is the fastest, as the last one is here.
  Tensor values = empty(fortran ? Shape(std::span<const std::int64_t>(reversed)) : shape, {.dtype = dtype});
  const auto memory = std::span(static_cast<std::byte*>(values.raw_data()), values.nbytes());
  copy_elements(bytes, type.bytes, type.swapped, memory);
  if (dtype == DType::bool_ && !are_bools(memory)) refuse("expected bool values of 0 or 1, got others");
  if (fortran) values = permute(values, reversed_dims(sizes.size()));
  storages_.add_values(values);
  listing_.add(listing_.shows_more() ? place.text() : "", values.type());
  return values;
}

}  // namespace teff::serialize

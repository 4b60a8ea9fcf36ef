// SPDX-License-Identifier: MIT
#pragma once

// Tensors, values and dictionaries in cereal archives of your own, of any type: binary, portable binary,
// JSON, XML. Not included by <teff/teff.h>, as it includes cereal, which your program then must have.
//
//   std::ofstream stream("sample.json");
//   cereal::JSONOutputArchive archive(stream);
//   archive(cereal::make_nvp("image", image), cereal::make_nvp("options", dict));
//
// Elements are written as raw bytes, in text archives as base64. Gradients, and whether one is required, are
// not written; an nn::Parameter that is read requires one as all do. Text archives keep every number exactly
// but the payload of a NaN, and text as far as they can (XML has no control characters).
//
// Reading throws cereal::Exception where the archive ends or lacks a field, and FormatError where the content
// is wrong. Nothing in the archive can ask for more than twice the memory that its data take, apart from what
// cereal's own archives do with text. Models and state dicts are better kept in files of their own: see
// save_load.h.

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <concepts>
#include <span>
#include <string>
#include <string_view>

#include <cereal/cereal.hpp>
#include <cereal/external/base64.hpp>
#include <cereal/types/string.hpp>

#include "teff/engine/dict.h"
#include "teff/engine/error.h"
#include "teff/engine/tensor.h"

namespace TEFF_EXPORT teff {
namespace cereal_detail {

static_assert(std::endian::native == std::endian::little, "elements are written as they lie in memory");

inline constexpr std::size_t kMaxDepth = 64;

template <class Archive>
inline constexpr bool kIsText = cereal::traits::is_text_archive<Archive>::value;

[[noreturn]] inline void refuse(const std::string& expected, const std::string& actual) {
  throw FormatError("cereal: expected " + expected + ", got " + actual);
}

template <class T, class Archive>
T get(Archive& archive, const char* name) {
  T value{};
  archive(cereal::make_nvp(name, value));
  return value;
}

template <class Archive>
cereal::size_type get_size(Archive& archive) {
  cereal::size_type size = 0;
  archive(cereal::make_size_tag(size));
  return size;
}

template <class Archive>
void put_size(Archive& archive, cereal::size_type size) {
  archive(cereal::make_size_tag(size));
}

/// Raw bytes whose number the archive tells elsewhere.
template <class Archive>
void put_bytes(Archive& archive, const void* data, std::size_t size) {
  if constexpr (kIsText<Archive>) {
    archive(cereal::make_nvp("data", cereal::base64::encode(static_cast<const unsigned char*>(data), size)));
  } else {
    archive(cereal::binary_data(static_cast<const char*>(data), size));
  }
}

/// Takes memory as the bytes come, so that a wrong size cannot ask for much more than there is.
template <class Archive>
std::string get_bytes(Archive& archive, std::uint64_t size) {
  if constexpr (kIsText<Archive>) {
    std::string bytes = cereal::base64::decode(get<std::string>(archive, "data"));
    if (bytes.size() != size) refuse(std::to_string(size) + " bytes of data", std::to_string(bytes.size()));
    return bytes;
  } else {
    constexpr std::uint64_t kFirstStep = 1 << 20;
    std::string bytes;
    while (bytes.size() < size) {
      const std::size_t begin = bytes.size();
      bytes.resize(static_cast<std::size_t>(std::min(size, std::max<std::uint64_t>(2 * begin, kFirstStep))));
      archive(cereal::binary_data(bytes.data() + begin, bytes.size() - begin));
    }
    return bytes;
  }
}

template <class Archive>
void put_text(Archive& archive, const char* field, const std::string& text) {
  if constexpr (kIsText<Archive>) {
    archive(cereal::make_nvp(field, text));
  } else {
    put_size(archive, text.size());
    put_bytes(archive, text.data(), text.size());
  }
}
template <class Archive>
std::string get_text(Archive& archive, const char* field) {
  if constexpr (kIsText<Archive>) {
    return get<std::string>(archive, field);
  } else {
    return get_bytes(archive, get_size(archive));
  }
}

/// A byte first: an archive may hold what is no bool.
template <class Archive>
bool get_bool(Archive& archive) {
  if constexpr (kIsText<Archive>) {
    return get<bool>(archive, "value");
  } else {
    const auto byte = get<std::uint8_t>(archive, "value");
    if (byte > 1) refuse("0 or 1", std::to_string(byte));
    return byte == 1;
  }
}

/// Text archives get the shortest text that gives the same number again.
template <class Archive>
void put_double(Archive& archive, double value) {
  if constexpr (kIsText<Archive>) {
    std::array<char, 32> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
    archive(cereal::make_nvp("value", std::string(digits.data(), end)));
  } else {
    archive(value);
  }
}
template <class Archive>
double get_double(Archive& archive) {
  if constexpr (kIsText<Archive>) {
    const auto digits = get<std::string>(archive, "value");
    double value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc() || end != digits.data() + digits.size()) refuse("a number", '"' + digits + '"');
    return value;
  } else {
    return get<double>(archive, "value");
  }
}

/// A dtype or a kind: its text in text archives, else its number.
template <class Archive>
void put_name(Archive& archive, const char* field, std::uint8_t number, std::string_view text) {
  if constexpr (kIsText<Archive>) {
    archive(cereal::make_nvp(field, std::string(text)));
  } else {
    archive(number);
  }
}

/// The first number up to `last` that is, or whose `name_of` is, what the archive holds.
template <class Archive, class NameOf>
std::uint8_t get_name(Archive& archive, const char* field, std::uint8_t last, NameOf&& name_of) {
  if constexpr (kIsText<Archive>) {
    const auto text = get<std::string>(archive, field);
    for (std::uint8_t number = 0; number <= last; ++number) {
      if (text == name_of(number)) return number;
    }
    refuse(std::string("a known ") + field, '"' + text + '"');
  } else {
    const auto number = get<std::uint8_t>(archive, field);
    if (number > last) refuse(std::string("a known ") + field, std::to_string(number));
    return number;
  }
}

inline std::string_view dtype_name(std::uint8_t number) {
  return number == 0 ? "undefined" : to_string(static_cast<DType>(number));
}

inline std::string_view kind_name(std::uint8_t number) { return to_string(static_cast<Value::Kind>(number)); }

/// A shape, a list, a dictionary, or an element of these, as cereal sees it: with its own node, and how deep
/// it lies.
template <class T>
struct Field {
  T& of;
  std::size_t depth;
};

template <class Archive>
void put_value(Archive& archive, const Value& value, std::size_t depth);
template <class Archive>
Value get_value(Archive& archive, std::size_t depth);

template <class Archive>
void save(Archive& archive, const Field<const Shape>& shape) {
  put_size(archive, shape.of.size());
  for (const std::int64_t size : shape.of) archive(size);
}
template <class Archive>
void load(Archive& archive, Field<Shape>& shape) {
  const cereal::size_type rank = get_size(archive);
  if (rank > kMaxRank) refuse("at most 8 dimensions", std::to_string(rank));
  for (cereal::size_type i = 0; i < rank; ++i) {
    std::int64_t size = 0;
    archive(size);
    shape.of.push_back(size);
  }
}

template <class Archive>
void save(Archive& archive, const Field<const Value>& element) {
  put_value(archive, element.of, element.depth);
}
template <class Archive>
void load(Archive& archive, Field<Value>& element) {
  element.of = get_value(archive, element.depth);
}

template <class Archive>
void save(Archive& archive, const Field<const List>& list) {
  put_size(archive, list.of.size());
  for (const Value& value : list.of) archive(Field<const Value>{value, list.depth});
}
template <class Archive>
void load(Archive& archive, Field<List>& list) {
  const cereal::size_type size = get_size(archive);
  for (cereal::size_type i = 0; i < size; ++i) archive(Field<Value>{list.of.emplace_back(), list.depth});
}

template <class Archive>
void save(Archive& archive, const Field<const DictItem>& item) {
  put_text(archive, "key", item.of.key);
  put_value(archive, item.of.value, item.depth);
}
/// What a DictItem is made of, whose key does not change.
struct ReadItem {
  std::string key;
  Value value;
};
template <class Archive>
void load(Archive& archive, Field<ReadItem>& item) {
  item.of.key = get_text(archive, "key");
  item.of.value = get_value(archive, item.depth);
}

template <class Archive>
void save(Archive& archive, const Field<const Dict>& dict) {
  put_size(archive, dict.of.size());
  for (const DictItem& item : dict.of) archive(Field<const DictItem>{item, dict.depth});
}
template <class Archive>
void load(Archive& archive, Field<Dict>& dict) {
  const cereal::size_type size = get_size(archive);
  for (cereal::size_type i = 0; i < size; ++i) {
    ReadItem item;
    archive(Field<ReadItem>{item, dict.depth});
    if (dict.of.contains(item.key)) refuse("a key to occur once", "it again");
    dict.of.insert(std::move(item.key), std::move(item.value));
  }
}

template <class Archive>
void put_tensor(Archive& archive, const Tensor& tensor) {
  const auto number = tensor.defined() ? static_cast<std::uint8_t>(tensor.dtype()) : std::uint8_t{0};
  put_name(archive, "dtype", number, dtype_name(number));
  if (!tensor.defined()) return;
  archive(cereal::make_nvp("shape", Field<const Shape>{tensor.shape(), 0}));
  put_bytes(archive, tensor.raw_data(), tensor.nbytes());
}
template <class Archive>
Tensor get_tensor(Archive& archive) {
  const std::uint8_t number = get_name(archive, "dtype", static_cast<std::uint8_t>(kLastDType), dtype_name);
  if (number == 0) return {};
  const auto dtype = static_cast<DType>(number);
  Shape shape;
  archive(cereal::make_nvp("shape", Field<Shape>{shape, 0}));
  const std::string bytes = get_bytes(archive, static_cast<std::uint64_t>(numel(shape)) * size_of(dtype));
  if (dtype == DType::bool_ && std::any_of(bytes.begin(), bytes.end(), [](char byte) { return (byte & ~1) != 0; })) {
    refuse("bool values of 0 or 1", "others");
  }
  const Tensor tensor = empty(shape, {.dtype = dtype});
  std::copy(bytes.begin(), bytes.end(), static_cast<char*>(tensor.raw_data()));
  return tensor;
}

template <class Archive>
void put_value(Archive& archive, const Value& value, std::size_t depth) {
  if (depth > kMaxDepth) refuse("dictionaries and lists at most 64 deep in each other", "more");
  put_name(archive, "kind", static_cast<std::uint8_t>(value.kind()), to_string(value.kind()));
  switch (value.kind()) {
    case Value::Kind::none:
      break;
    case Value::Kind::boolean:
      archive(cereal::make_nvp("value", value.as_bool()));
      break;
    case Value::Kind::integer:
      archive(cereal::make_nvp("value", value.as_int()));
      break;
    case Value::Kind::floating:
      put_double(archive, value.as_float());
      break;
    case Value::Kind::text:
      put_text(archive, "value", value.as_text());
      break;
    case Value::Kind::bytes:
      archive(cereal::make_nvp("size", std::uint64_t{value.as_bytes().size()}));
      put_bytes(archive, value.as_bytes().data(), value.as_bytes().size());
      break;
    case Value::Kind::tensor:
      archive(cereal::make_nvp("value", value.as_tensor()));
      break;
    case Value::Kind::list:
      archive(cereal::make_nvp("value", Field<const List>{value.as_list(), depth + 1}));
      break;
    case Value::Kind::dict:
      archive(cereal::make_nvp("value", Field<const Dict>{value.as_dict(), depth + 1}));
      break;
  }
}

template <class T, class Archive>
T get_field(Archive& archive, std::size_t depth) {
  T value;
  archive(cereal::make_nvp("value", Field<T>{value, depth + 1}));
  return value;
}

template <class Archive>
Value get_value(Archive& archive, std::size_t depth) {
  if (depth > kMaxDepth) refuse("dictionaries and lists at most 64 deep in each other", "more");
  constexpr auto kLast = static_cast<std::uint8_t>(Value::Kind::dict);
  switch (static_cast<Value::Kind>(get_name(archive, "kind", kLast, kind_name))) {
    case Value::Kind::none:
      return {};
    case Value::Kind::boolean:
      return get_bool(archive);
    case Value::Kind::integer:
      return get<std::int64_t>(archive, "value");
    case Value::Kind::floating:
      return get_double(archive);
    case Value::Kind::text:
      return get_text(archive, "value");
    case Value::Kind::bytes: {
      const std::string bytes = get_bytes(archive, get<std::uint64_t>(archive, "size"));
      const auto span = std::as_bytes(std::span(bytes));
      return Bytes(span.begin(), span.end());
    }
    case Value::Kind::tensor:
      return get<Tensor>(archive, "value");
    case Value::Kind::list:
      return get_field<List>(archive, depth);
    case Value::Kind::dict:
      return get_field<Dict>(archive, depth);
  }
  return {};
}

}  // namespace cereal_detail

template <class Archive, std::derived_from<Tensor> T>
void save(Archive& archive, const T& tensor) {
  cereal_detail::put_tensor(archive, tensor);
}
template <class Archive, std::derived_from<Tensor> T>
void load(Archive& archive, T& tensor) {
  tensor = T(cereal_detail::get_tensor(archive));
}

template <class Archive, std::same_as<Value> T>
void save(Archive& archive, const T& value) {
  cereal_detail::put_value(archive, value, 0);
}
template <class Archive, std::same_as<Value> T>
void load(Archive& archive, T& value) {
  value = cereal_detail::get_value(archive, 0);
}

template <class Archive, std::same_as<Dict> T>
void save(Archive& archive, const T& dict) {
  archive(cereal::make_nvp("items", cereal_detail::Field<const Dict>{dict, 0}));
}
template <class Archive, std::same_as<Dict> T>
void load(Archive& archive, T& dict) {
  dict.clear();
  archive(cereal::make_nvp("items", cereal_detail::Field<Dict>{dict, 0}));
}

}  // namespace teff

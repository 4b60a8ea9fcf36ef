// SPDX-License-Identifier: MIT
#include "teff/serialize/teff/dict_codec.h"

#include "teff/engine/error.h"

namespace teff::serialize {
namespace {

using Kind = Value::Kind;

// The kinds' numbers in files.
static_assert(static_cast<int>(Kind::none) == 0 && static_cast<int>(Kind::boolean) == 1 &&
              static_cast<int>(Kind::integer) == 2 && static_cast<int>(Kind::floating) == 3 &&
              static_cast<int>(Kind::text) == 4 && static_cast<int>(Kind::bytes) == 5 &&
              static_cast<int>(Kind::tensor) == 6 && static_cast<int>(Kind::list) == 7 &&
              static_cast<int>(Kind::dict) == 8);

template <class T>
T read(HeaderReader& archive) {
  T value{};
  archive(value);
  return value;
}

Bytes to_bytes(std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

std::string_view as_text(const Bytes& bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

void save_list(HeaderWriter& archive, const List& list) {
  archive.count(list.size());
  for (std::size_t i = 0; i < list.size(); ++i) {
    const Within within(archive, i);
    archive(list[i]);
  }
}

List load_list(HeaderReader& archive) {
  const std::size_t count = archive.count(8);
  List list;
  list.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    const Within within(archive, i);
    archive(list.emplace_back());
  }
  return list;
}

}  // namespace

void save(HeaderWriter& archive, const Value& value) {
  Kind kind = value.kind();
  archive(OneOf<Kind>{kind, Kind::none, Kind::dict});
  switch (kind) {
    case Kind::none:
      break;
    case Kind::boolean:
      archive(value.as_bool());
      break;
    case Kind::integer:
      archive(value.as_int());
      break;
    case Kind::floating:
      archive(value.as_float());
      break;
    case Kind::text:
      archive.text(value.as_text());
      break;
    case Kind::bytes:
      archive.text(as_text(value.as_bytes()));
      break;
    case Kind::tensor:
      archive(value.as_tensor());
      break;
    case Kind::list:
      save_list(archive, value.as_list());
      break;
    case Kind::dict:
      archive(value.as_dict());
      break;
  }
}

void load(HeaderReader& archive, Value& value) {
  Kind kind{};
  archive(OneOf<Kind>{kind, Kind::none, Kind::dict});
  switch (kind) {
    case Kind::none:
      value = Value();
      break;
    case Kind::boolean:
      value = read<bool>(archive);
      break;
    case Kind::integer:
      value = read<std::int64_t>(archive);
      break;
    case Kind::floating:
      value = read<double>(archive);
      break;
    case Kind::text:
      value = Value(archive.text());
      break;
    case Kind::bytes:
      value = Value(to_bytes(archive.text()));
      break;
    case Kind::tensor:
      value = read<Tensor>(archive);
      break;
    case Kind::list:
      value = load_list(archive);
      break;
    case Kind::dict:
      value = read<Dict>(archive);
      break;
  }
}

void save(HeaderWriter& archive, const Dict& dict) {
  archive.count(dict.size());
  for (const auto& [key, value] : dict) {
    const Within within(archive, std::string_view(key));
    archive(key, value);
  }
}

void load(HeaderReader& archive, Dict& dict) {
  const std::size_t count = archive.count(16);
  for (std::size_t i = 0; i < count; ++i) {
    const std::string_view key = archive.name();
    const Within within(archive, key);
    if (dict.contains(key)) archive.refuse("expected a key to occur once, got it again");
    dict.insert(std::string(key), read<Value>(archive));
  }
}

void save(HeaderWriter& archive, const Shape& shape) {
  archive.count(shape.size());
  for (const std::int64_t size : shape) archive(size);
}

void load(HeaderReader& archive, Shape& shape) {
  const std::size_t count = archive.count(8);
  if (count > kMaxRank) archive.refuse("expected at most 8 dimensions, got " + std::to_string(count));
  for (std::size_t i = 0; i < count; ++i) shape.push_back(read<std::int64_t>(archive));
  try {
    static_cast<void>(numel(shape));
  } catch (const ShapeError& error) {
    archive.refuse(error.what());
  }
}

}  // namespace teff::serialize

// SPDX-License-Identifier: MIT
#include "fuzz/onnx_mutator.h"

#include <array>
#include <cstddef>
#include <optional>

namespace teff::fuzz {
namespace {

constexpr int kMaxDepth = 8;

struct Field {
  std::uint64_t key = 0;
  std::uint64_t number = 0;
  Bytes bytes;                // of any other kind, but
  std::vector<Field> fields;  // what looks like a message
  bool is_message = false;
};

using Fields = std::vector<Field>;

std::optional<std::uint64_t> varint(std::span<const std::uint8_t> bytes, std::size_t& place) {
  std::uint64_t result = 0;
  for (int shift = 0; shift < 64 && place < bytes.size(); shift += 7) {
    const std::uint8_t byte = bytes[place++];
    result |= std::uint64_t{byte & 0x7fu} << shift;
    if (byte < 0x80) return result;
  }
  return {};
}

std::optional<Fields> parse(std::span<const std::uint8_t> bytes, int depth) {
  Fields fields;
  for (std::size_t place = 0; place < bytes.size();) {
    const auto key = varint(bytes, place);
    if (!key || *key >> 3 == 0 || *key >> 3 > 100) return {};
    Field field{*key, 0, {}, {}, false};
    std::uint64_t size = 0;
    switch (*key & 7) {
      case 0: {
        const auto number = varint(bytes, place);
        if (!number) return {};
        field.number = *number;
        break;
      }
      case 1:
        size = 8;
        break;
      case 2: {
        const auto length = varint(bytes, place);
        if (!length) return {};
        size = *length;
        break;
      }
      case 5:
        size = 4;
        break;
      default:
        return {};
    }
    if (size > bytes.size() - place) return {};
    const auto content = bytes.subspan(place, size);
    place += size;
    field.bytes.assign(content.begin(), content.end());
    if ((*key & 7) == 2 && depth < kMaxDepth && !content.empty()) {
      if (auto inside = parse(content, depth + 1)) {
        field.fields = std::move(*inside);
        field.is_message = true;
      }
    }
    fields.push_back(std::move(field));
  }
  return fields;
}

void append_varint(Bytes& bytes, std::uint64_t number) {
  for (; number >= 0x80; number >>= 7) bytes.push_back(static_cast<std::uint8_t>(number | 0x80));
  bytes.push_back(static_cast<std::uint8_t>(number));
}

Bytes join(const Fields& fields) {
  Bytes bytes;
  for (const Field& field : fields) {
    append_varint(bytes, field.key);
    const Bytes content = field.is_message ? join(field.fields) : field.bytes;
    if ((field.key & 7) == 0) append_varint(bytes, field.number);
    if ((field.key & 7) == 2) append_varint(bytes, content.size());
    bytes.insert(bytes.end(), content.begin(), content.end());
  }
  return bytes;
}

/// Where each field is: its list, and its place there.
using Places = std::vector<std::pair<Fields*, std::size_t>>;

void list(Fields& fields, Places& places) {
  for (std::size_t i = 0; i < fields.size(); ++i) {
    places.emplace_back(&fields, i);
    list(fields[i].fields, places);
  }
}

std::uint64_t telling_number(Random& random) {
  constexpr std::array<std::uint64_t, 10> kEdges = {
      ~std::uint64_t{0},      ~std::uint64_t{0} - 1, 0, 1, 255, 65536, std::uint64_t{1} << 31, std::uint64_t{1} << 59,
      std::uint64_t{1} << 62, std::uint64_t{1} << 63};
  return random() % 2 == 0 ? kEdges[random() % kEdges.size()] : random() % 24;
}

void change(Places& places, Random& random, Mutator mutate) {
  const auto [fields, place] = places[random() % places.size()];
  const auto [others, other] = places[random() % places.size()];
  Field& field = (*fields)[place];
  switch (random() % 8) {
    case 0:
      fields->erase(fields->begin() + static_cast<std::ptrdiff_t>(place));
      return;
    case 1: {
      const Field copy = field;
      fields->insert(fields->begin() + static_cast<std::ptrdiff_t>(place), copy);
      return;
    }
    case 2: {
      Field copy = (*others)[other];
      field = std::move(copy);
      return;
    }
    case 3: {  // another's content under the field's own number
      if ((field.key & 7) != ((*others)[other].key & 7)) break;
      Field copy = (*others)[other];
      copy.key = field.key;
      field = std::move(copy);
      return;
    }
    default:
      break;
  }
  if ((field.key & 7) == 0) {
    field.number = telling_number(random);
  } else if (!field.is_message) {
    mutate(field.bytes);
    if ((field.key & 7) != 2) field.bytes.resize((field.key & 7) == 1 ? 8 : 4);
  }
}

}  // namespace

void mutate_onnx(Bytes& file, Random& random, Mutator mutate) {
  std::optional<Fields> fields = parse(file, 0);
  if (!fields || fields->empty() || random() % 16 == 0) return mutate(file);
  Places places;
  list(*fields, places);
  change(places, random, mutate);
  file = join(*fields);
}

}  // namespace teff::fuzz

// SPDX-License-Identifier: MIT
#include <algorithm>
#include <string>
#include <vector>

#include "teff/engine/error.h"
#include "teff/serialize/io/json.h"
#include "teff/serialize/io/place.h"
#include "teff/serialize/io/utf8.h"
#include "teff/serialize/safetensors/safetensors_file.h"
#include "teff/serialize/safetensors/safetensors_format.h"

namespace teff::serialize {
namespace {

using namespace safetensors;

constexpr std::size_t kAlignedTo = 8;
constexpr std::size_t kMaxBatch = 512;  // pieces of one system call

[[noreturn]] void refuse(const std::string& name, const std::string& what) {
  throw ValueError("entry \"" + escaped(name, 100) + "\": " + what);
}

std::string quoted(const std::string& text) {
  if (!is_utf8(text)) refuse(text, "expected text in UTF-8, got other bytes");
  return json_string(text);
}

std::size_t place_of(DType dtype) {
  return static_cast<std::size_t>(
      std::find_if(kDTypes.begin(), kDTypes.end(), [&](const DTypeName& t) { return t.dtype == dtype; }) -
      kDTypes.begin());
}

/// The tensors in the order of the file: wide types first, so that each is aligned, then by name.
std::vector<const DictItem*> ordered(const Dict& dict) {
  std::vector<const DictItem*> items;
  for (const DictItem& item : dict) {
    if (item.key == kMetadata) refuse(item.key, "expected another name: this one is the metadata's");
    if (!item.value.is_tensor() || !item.value.as_tensor().defined()) {
      refuse(item.key,
             "expected a tensor, got " +
                 (item.value.is_tensor() ? "an undefined one" : std::string(to_string(item.value.kind()))) +
                 ": .safetensors holds tensors by name and nothing else; save the dictionary as .teff or .pt");
    }
    const DType dtype = item.value.as_tensor().dtype();
    if (place_of(dtype) == kDTypes.size()) {
      refuse(item.key, "expected a dtype that .safetensors files have here, got " + std::string(to_string(dtype)) +
                           "; convert with to(DType::float16), or save the dictionary as .teff");
    }
    items.push_back(&item);
  }
  std::sort(items.begin(), items.end(), [](const DictItem* a, const DictItem* b) {
    const std::size_t first = place_of(a->value.as_tensor().dtype()), second = place_of(b->value.as_tensor().dtype());
    return first != second ? first < second : a->key < b->key;
  });
  return items;
}

/// Adds a member or an element.
void add(std::string& list, const std::string& text) {
  if (!list.empty()) list += ',';
  list += text;
}

std::string metadata_member(const Dict& metadata) {
  std::vector<std::string> members;
  for (const auto& [name, value] : metadata) {
    if (!value.is_text()) {
      refuse(name, "expected metadata of text, which is all that .safetensors takes, got " +
                       std::string(to_string(value.kind())));
    }
    members.push_back(quoted(name) + ':' + quoted(value.as_text()));
  }
  std::sort(members.begin(), members.end());
  std::string text;
  for (const std::string& member : members) add(text, member);
  return json_string(kMetadata) + ":{" + text + '}';
}

std::string tensor_member(const std::string& name, const Tensor& tensor, std::uint64_t begin) {
  std::string shape;
  for (const std::int64_t size : tensor.shape()) add(shape, std::to_string(size));
  return quoted(name) + ":{\"dtype\":\"" + std::string(kDTypes[place_of(tensor.dtype())].name) + "\",\"shape\":[" +
         shape + "],\"data_offsets\":[" + std::to_string(begin) + ',' + std::to_string(begin + tensor.nbytes()) + "]}";
}

/// With the length in front.
std::string header_for(const std::vector<const DictItem*>& items, const Dict& metadata) {
  std::string json = metadata.empty() ? "" : metadata_member(metadata);
  std::uint64_t begin = 0;
  for (const DictItem* item : items) {
    const Tensor& tensor = item->value.as_tensor();
    add(json, tensor_member(item->key, tensor, begin));
    begin += tensor.nbytes();
  }
  json.insert(0, 1, '{').append(1, '}');
  json.resize((json.size() + kAlignedTo - 1) / kAlignedTo * kAlignedTo, ' ');
  if (json.size() > kMaxJsonBytes) {
    throw ValueError("expected a header of at most " + std::to_string(kMaxJsonBytes) + " bytes, got " +
                     std::to_string(json.size()));
  }
  const std::uint64_t length = json.size();
  return std::string(reinterpret_cast<const char*>(&length), sizeof length) + json;
}

}  // namespace

void save_safetensors(const Dict& dict, ByteSink& sink, const SaveOptions& options) {
  const std::vector<const DictItem*> items = ordered(dict);
  std::string header = header_for(items, options.metadata);
  std::vector<Piece> pieces{{reinterpret_cast<std::byte*>(header.data()), header.size()}};
  std::uint64_t written = 0, pending = header.size();
  const auto flush = [&] {
    sink.write(pieces, written);
    written += pending;
    pending = 0;
    pieces.clear();
  };
  for (const DictItem* item : items) {
    const Tensor& tensor = item->value.as_tensor();
    pieces.push_back({static_cast<std::byte*>(tensor.raw_data()), tensor.nbytes()});
    pending += tensor.nbytes();
    if (pieces.size() == kMaxBatch) flush();
  }
  flush();
}

}  // namespace teff::serialize

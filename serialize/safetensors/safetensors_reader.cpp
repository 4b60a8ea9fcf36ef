// SPDX-License-Identifier: MIT
#include <algorithm>
#include <numeric>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "teff/engine/error.h"
#include "teff/engine/tensor_impl.h"
#include "teff/serialize/io/data_blocks.h"
#include "teff/serialize/io/json.h"
#include "teff/serialize/io/place.h"
#include "teff/serialize/io/tensor_listing.h"
#include "teff/serialize/safetensors/safetensors_file.h"
#include "teff/serialize/safetensors/safetensors_format.h"

namespace teff::serialize {
namespace {

using namespace safetensors;

constexpr std::size_t kShownBytes = 100;

struct Entry {
  std::string name;
  std::string type;
  std::optional<DType> dtype;
  std::vector<std::uint64_t> sizes;
  std::uint64_t begin = 0, end = 0;  // from the beginning of the data

  [[noreturn]] void refuse(const std::string& what) const {
    throw FormatError("tensor \"" + escaped(name, kShownBytes) + "\": " + what);
  }
  TensorType tensor_type() const;
};

struct Header {
  Dict metadata;
  std::vector<Entry> entries;
  std::uint64_t data = 0;  // offset of the tensors' bytes
};

/// Checks that the bytes are as many as the shape says.
TensorType Entry::tensor_type() const {
  if (sizes.size() > kMaxRank) refuse("expected at most 8 dimensions, got " + std::to_string(sizes.size()));
  Shape shape;
  for (const std::uint64_t size : sizes) {
    if (!std::in_range<std::int64_t>(size)) refuse("expected a size below 2^63, got " + std::to_string(size));
    shape.push_back(static_cast<std::int64_t>(size));
  }
  try {
    const std::uint64_t bytes = static_cast<std::uint64_t>(numel(shape)) * size_of(*dtype);
    if (bytes != end - begin) {
      refuse("expected " + std::to_string(bytes) + " bytes for " + type + ' ' + to_string(shape) + ", got " +
             std::to_string(end - begin));
    }
  } catch (const ShapeError& error) {
    refuse(error.what());
  }
  return {shape, *dtype};
}

Dict read_metadata(JsonReader& json) {
  Dict metadata;
  json.object([&](const std::string& name) {
    if (metadata.contains(name)) json.refuse("expected a name once, got it again");
    metadata.insert(name, json.string());
  });
  return metadata;
}

void read_type(JsonReader& json, Entry& entry) {
  entry.type = json.string();
  const auto known =
      std::find_if(kDTypes.begin(), kDTypes.end(), [&](const DTypeName& t) { return t.name == entry.type; });
  if (known != kDTypes.end()) {
    entry.dtype = known->dtype;
  } else if (std::find(kOtherDTypes.begin(), kOtherDTypes.end(), entry.type) == kOtherDTypes.end()) {
    json.refuse("expected a dtype of the format, got \"" + escaped(entry.type, kShownBytes) + '"');
  }
}

Entry read_entry(JsonReader& json, const std::string& name) {
  Entry entry{name, {}, {}, {}, 0, 0};
  std::set<std::string> fields;
  json.object([&](const std::string& field) {
    if (!fields.insert(field).second) json.refuse("expected a field once, got it again");
    if (field == "dtype") {
      read_type(json, entry);
    } else if (field == "shape") {
      json.array([&] {
        if (entry.sizes.size() > kMaxRank) json.refuse("expected at most 8 dimensions, got more");
        entry.sizes.push_back(json.integer());
      });
    } else if (field == "data_offsets") {
      std::vector<std::uint64_t> offsets;
      json.array([&] {
        if (offsets.size() == 2) json.refuse("expected two offsets, got more");
        offsets.push_back(json.integer());
      });
      if (offsets.size() != 2) json.refuse("expected two offsets, got fewer");
      entry.begin = offsets[0];
      entry.end = offsets[1];
    } else {
      json.refuse("expected dtype, shape or data_offsets, got \"" + escaped(field, kShownBytes) + '"');
    }
  });
  if (fields.size() != 3) entry.refuse("expected dtype, shape and data_offsets, got fewer");
  return entry;
}

/// The tensors cover the data without holes or overlaps, up to the end of the file.
void check_layout(const Header& header, std::uint64_t file_bytes) {
  std::vector<const Entry*> order;
  for (const Entry& entry : header.entries) order.push_back(&entry);
  std::sort(order.begin(), order.end(),
            [](const Entry* a, const Entry* b) { return std::pair(a->begin, a->end) < std::pair(b->begin, b->end); });
  std::uint64_t end = 0;
  for (const Entry* entry : order) {
    if (entry->begin != end || entry->end < entry->begin) {
      entry->refuse("expected bytes from offset " + std::to_string(end) + " of the data on, got " +
                    std::to_string(entry->begin) + " to " + std::to_string(entry->end));
    }
    end = entry->end;
  }
  if (end != file_bytes - header.data) {
    throw FormatError("expected " + std::to_string(end) + " bytes of data, got " +
                      std::to_string(file_bytes - header.data) +
                      (end > file_bytes - header.data ? ": the file was cut off" : ": something was appended"));
  }
}

Header read_header(const ByteSource& source) {
  std::uint64_t length = 0;
  if (source.size() < kLengthBytes) throw FormatError("expected 8 bytes, got " + std::to_string(source.size()));
  source.read(std::as_writable_bytes(std::span(&length, 1)), 0);
  if (length > kMaxJsonBytes || length > source.size() - kLengthBytes) {
    throw FormatError("expected a header of at most " +
                      std::to_string(std::min(kMaxJsonBytes, source.size() - kLengthBytes)) + " bytes, got " +
                      std::to_string(length) + (length <= kMaxJsonBytes ? ": the file was cut off" : ""));
  }
  std::string text(static_cast<std::size_t>(length), '\0');
  source.read(std::as_writable_bytes(std::span(text)), kLengthBytes);
  if (!text.starts_with('{')) throw FormatError("expected '{' at offset 8, got another byte");
  Header header;
  header.data = kLengthBytes + length;
  JsonReader json(text, kLengthBytes);
  std::set<std::string> names;
  json.object([&](const std::string& name) {
    if (!names.insert(name).second)
      json.refuse("expected a name once, got \"" + escaped(name, kShownBytes) + "\" again");
    if (name == kMetadata) {
      header.metadata = read_metadata(json);
    } else {
      header.entries.push_back(read_entry(json, name));
    }
  });
  json.finish();
  check_layout(header, source.size());
  return header;
}

class SafetensorsContents final : public Contents {
 public:
  SafetensorsContents(std::shared_ptr<const ByteSource> source, const LoadOptions& options)
      : source_(std::move(source)), mapping_(options.mmap ? source_->map() : nullptr), header_(read_header(*source_)) {
    metadata = header_.metadata;
    list_tensors(options);
  }

  StoragePlace place_of(const Tensor& stand_in) const override {
    const std::size_t index = index_of(stand_in);
    if (stand_in.nbytes() == 0) return {index, {}, {}};
    return {index, header_.data + header_.entries[index].begin, {}};
  }

  std::vector<Tensor> read(std::span<const Tensor> stand_ins) const override {
    std::vector<Tensor> tensors;
    std::vector<DataBlock> blocks;
    for (const Tensor& stand_in : stand_ins) {
      const std::uint64_t offset = header_.data + header_.entries[index_of(stand_in)].begin;
      const bool is_mapped = mapping_ != nullptr && stand_in.nbytes() > 0 && offset % size_of(stand_in.dtype()) == 0;
      const Tensor tensor =
          is_mapped ? Tensor::from_external(mapping_->data() + offset, stand_in.type(), [mapping = mapping_](void*) {})
                    : empty(stand_in.shape(), {.dtype = stand_in.dtype()});
      blocks.push_back({offset, {static_cast<std::byte*>(tensor.raw_data()), tensor.nbytes()}, is_mapped});
      tensors.push_back(tensor);
    }
    read_blocks(*source_, blocks, false);
    for (std::size_t i = 0; i < tensors.size(); ++i) {
      if (tensors[i].dtype() == DType::bool_ && !are_bools(blocks[i].memory)) {
        header_.entries[index_of(stand_ins[i])].refuse("expected bool values of 0 or 1, got others");
      }
    }
    return tensors;
  }

  bool has_checksums() const override { return false; }

  std::vector<Damage> check() const override {
    std::vector<Damage> damages;
    for (const auto& [name, stand_in] : structure) {
      try {
        read(std::span(&stand_in.as_tensor(), 1));
      } catch (const Error& error) {
        damages.push_back({index_of(stand_in.as_tensor()), error.what()});
      }
    }
    return damages;
  }

 private:
  /// Tensors of types that Teff does not have are named all together, but for those to skip.
  void list_tensors(const LoadOptions& options) {
    TensorListing listing;
    for (std::size_t i = 0; const Entry& entry : header_.entries) {
      const std::size_t index = i++;
      const std::string path = escape_key(entry.name), place = escaped(entry.name, kShownBytes);
      if (entry.dtype) {
        const Tensor stand_in = detail::make_without_values(entry.tensor_type());
        indices_.emplace(stand_in.id(), index);
        structure.insert(entry.name, stand_in);
        listing.add(place, entry.tensor_type());
      } else {
        unsupported.push_back({path, entry.type});
        const bool is_skipped = std::find(options.skip.begin(), options.skip.end(), path) != options.skip.end();
        if (!is_skipped) listing.add_unsupported(place, entry.type);
      }
    }
    refusal = listing.refusal();
  }

  std::size_t index_of(const Tensor& stand_in) const {
    const auto found = indices_.find(stand_in.id());
    if (found == indices_.end()) throw IndexError("File: expected a tensor of the file, got another");
    return found->second;
  }

  std::shared_ptr<const ByteSource> source_;
  std::shared_ptr<const Mapping> mapping_;
  Header header_;
  std::unordered_map<const void*, std::size_t> indices_;  // of the stand-ins, among the entries
};

}  // namespace

std::unique_ptr<Contents> open_safetensors(std::shared_ptr<const ByteSource> source, const LoadOptions& options) {
  return std::make_unique<SafetensorsContents>(std::move(source), options);
}

}  // namespace teff::serialize

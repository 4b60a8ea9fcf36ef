// SPDX-License-Identifier: MIT
#include "teff/serialize/torch/torch_contents.h"

#include <charconv>
#include <string>
#include <string_view>

#include "teff/engine/error.h"
#include "teff/serialize/io/limits.h"
#include "teff/serialize/strangers.h"
#include "teff/serialize/torch/torch_values.h"
#include "teff/serialize/io/zip_reader.h"

namespace teff::serialize {
namespace {

constexpr int kMaxVersion = 10;  // of which PyTorch's reader knows
constexpr std::uint64_t kMaxRecordBytes = 1000;

std::string text_of(const ZipReader& zip, const ZipEntry& entry, const LoadOptions& options) {
  const std::vector<std::byte> bytes = zip.read(entry, kMaxRecordBytes, options.verify);
  std::string text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  while (text.ends_with('\n')) text.pop_back();
  return text;
}

void check_version(const ZipReader& zip, const LoadOptions& options) {
  const ZipEntry* entry = zip.find("version");
  if (entry == nullptr) entry = zip.find(".data/version");
  if (entry == nullptr)
    throw FormatError("expected a file of torch.save, got a zip file without the entry \"version\"");
  const std::string text = text_of(zip, *entry, options);
  int version = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), version);
  if (error != std::errc() || end != text.data() + text.size() || version < 1 || version > kMaxVersion) {
    throw FormatError("expected version 1 to 10 of PyTorch's files, got " + quoted_name(text));
  }
}

void check_byte_order(const ZipReader& zip, const LoadOptions& options) {
  const ZipEntry* entry = zip.find("byteorder");
  if (entry == nullptr) return;
  if (const std::string order = text_of(zip, *entry, options); order != "little") {
    throw FormatError("expected the byte order \"little\", got " + quoted_name(order));
  }
}

void check_torch(const ZipReader& zip) {
  if (!zip.root().empty() && (zip.find("data.pkl") != nullptr || zip.find("constants.pkl") != nullptr ||
                              zip.find("model.json") != nullptr || zip.find("version") != nullptr)) {
    return;
  }
  std::vector<std::string_view> names;
  for (const ZipEntry& entry : zip.entries()) names.push_back(entry.name);
  refuse_stranger(name_zip(names));
}

void check_kind(const ZipReader& zip) {
  if (zip.find("constants.pkl") == nullptr && zip.find("model.json") == nullptr) return;
  throw FormatError("it is a TorchScript archive, which holds code: load it in Python with torch.jit.load and save "
                    "model.state_dict()");
}

}  // namespace

std::unique_ptr<Contents> open_torch_zip(std::shared_ptr<const ByteSource> source, const LoadOptions& options) {
  const auto zip = std::make_shared<const ZipReader>(*source);
  check_torch(*zip);
  check_kind(*zip);
  zip->check_packing();
  check_version(*zip, options);
  check_byte_order(*zip, options);
  const ZipEntry* entry = zip->find("data.pkl");
  if (entry == nullptr)
    throw FormatError("expected a file of torch.save, got a zip file without the entry \"data.pkl\"");
  const std::vector<std::byte> bytes = zip->read(*entry, kMaxHeaderBytes, options.verify);
  const Pickle pickle(bytes, {entry->offset, is_torch_global, options.inert_objects});
  if (pickle.size() != bytes.size()) {
    throw FormatError("expected nothing after the pickle at offset " + std::to_string(entry->offset) + ", got " +
                      std::to_string(bytes.size() - pickle.size()) + " bytes");
  }
  const auto find = [zip](const std::string& key) -> std::optional<StoredBytes> {
    const ZipEntry* data = zip->find("data/" + key);
    if (data == nullptr) return {};
    return StoredBytes{data->offset, data->bytes, data};
  };
  return torch_contents(pickle, {source, options, find}, source->size());
}

}  // namespace teff::serialize

// SPDX-License-Identifier: MIT
#include "teff/serialize/torch/torch_contents.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <string>
#include <string_view>

#include "teff/engine/error.h"
#include "teff/serialize/io/limits.h"
#include "teff/serialize/io/zip_reader.h"
#include "teff/serialize/strangers.h"
#include "teff/serialize/torch/torch_file.h"
#include "teff/serialize/torch/torch_script.h"
#include "teff/serialize/torch/torch_script_code.h"

namespace teff::serialize {
namespace {

constexpr int kMaxVersion = 10;  // of which PyTorch's reader knows
constexpr std::uint64_t kMaxRecordBytes = 1000;
constexpr std::uint64_t kCodeSlackBytes = 64 * 1024;

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

/// Whether the elements have the bytes of a big-endian machine.
bool is_swapped(const ZipReader& zip, const LoadOptions& options) {
  const ZipEntry* entry = zip.find("byteorder");
  if (entry == nullptr) return false;
  const std::string order = text_of(zip, *entry, options);
  if (order != "little" && order != "big") {
    throw FormatError("expected the byte order \"little\" or \"big\", got " + quoted_name(order));
  }
  return order == "big";
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

/// TorchScript before PyTorch 1.4 had no pickle of the whole module.
void check_kind(const ZipReader& zip) {
  if (zip.find("model.json") == nullptr) return;
  throw UnsupportedError(
      "it is a TorchScript archive of PyTorch before 1.4: load it in Python with torch.jit.load and save "
      "model.state_dict()");
}

/// Of the entries in that folder, named by keys.
FindStorage storages_in(std::shared_ptr<const ZipReader> zip, const std::string& folder) {
  return [zip, folder](const std::string& key) -> std::optional<StoredBytes> {
    const ZipEntry* data = zip->find(folder + key);
    if (data == nullptr) return {};
    return StoredBytes{data->offset, data->bytes, data};
  };
}

/// The bytes of a pickle, and what they say.
struct ReadPickle {
  std::vector<std::byte> bytes;
  Pickle pickle;

  ReadPickle(const ZipReader& zip, const ZipEntry& entry, const LoadOptions& options)
      : bytes(zip.read(entry, kMaxHeaderBytes, options.verify)), pickle(bytes, entry.offset) {
    if (pickle.size() != bytes.size()) {
      throw FormatError("expected nothing after the pickle at offset " + std::to_string(entry.offset) + ", got " +
                        std::to_string(bytes.size() - pickle.size()) + " bytes");
    }
  }
};

/// The text of an entry. `left` bounds all of them together.
std::optional<std::string> code_of(const ZipReader& zip, const std::string& name, std::uint64_t& left) {
  const ZipEntry* entry = zip.find(name);
  if (entry == nullptr) return {};
  const std::vector<std::byte> bytes = zip.read(*entry, left, true);
  left -= bytes.size();
  return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

/// Under the names that the code has for them: CONSTANTS.c0.
void name_constants(Contents& contents) {
  Dict named;
  const Value* const all = contents.structure.find("");
  if (all == nullptr || !all->is_list()) return;
  for (std::size_t i = 0; const Value& value : all->as_list()) {
    const std::string name = "CONSTANTS.c" + std::to_string(i++);
    if (value.is_tensor()) named.insert(name, value);
  }
  contents.structure = std::move(named);
}

/// A zip of PyTorch that was looked at, without its pickles.
struct OpenZip {
  std::shared_ptr<const ByteSource> source;
  std::shared_ptr<const ZipReader> zip;
  const ZipEntry *data, *constants;
  bool swapped;
  std::shared_ptr<std::uint64_t> code_left;  // bytes of code that may be read

  OpenZip(std::shared_ptr<const ByteSource> from, const LoadOptions& options)
      : source(std::move(from)), zip(std::make_shared<const ZipReader>(*source)) {
    check_torch(*zip);
    check_kind(*zip);
    zip->check_packing();
    constants = zip->find("constants.pkl");
    check_version(*zip, options);
    swapped = is_swapped(*zip, options);
    data = zip->find("data.pkl");
    if (data == nullptr) {
      throw FormatError("expected a file of torch.save, got a zip file without the entry \"data.pkl\"");
    }
    code_left = std::make_shared<std::uint64_t>(kCodeSlackBytes + 2 * source->size());
  }

  TorchStorages storages(const char* folder, const LoadOptions& options) const {
    return {source, options, storages_in(zip, folder), swapped};
  }
  ScriptCode::Read code() const {
    return [zip = zip, left = code_left](const std::string& name) { return code_of(*zip, name, *left); };
  }
};

}  // namespace

std::unique_ptr<Contents> open_torch_zip(std::shared_ptr<const ByteSource> source, const LoadOptions& options,
                                         PickledModule* module) {
  const OpenZip file(std::move(source), options);
  const std::uint64_t bytes = file.source->size();
  const ReadPickle data(*file.zip, *file.data, options);
  if (file.constants == nullptr) {
    return torch_contents(data.pickle, file.storages("data/", options), options, bytes, module);
  }
  ScriptCode code(file.code());
  std::unique_ptr<Contents> script =
      script_contents(data.pickle, file.storages("data/", options), options, bytes, code);
  if (!script->structure.empty() || !script->unsupported.empty()) return script;
  // A frozen module has no attributes any more. Its tensors are constants of the code, which has no names for them.
  const ReadPickle frozen(*file.zip, *file.constants, options);
  std::unique_ptr<Contents> values =
      torch_contents(frozen.pickle, file.storages("constants/", options), options, bytes);
  name_constants(*values);
  values->modules = std::move(script->modules);
  return values;
}

bool is_script(const ByteSource& source) {
  std::byte first{};
  source.read(std::span(&first, 1), 0);
  return first == std::byte{'P'} && ZipReader(source).find("constants.pkl") != nullptr;
}

namespace {

/// The name of the first entry, which a zip begins with; empty if it is none, or is longer than names of PyTorch's are.
std::string first_entry(const ByteSource& source) {
  constexpr std::size_t kHeader = 30, kLength = 26, kLongest = 256;
  std::array<std::byte, kHeader + kLongest> head{};
  const std::size_t size = std::min<std::uint64_t>(head.size(), source.size());
  source.read(std::span(head).first(size), 0);
  const std::size_t length =
      std::to_integer<std::size_t>(head[kLength]) | std::to_integer<std::size_t>(head[kLength + 1]) << 8;
  if (head[0] != std::byte{'P'} || length > kLongest || kHeader + length > size) return "";
  return {reinterpret_cast<const char*>(head.data()) + kHeader, length};
}

}  // namespace

/// What torch.save and torch.jit.save write begins with its pickle: of that the directory need not be read for this.
bool is_exported(const ByteSource& source) {
  std::byte first{};
  source.read(std::span(&first, 1), 0);
  if (first != std::byte{'P'} || first_entry(source).ends_with("/data.pkl")) return false;
  const ZipReader zip(source);
  return zip.find("serialized_exported_program.json") != nullptr || zip.find("archive_format") != nullptr;
}

ScriptArchive open_script(std::shared_ptr<const ByteSource> source, const LoadOptions& options) {
  const OpenZip file(std::move(source), options);
  if (file.constants == nullptr) throw FormatError("expected a TorchScript archive, got a file of torch.save");
  const std::uint64_t bytes = file.source->size();
  ScriptArchive archive;
  archive.code = file.code();
  const ReadPickle data(*file.zip, *file.data, options), values(*file.zip, *file.constants, options);
  ScriptCode code(file.code());
  archive.module =
      script_contents(data.pickle, file.storages("data/", options), options, bytes, code, &archive.objects);
  archive.constants = torch_contents(values.pickle, file.storages("constants/", options), options, bytes);
  return archive;
}

}  // namespace teff::serialize

// SPDX-License-Identifier: MIT

// The files of torch.save before PyTorch 1.6, or with _use_new_zipfile_serialization=False: five pickles (a magic
// number, a version, the machine, the object, the keys of the storages), and then each storage: its number of elements
// and their bytes.

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <string_view>

#include "teff/engine/error.h"
#include "teff/serialize/io/limits.h"
#include "teff/serialize/torch/pickle_machine.h"
#include "teff/serialize/torch/torch_contents.h"

namespace teff::serialize {
namespace {

constexpr std::string_view kMagic("\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19", 10);
constexpr std::string_view kMagicDigits = "119547037146038801333356";  // the same, in pickles of protocol 1
constexpr std::int64_t kVersion = 1001;
constexpr std::size_t kFirstBytes = 1 << 20;

/// The pickles, and the bytes that they refer to.
struct Pickles {
  std::vector<std::byte> bytes;
  std::vector<Pickle> all;
  std::uint64_t end = 0;
};

void check_magic(const Pickle& magic) {
  const NodeKind kind = magic[magic.root()].kind;
  if (kind == NodeKind::long_integer && magic.text(magic.root()) == kMagic) return;
  if (kind == NodeKind::digits && magic.text(magic.root()) == kMagicDigits) return;
  throw UnsupportedError("expected PyTorch's magic number at offset 0, got another value: it is a pickle, but none of "
                         "torch.save. Load it in Python and save it with torch.save");
}

void read_pickles(const ByteSource& source, std::uint64_t window, Pickles& pickles) {
  pickles.bytes.resize(static_cast<std::size_t>(window));
  pickles.all.clear();
  pickles.end = 0;
  source.read(std::span(pickles.bytes), 0);
  while (pickles.all.size() < 5) {
    const auto rest = std::span<const std::byte>(pickles.bytes).subspan(static_cast<std::size_t>(pickles.end));
    pickles.all.emplace_back(rest, pickles.end);
    pickles.end += pickles.all.back().size();
    if (pickles.all.size() == 1) check_magic(pickles.all[0]);
  }
}

/// The pickles do not say how long they are: reads more until they are whole.
Pickles read_pickles(const ByteSource& source) {
  Pickles pickles;
  const std::uint64_t most = std::min(source.size(), kMaxHeaderBytes);
  for (std::uint64_t window = std::min<std::uint64_t>(kFirstBytes, most);; window = std::min(4 * window, most)) {
    try {
      read_pickles(source, window, pickles);
      return pickles;
    } catch (const PickleCutOff&) {
      if (window == most) throw;
    }
  }
}

/// Whether the elements have the bytes of a big-endian machine.
bool check_head(const std::vector<Pickle>& pickles) {
  const Pickle& version = pickles[1];
  if (version[version.root()].kind != NodeKind::integer || version.integer(version.root()) != kVersion) {
    throw FormatError("expected protocol version 1001 of PyTorch's files, got another one");
  }
  const Pickle& machine = pickles[2];
  const bool is_dict = machine[machine.root()].kind == NodeKind::dict;
  const std::vector<NodeId> items = is_dict ? machine.items(machine.root()) : std::vector<NodeId>();
  for (std::size_t i = 0; i + 1 < items.size(); i += 2) {
    if (machine[items[i]].kind != NodeKind::text || machine.text(items[i]) != "little_endian") continue;
    if (machine[items[i + 1]].kind == NodeKind::boolean) return machine[items[i + 1]].a == 0;
  }
  throw FormatError("expected the order of bytes of the machine that wrote the file, got none");
}

/// The storages that the object refers to, by key.
std::map<std::string, StorageId> storages_of(const Pickle& object) {
  std::map<std::string, StorageId> storages;
  for (const NodeId node : object.all(NodeKind::persistent)) {
    const NodeId what = object[node].a;
    const bool is_module = object[what].kind == NodeKind::tuple && object[what].a == 4;
    if (is_module) continue;
    StorageId id = storage_id(object, node);
    const auto [known, is_new] = storages.emplace(id.key, id);
    if (!is_new && (known->second.type != id.type || known->second.numel != id.numel)) {
      throw FormatError("storage " + quoted_name(id.key) + ": expected one type and length, got two");
    }
  }
  return storages;
}

/// Where the bytes lie: as the list of keys says, one after the other up to the end of the file.
std::map<std::string, StoredBytes> find_storages(const ByteSource& source, const Pickle& object, const Pickle& keys,
                                                 std::uint64_t offset) {
  const std::map<std::string, StorageId> storages = storages_of(object);
  std::map<std::string, StoredBytes> places;
  if (keys[keys.root()].kind != NodeKind::list) throw FormatError("expected a list of storages, got something else");
  for (const NodeId node : keys.items(keys.root())) {
    const bool is_text = keys[node].kind == NodeKind::text;
    const auto storage = is_text ? storages.find(std::string(keys.text(node))) : storages.end();
    if (storage == storages.end()) throw FormatError("expected the key of a storage, got one that no tensor has");
    const auto& [key, id] = *storage;
    const std::string about = "storage " + quoted_name(key) + " at offset " + std::to_string(offset) + ": ";
    if (id.item_bytes == 0) throw FormatError(about + "expected a type that Teff knows, got " + id.type);
    std::int64_t numel = 0;
    if (source.size() - offset < sizeof numel) throw FormatError(about + "expected its length, got the end");
    source.read(std::as_writable_bytes(std::span(&numel, 1)), offset);
    offset += sizeof numel;
    const std::uint64_t left = source.size() - offset;
    if (numel != id.numel || left / id.item_bytes < static_cast<std::uint64_t>(numel)) {
      throw FormatError(about + "expected " + std::to_string(id.numel) + " elements before the end of the file, got " +
                        std::to_string(numel) + ", and " + std::to_string(left) + " bytes");
    }
    const std::uint64_t bytes = static_cast<std::uint64_t>(numel) * id.item_bytes;
    if (!places.emplace(key, StoredBytes{offset, bytes}).second) throw FormatError(about + "it is listed twice");
    offset += bytes;
  }
  if (offset != source.size()) {
    throw FormatError("expected the end of the file at offset " + std::to_string(offset) + ", got " +
                      std::to_string(source.size() - offset) + " bytes more");
  }
  return places;
}

}  // namespace

std::unique_ptr<Contents> open_torch_legacy(std::shared_ptr<const ByteSource> source, const LoadOptions& options,
                                            PickledModule* module) {
  const Pickles pickles = read_pickles(*source);
  const bool swapped = check_head(pickles.all);
  const Pickle& object = pickles.all[3];
  const auto find = [places = find_storages(*source, object, pickles.all[4], pickles.end)](
                        const std::string& key) -> std::optional<StoredBytes> {
    const auto place = places.find(key);
    return place == places.end() ? std::nullopt : std::optional(place->second);
  };
  return torch_contents(object, {source, options, find, swapped}, options, source->size(), module);
}

}  // namespace teff::serialize

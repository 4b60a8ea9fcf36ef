// SPDX-License-Identifier: MIT

// Tensors of a .pt2 file of PyTorch 2.9 or later: "model_weights_config.json" has their types, and the names of entries
// that have the storages' bytes.

#include <algorithm>
#include <limits>

#include "teff/engine/error.h"
#include "teff/engine/tensor_impl.h"
#include "teff/serialize/exported/exported_archive.h"
#include "teff/serialize/exported/exported_program.h"
#include "teff/serialize/io/place.h"
#include "teff/serialize/io/tensor_listing.h"
#include "teff/serialize/key_path.h"
#include "teff/serialize/torch/torch_storage.h"

namespace teff::serialize {
namespace {

constexpr std::size_t kShownKey = 100;

class PayloadContents final : public Contents {
 public:
  PayloadContents(std::shared_ptr<const ZipReader> zip, TorchStorages storages)
      : zip_(std::move(zip)), storages_(std::move(storages)) {}

  StoragePlace place_of(const Tensor& stand_in) const override { return storages_.place_of(stand_in); }
  std::vector<Tensor> read(std::span<const Tensor> stand_ins) const override { return storages_.read(stand_ins); }
  std::vector<Damage> check() const override { return storages_.check(); }
  bool has_checksums() const override { return storages_.have_checksums(); }

  /// `folder`: the entries' of the storages.
  void add(const std::string& key, const JsonValue& payload, const std::string& folder, const LoadOptions& options) {
    const std::string path = escape_key(key), place = escaped(key, kShownKey);
    const auto leave_out = [&](const std::string& type) {
      unsupported.push_back({path, type});
      if (std::find(options.skip.begin(), options.skip.end(), path) == options.skip.end()) {
        listing_.add_unsupported(place, type);
      }
    };
    if (payload.at("use_pickle").boolean()) return leave_out("a pickled object");
    const JsonValue meta = payload.at("tensor_meta");
    const ExportedMeta read = read_exported_meta(meta);
    TensorType type;
    try {
      type.dtype = exported_dtype(read.dtype);
    } catch (const UnsupportedError&) {
      return leave_out("dtype " + std::to_string(read.dtype) + " of torch.export's schema");
    }
    for (const std::int64_t size : read.sizes) {
      if (size < 0) meta.refuse("expected the sizes of a tensor, got open ones");
      type.shape.push_back(size);
    }
    const std::string name = payload.at("path_name").text();
    const Tensor stand_in = add_tensor(type, meta, name, folder);
    structure.insert(key, stand_in);
    listing_.add(place, type);
  }

  void finish() { refusal = listing_.refusal(); }

 private:
  static std::int64_t size_of_meta(const JsonValue& json) { return json.at("as_int").integer(); }

  Tensor add_tensor(const TensorType& type, const JsonValue& meta, const std::string& name, const std::string& folder) {
    if (checked_numel(type) == 0) return storages_.add(type, std::nullopt);
    const ZipEntry* const bytes = zip_->find(folder + name);
    if (bytes == nullptr) meta.refuse("expected an entry " + quoted_name(folder + name) + ", got none");
    const std::size_t item = size_of(type.dtype);
    StorageId id;
    id.key = name;
    id.type = "UntypedStorage";
    id.numel =
        static_cast<std::int64_t>(std::min<std::uint64_t>(bytes->bytes, std::numeric_limits<std::int64_t>::max()));
    id.item_bytes = 1;
    if (bytes->bytes % item != 0) {
      meta.refuse("expected a storage of whole elements, got " + std::to_string(bytes->bytes) + " bytes");
    }
    TorchView view;
    view.storage = storages_.get(id, type.dtype);
    view.offset = size_of_meta(meta.at("storage_offset"));
    meta.at("strides").each([&](const JsonValue& stride) { view.strides.push_back(size_of_meta(stride)); });
    check_view(type, view, meta);
    return storages_.add(type, view);
  }

  static std::int64_t checked_numel(const TensorType& type) {
    std::int64_t count = 1;
    for (const std::int64_t size : type.shape) {
      if (size == 0) return 0;
      if (count > std::numeric_limits<std::int64_t>::max() / 16 / size) {
        throw FormatError("expected a tensor that fits into memory, got " + to_string(type.shape));
      }
      count *= size;
    }
    return count;
  }

  /// Within the storage; strides of a contiguous tensor are none.
  void check_view(const TensorType& type, TorchView& view, const JsonValue& meta) const {
    if (view.strides.size() != type.shape.size()) meta.refuse("expected a stride for each dimension, got other ones");
    const std::int64_t count = storages_.numel(view.storage);
    std::int64_t last = view.offset, contiguous = 1;
    bool is_contiguous = true;
    for (std::size_t d = type.shape.size(); d-- > 0;) {
      const std::int64_t size = type.shape[d], stride = view.strides[d];
      if (stride < 0 || (size > 1 && stride > count / (size - 1))) meta.refuse("expected strides within the storage");
      is_contiguous = is_contiguous && (size == 1 || stride == contiguous);
      contiguous *= size;
      last += stride * (size - 1);
      if (last >= count) break;
    }
    if (view.offset < 0 || last < 0 || last >= count) {
      meta.refuse("expected elements within the storage of " + std::to_string(count) + ", got element " +
                  std::to_string(last));
    }
    if (is_contiguous) view.strides.clear();
  }

  std::shared_ptr<const ZipReader> zip_;
  TorchStorages storages_;
  TensorListing listing_;
};

}  // namespace

std::unique_ptr<Contents> open_exported_payload(std::shared_ptr<const ByteSource> source,
                                                std::shared_ptr<const ZipReader> zip, const std::string& folder,
                                                std::string config, std::uint64_t offset, const LoadOptions& options,
                                                bool swapped) {
  const FindStorage find = [zip, folder](const std::string& key) -> std::optional<StoredBytes> {
    const ZipEntry* const data = zip->find(folder + key);
    if (data == nullptr) return {};
    return StoredBytes{data->offset, data->bytes, data};
  };
  auto contents = std::make_unique<PayloadContents>(zip, TorchStorages(std::move(source), options, find, swapped));
  const JsonTree json(std::move(config), offset);
  json.root().at("config").each_member(
      [&](const std::string& key, const JsonValue& payload) { contents->add(key, payload, folder, options); });
  contents->finish();
  return contents;
}

}  // namespace teff::serialize

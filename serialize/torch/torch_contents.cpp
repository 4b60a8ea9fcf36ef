// SPDX-License-Identifier: MIT
#include "teff/serialize/torch/torch_contents.h"

#include "teff/engine/error.h"
#include "teff/serialize/torch/torch_file.h"
#include "teff/serialize/torch/torch_module_tree.h"
#include "teff/serialize/torch/torch_script.h"
#include "teff/serialize/torch/torch_values.h"

namespace teff::serialize {
namespace {

class TorchContents final : public Contents {
 public:
  explicit TorchContents(TorchStorages storages) : storages_(std::move(storages)) {}
  TorchStorages& storages() { return storages_; }

  StoragePlace place_of(const Tensor& stand_in) const override { return storages_.place_of(stand_in); }
  std::vector<Tensor> read(std::span<const Tensor> stand_ins) const override { return storages_.read(stand_ins); }
  std::vector<Damage> check() const override { return storages_.check(); }
  bool has_checksums() const override { return storages_.have_checksums(); }

 private:
  TorchStorages storages_;
};

}  // namespace

std::unique_ptr<Contents> torch_contents(const Pickle& pickle, TorchStorages storages, const LoadOptions& options,
                                         std::uint64_t file_bytes, PickledModule* module) {
  auto contents = std::make_unique<TorchContents>(std::move(storages));
  TorchValues(pickle, contents->storages(), options, file_bytes).fill(*contents, module);
  return contents;
}

std::unique_ptr<Contents> script_contents(const Pickle& pickle, TorchStorages storages, const LoadOptions& options,
                                          std::uint64_t file_bytes, ScriptCode& code,
                                          std::deque<ScriptObject>* objects) {
  auto contents = std::make_unique<TorchContents>(std::move(storages));
  TorchValues(pickle, contents->storages(), options, file_bytes).fill_script(*contents, code, objects);
  return contents;
}

namespace {

std::unique_ptr<Contents> open_either(std::shared_ptr<const ByteSource> source, const LoadOptions& options,
                                      PickledModule* module) {
  std::byte first{};
  source->read(std::span(&first, 1), 0);
  if (first == std::byte{'P'}) return open_torch_zip(std::move(source), options, module);
  if (first == std::byte{0x80} || first == std::byte{'L'}) return open_torch_legacy(std::move(source), options, module);
  throw UnsupportedError("it is a tar file, as PyTorch wrote before 0.1.10: load it in Python and save it again");
}

}  // namespace

std::unique_ptr<Contents> open_torch(std::shared_ptr<const ByteSource> source, const LoadOptions& options) {
  return open_either(std::move(source), options, nullptr);
}

PickledNetwork open_pickled(std::shared_ptr<const ByteSource> source, const LoadOptions& options) {
  PickledNetwork network;
  network.contents = open_either(std::move(source), options, &network.module);
  return network;
}

}  // namespace teff::serialize

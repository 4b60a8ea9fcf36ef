// SPDX-License-Identifier: MIT
#include "teff/serialize/contents.h"

#include <map>
#include <utility>

namespace teff::serialize {
namespace {

/// The tensors stand for themselves.
class LoadedContents final : public Contents {
 public:
  explicit LoadedContents(Dict dict) {
    structure = std::move(dict);
    map_tensors(structure, [&](const Tensor& tensor) {
      storages_.emplace(key_of(tensor), storages_.size());
      return tensor;
    });
  }

  StoragePlace place_of(const Tensor& tensor) const override { return {storages_.at(key_of(tensor)), {}, {}}; }
  std::vector<Tensor> read(std::span<const Tensor> tensors) const override { return {tensors.begin(), tensors.end()}; }
  std::vector<Damage> check() const override { return {}; }

 private:
  /// Tensors without elements share none: they are told apart by themselves.
  using Key = std::pair<const void*, std::size_t>;
  static Key key_of(const Tensor& tensor) {
    return {tensor.nbytes() > 0 ? tensor.raw_data() : tensor.impl().get(), tensor.nbytes()};
  }
  std::map<Key, std::size_t> storages_;
};

}  // namespace

std::unique_ptr<Contents> loaded_contents(Dict dict) { return std::make_unique<LoadedContents>(std::move(dict)); }

Value read_value(const Contents& contents, const Value& value) {
  std::vector<Tensor> stand_ins;
  map_tensors(value, [&](const Tensor& tensor) { return stand_ins.emplace_back(tensor); });
  const std::vector<Tensor> tensors = contents.read(stand_ins);
  auto next = tensors.begin();
  return map_tensors(value, [&](const Tensor&) { return *next++; });
}

}  // namespace teff::serialize

// SPDX-License-Identifier: MIT
#pragma once

// Private: what PyTorch's pickles mean.

#include <set>
#include <string>
#include <string_view>

#include "teff/engine/dict.h"
#include "teff/serialize/io/place.h"
#include "teff/serialize/io/tensor_listing.h"
#include "teff/serialize/torch/pickle_machine.h"
#include "teff/serialize/torch/torch_storage.h"

namespace teff::serialize {

/// Whether the class or function is one that torch_value interprets, or refuses with more than its name.
bool is_torch_global(std::string_view module, std::string_view name);

/// The pickle as a value: tuples and sets become lists; numbers as keys text; torch.Size a list; a dtype, a device and
/// a class text; an object, where LoadOptions takes it, a dictionary of its attributes. Its tensors are
/// stand-ins, whose elements the storages know.
class TorchValues {
 public:
  TorchValues(const Pickle& pickle, TorchStorages& storages, std::uint64_t file_bytes);

  /// @throws FormatError; for tensors that Teff cannot hold it lists these, and others that the file has.
  Dict dict();

  /// @throws FormatError that names the place.
  [[noreturn]] void refuse(const std::string& what) const;
  Place place;

 private:
  struct View;

  Value value(NodeId id);
  Value value_of(NodeId id);
  Value list(NodeId id);
  Value dict_of(NodeId id);
  Value object(NodeId id);
  Value inert(const Node& node);
  Value call(const std::string& function, std::span<const NodeId> arguments);
  Value tensor(const std::string& function, std::span<const NodeId> arguments);
  Value tensor_of_type(std::span<const NodeId> arguments);
  Value storage(NodeId id);
  Value encoded(std::span<const NodeId> arguments);
  Value device(std::span<const NodeId> arguments) const;
  std::string key(NodeId id) const;
  Tensor make_tensor(const StorageId& id, DType dtype, const View& view);
  void count_copy(const StorageId& id, const View& view, const TensorType& type);

  Value unsupported(const std::string& what);
  void count(std::size_t bytes);
  std::vector<NodeId> items(NodeId id);
  std::vector<NodeId> tuple(NodeId id, const char* what);
  std::int64_t integer(NodeId id, const char* what) const;
  std::vector<std::int64_t> integers(NodeId id, const char* what);

  const Pickle& pickle_;
  TorchStorages& storages_;
  std::uint64_t unfolded_left_;
  std::uint64_t copied_left_;
  int depth_ = 0;  // of calls of value
  std::set<std::string> copies_;
  TensorListing listing_;
};

}  // namespace teff::serialize

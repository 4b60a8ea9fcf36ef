// SPDX-License-Identifier: MIT
#pragma once

// Private: what PyTorch's pickles mean.

#include <deque>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "teff/engine/dict.h"
#include "teff/serialize/contents.h"
#include "teff/serialize/io/place.h"
#include "teff/serialize/io/tensor_listing.h"
#include "teff/serialize/options.h"
#include "teff/serialize/torch/pickle_machine.h"
#include "teff/serialize/torch/torch_globals.h"
#include "teff/serialize/torch/torch_storage.h"

namespace teff::serialize {

class ScriptCode;
struct PickledModule;
struct ScriptObject;

/// The pickle as a value. docs/pytorch.md says what becomes of Python's types. What there is no place for is left out,
/// and listed: so one entry does not hide the others. The tensors are stand-ins, whose elements the storages know.
///
/// The functions stand in several files: containers and the rest in torch_values.cpp, tensors in torch_tensors.cpp,
/// bytes in torch_bytes.cpp, arrays in torch_numpy.cpp, objects of unknown classes in torch_objects.cpp, modules in
/// torch_modules.cpp, TorchScript in torch_script.cpp.
class TorchValues {
 public:
  TorchValues(const Pickle& pickle, TorchStorages& storages, const LoadOptions& options, std::uint64_t file_bytes);

  /// What a file of torch.save holds; the module that it is, if that is asked for, and if it is one. @throws
  /// FormatError for what is damaged or hostile.
  void fill(Contents& contents, PickledModule* module = nullptr);
  /// The state dict of a TorchScript module; its objects if they are asked for. @throws FormatError
  void fill_script(Contents& contents, ScriptCode& code, std::deque<ScriptObject>* objects);

  /// @throws FormatError that names the place.
  [[noreturn]] void refuse(const std::string& what) const;
  Place place;

 private:
  struct View;
  struct NumpyType;
  class Guard;

  void finish(Contents& contents, Value root);
  Value value(NodeId id);
  Value value_of(NodeId id);
  Value list(NodeId id);
  Value dict_of(NodeId id);
  void add_items(Dict& dict, NodeId id, bool merge_members = false);
  std::optional<std::string> key(NodeId id);
  std::string other_key(const std::string& name, NodeId id, bool is_same);
  Value long_integer(NodeId id);
  Value global(NodeId id);
  Value object(NodeId id);
  Value call(Known function, const std::string& name, NodeId id, std::span<const NodeId> arguments);
  Value encoded(std::span<const NodeId> arguments);
  Value byte_array(std::span<const NodeId> arguments);
  Value device(std::span<const NodeId> arguments) const;
  Bytes bytes_at(NodeId id);

  // Objects of classes that nobody knows.
  Value unknown(NodeId id);
  Value inert(NodeId id);
  void add_state(Dict& dict, NodeId state);
  Value back_reference(NodeId id);

  // Tensors.
  Value tensor(Known function, std::span<const NodeId> arguments);
  Value tensor_of_type(NodeId id, std::span<const NodeId> arguments);
  Value storage(NodeId id);
  Tensor make_tensor(const StorageId& id, DType dtype, const View& view);
  void count_copy(const StorageId& id, const View& view, const TensorType& type);

  // numpy
  Value numpy_scalar(std::span<const NodeId> arguments);
  Value numpy_array(NodeId id);
  Value numpy_from_buffer(std::span<const NodeId> arguments);
  Value numpy_type_name(NodeId id);
  std::optional<NumpyType> numpy_type(NodeId id);
  Value make_array(const NumpyType& type, std::span<const std::int64_t> sizes, bool fortran, const Bytes& bytes);

  // Modules.
  struct Members;
  std::optional<Members> members_of(NodeId object);
  Value module(NodeId id);
  void add_module(Dict& state, const std::string& prefix, NodeId id, nn::ModuleSummary& summary, PickledModule* module);
  void describe(const Members& members, PickledModule& module);
  std::optional<Value> plain(NodeId id);
  void count_description(std::size_t bytes);
  void add_unsupported_part(const std::string& prefix, const std::string& what);
  void add_state_item(Dict& state, const std::string& name, NodeId id);
  void add_script_module(Dict& state, const std::string& prefix, NodeId id, ScriptCode& code,
                         nn::ModuleSummary& summary);
  const ScriptObject* script_object(NodeId id, const std::string& path, ScriptCode& code,
                                    std::deque<ScriptObject>& objects);

  /// Lists the entry, a tensor that Teff cannot hold, and makes the container that is being filled leave it out.
  Value unsupported(const std::string& what);
  /// The same for what is no tensor.
  Value unsupported_kind(const std::string& what);
  void list_unsupported(const std::string& what);
  bool take_left_out();
  bool is_skipped();
  void count(std::size_t bytes);
  Known known(NodeId global);
  std::vector<NodeId> items(NodeId id);
  std::vector<NodeId> tuple(NodeId id, const char* what);
  std::int64_t integer(NodeId id, const char* what) const;
  std::vector<std::int64_t> integers(NodeId id, const char* what);

  const Pickle& pickle_;
  TorchStorages& storages_;
  const LoadOptions& options_;
  std::uint64_t unfolded_left_;
  std::uint64_t copied_left_;
  std::vector<NodeId> within_;  // the containers and objects that are being made
  bool left_out_ = false;
  std::set<std::string, std::less<>> skipped_;  // of those to skip, what was there
  std::unordered_map<NodeId, Known> known_;
  std::unordered_map<NodeId, const ScriptObject*> objects_;
  PickledModule* root_module_ = nullptr;
  std::size_t description_left_ = std::size_t{64} << 20;  // bytes that modules and their attributes may take
  std::set<std::string> copies_;
  std::vector<UnsupportedEntry> unsupported_;
  std::vector<FileModule> modules_;
  TensorListing listing_;
};

}  // namespace teff::serialize

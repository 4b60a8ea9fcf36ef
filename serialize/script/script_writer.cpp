// SPDX-License-Identifier: MIT
#include <map>
#include <span>
#include <tuple>

#include "teff/engine/error.h"
#include "teff/serialize/io/limits.h"
#include "teff/serialize/io/place.h"
#include "teff/serialize/io/zip_writer.h"
#include "teff/serialize/script/script_export.h"
#include "teff/serialize/script/script_file.h"
#include "teff/serialize/torch/pickle_writer.h"
#include "teff/serialize/torch/torch_file.h"
#include "teff/serialize/torch/torch_storage.h"

namespace teff::serialize {
namespace {

/// Of the operators' schemas: an archive of an older one would mean other operators by some names. PyTorch 1.13 reads
/// none that is newer.
constexpr std::string_view kScriptVersion = "10\n";

std::vector<std::int64_t> contiguous_strides(const Shape& shape) {
  std::vector<std::int64_t> strides(shape.size(), 1);
  for (std::size_t i = shape.size(); i-- > 1;) strides[i - 1] = strides[i] * std::max<std::int64_t>(shape[i], 1);
  return strides;
}

/// One of the archive's two pickles, with the tensors that it refers to.
class ScriptPickle {
 public:
  /// The whole module.
  void write_module(const nn::GraphModuleData& data, const OutModule& module) {
    const std::string& name = module.class_name;
    const std::size_t dot = name.rfind('.');
    pickle_.global(name.substr(0, dot), name.substr(dot + 1));
    pickle_.empty_tuple();
    pickle_.object();
    pickle_.empty_dict();
    pickle_.mark();
    for (const auto* places : {&module.parameters, &module.buffers}) {
      for (const std::size_t place : *places) {
        const nn::GraphState& state = data.state[place];
        pickle_.shared_text(std::string(OutModules::last_part(state.key)));
        write_tensor(state.tensor, state.key);
      }
    }
    pickle_.shared_text("training");
    pickle_.boolean(data.training);
    for (const OutModule* below : module.children) {
      pickle_.shared_text(below->name);
      write_module(data, *below);
    }
    pickle_.items();
    pickle_.build();
  }

  void write_constants(const std::vector<Tensor>& constants) {
    pickle_.mark();
    for (const Tensor& tensor : constants) write_tensor(tensor, "a constant");
    pickle_.tuple();
  }

  void write_to(ZipWriter& zip, std::string_view entry, std::string_view folder) {
    const std::vector<std::byte>& bytes = pickle_.finish();
    if (bytes.size() > kMaxHeaderBytes) {
      throw ValueError("expected names and structure of at most " + std::to_string(kMaxHeaderBytes) + " bytes, got " +
                       std::to_string(bytes.size()));
    }
    zip.add(entry, bytes);
    for (std::size_t i = 0; i < storages_.size(); ++i) {
      const Tensor& storage = storages_[i];
      zip.add(std::string(folder) + std::to_string(i),
              {static_cast<const std::byte*>(storage.raw_data()), storage.nbytes()});
    }
  }

 private:
  using Key = std::tuple<const void*, DType, std::vector<std::int64_t>, bool>;

  /// A tensor of two keys is one, so that it stays one in training.
  void write_tensor(const Tensor& tensor, const std::string& key) {
    if (storage_type_name(tensor.dtype()) == "Untyped") {
      throw ValueError('"' + escaped(key, 100) + "\": expected a dtype that TorchScript has, got " +
                       std::string(to_string(tensor.dtype())));
    }
    const std::vector<std::int64_t> shape(tensor.shape().begin(), tensor.shape().end());
    const bool trains = tensor.requires_grad();
    const void* const place = tensor.nbytes() > 0 ? tensor.raw_data() : tensor.id();
    const auto known = tensors_.find(Key{place, tensor.dtype(), shape, trains});
    if (known != tensors_.end()) return pickle_.again(known->second);
    pickle_.global("torch._utils", "_rebuild_tensor_v2");
    pickle_.mark();
    write_storage(tensor, place);
    pickle_.integer(0);
    write_numbers(shape);
    write_numbers(contiguous_strides(tensor.shape()));
    pickle_.boolean(trains);
    pickle_.empty_ordered_dict();  // hooks
    pickle_.tuple();
    pickle_.call();
    tensors_.emplace(Key{place, tensor.dtype(), shape, trains}, pickle_.last());
  }

  void write_numbers(const std::vector<std::int64_t>& numbers) {
    pickle_.mark();
    for (const std::int64_t number : numbers) pickle_.integer(number);
    pickle_.tuple();
  }

  void write_storage(const Tensor& tensor, const void* place) {
    const auto [known, is_new] = numbers_.emplace(std::tuple(place, tensor.dtype(), tensor.numel()), storages_.size());
    if (is_new) storages_.push_back(tensor);
    pickle_.mark();
    pickle_.shared_text("storage");
    pickle_.global("torch", std::string(storage_type_name(tensor.dtype())) + "Storage");
    pickle_.shared_text(std::to_string(known->second));
    pickle_.shared_text("cpu");
    pickle_.integer(tensor.numel());
    pickle_.tuple();
    pickle_.persistent();
  }

  PickleWriter pickle_;
  std::vector<Tensor> storages_;
  std::map<std::tuple<const void*, DType, std::int64_t>, std::size_t> numbers_;
  std::map<Key, std::uint32_t> tensors_;
};

}  // namespace

void save_script(const nn::GraphModuleData& data, ByteSink& sink, const SaveOptions& options) {
  if (!options.metadata.empty())
    throw ValueError("expected no SaveOptions::metadata, for which PyTorch's files have no place");
  const OutModules modules(data);
  const ScriptCode code = export_script(data, modules);
  ScriptPickle module, constants;
  module.write_module(data, modules.root());
  constants.write_constants(code.constants);
  ZipWriter zip(sink, "archive");
  const auto add_text = [&](std::string_view name, std::string_view text) {
    zip.add(name, std::as_bytes(std::span(text)));
  };
  module.write_to(zip, "data.pkl", "data/");
  add_text("byteorder", "little");
  for (const auto& [name, text] : modules.classes(code.forward)) add_text(name, text);
  constants.write_to(zip, "constants.pkl", "constants/");
  add_text(".data/version", kScriptVersion);
  add_text(".data/serialization_id", torch_serialization_id(zip.entries()));
  zip.finish();
}

}  // namespace teff::serialize

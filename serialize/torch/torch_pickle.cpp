// SPDX-License-Identifier: MIT
#include "teff/serialize/torch/torch_pickle.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <set>
#include <string>
#include <tuple>

#include "teff/engine/error.h"
#include "teff/serialize/io/place.h"
#include "teff/serialize/io/utf8.h"
#include "teff/serialize/torch/pickle_writer.h"
#include "teff/serialize/torch/torch_storage.h"

namespace teff::serialize {
namespace {

constexpr std::string_view kUntyped = "Untyped";

/// A module's or an optimiser's state, and not a dictionary that happens to hold a tensor beside other things.
bool is_state_dict(const Dict& dict) {
  return !dict.empty() &&
         std::all_of(dict.begin(), dict.end(), [](const DictItem& item) { return item.value.is_tensor(); });
}

bool is_optimizer(const Dict& dict) {
  const Value *state = dict.find("state"), *groups = dict.find("param_groups");
  return state != nullptr && state->is_dict() && groups != nullptr && groups->is_list();
}

/// Whether the text is how Python prints this whole number.
bool is_number(const std::string& text, std::int64_t& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() && std::to_string(number) == text;
}

std::vector<std::int64_t> strides_of(const Shape& shape) {
  std::vector<std::int64_t> strides(shape.size(), 1);
  for (std::size_t i = shape.size(); i-- > 1;) strides[i - 1] = strides[i] * std::max<std::int64_t>(shape[i], 1);
  return strides;
}

class Writer {
 public:
  TorchPickle write(const Dict& dict) {
    write_dict(dict);
    result_.bytes = pickle_.finish();
    return std::move(result_);
  }

  [[noreturn]] void refuse(const std::string& what) const {
    throw ValueError((place.depth() == 0 ? "" : "entry \"" + place.text() + "\": ") + what);
  }
  Place place;

 private:
  void write(const Value& value) {
    switch (value.kind()) {
      case Value::Kind::none:
        return pickle_.none();
      case Value::Kind::boolean:
        return pickle_.boolean(value.as_bool());
      case Value::Kind::integer:
        return pickle_.integer(value.as_int());
      case Value::Kind::floating:
        return pickle_.floating(value.as_float());
      case Value::Kind::text:
        check_text(value.as_text());
        return pickle_.text(value.as_text());
      case Value::Kind::bytes:
        return write_bytes(value.as_bytes());
      case Value::Kind::tensor:
        return write_tensor(value.as_tensor());
      case Value::Kind::list:
        return write_list(value.as_list());
      case Value::Kind::dict:
        return write_dict(value.as_dict());
    }
  }

  void check_text(const std::string& text) const {
    if (!is_utf8(text)) refuse("expected text in UTF-8, got other bytes: keep bytes as Bytes");
  }

  void write_bytes(const Bytes& bytes) { pickle_.bytes({reinterpret_cast<const char*>(bytes.data()), bytes.size()}); }

  void write_list(const List& list) {
    pickle_.empty_list();
    std::size_t i = 0;
    pickle_.elements(list, false, [&](const Value& value) {
      const Within within(*this, i++);
      write(value);
    });
  }

  void write_dict(const Dict& dict) {
    if (is_optimizer(dict)) return write_plain(dict, [&](const DictItem& item) { write_optimizer_item(item); });
    if (!is_state_dict(dict)) return write_plain(dict, [&](const DictItem& item) { write_item(item); });
    pickle_.empty_ordered_dict();
    pickle_.elements(dict, true, [&](const DictItem& item) { write_item(item); });
    write_metadata(dict);
  }

  template <class WriteItem>
  void write_plain(const Dict& dict, WriteItem&& write_one) {
    pickle_.empty_dict();
    pickle_.elements(dict, true, write_one);
  }

  void write_item(const DictItem& item) {
    const Within within(*this, std::string_view(item.key));
    check_text(item.key);
    pickle_.text(item.key);
    write(item.value);
  }

  /// PyTorch looks the state of a parameter up by its number.
  void write_optimizer_item(const DictItem& item) {
    if (item.key != "state") return write_item(item);
    const Within within(*this, std::string_view(item.key));
    pickle_.text(item.key);
    write_plain(item.value.as_dict(), [&](const DictItem& of_parameter) {
      std::int64_t number = 0;
      if (!of_parameter.value.is_dict() || !is_number(of_parameter.key, number)) return write_item(of_parameter);
      const Within inner(*this, std::string_view(of_parameter.key));
      pickle_.integer(number);
      write_plain(of_parameter.value.as_dict(), [&](const DictItem& slot) { write_item(slot); });
    });
  }

  /// The version of each module, by which PyTorch knows how old a file is. Modules without state cannot be seen in a
  /// state dict, and need no version; nor can a key with more dots than modules are deep be one of theirs.
  void write_metadata(const Dict& dict) {
    std::vector<std::string_view> modules{""};
    std::set<std::string_view> seen, batch_norms;  // not hashed: all keys of a file could have one hash
    for (const auto& [key, value] : dict) {
      const std::string_view name = key;
      if (static_cast<std::size_t>(std::count(name.begin(), name.end(), '.')) > kMaxDepth) continue;
      const std::size_t last = name.rfind('.');
      for (std::size_t dot = name.find('.'); dot != name.npos; dot = name.find('.', dot + 1)) {
        if (seen.insert(name.substr(0, dot)).second) modules.push_back(name.substr(0, dot));
      }
      const bool has_dot = last != name.npos;
      if (name.substr(has_dot ? last + 1 : 0) == "num_batches_tracked")
        batch_norms.insert(name.substr(0, has_dot ? last : 0));
    }
    pickle_.empty_dict();
    pickle_.text("_metadata");
    pickle_.empty_ordered_dict();
    pickle_.elements(modules, true, [&](std::string_view module) {
      pickle_.text(module);
      pickle_.empty_dict();
      pickle_.shared_text("version");
      pickle_.integer(batch_norms.contains(module) ? 2 : 1);
      pickle_.item();
    });
    pickle_.item();
    pickle_.build();
  }

  void write_tensor(const Tensor& tensor) {
    if (!tensor.defined()) refuse("expected a defined tensor, got an undefined one");
    if (tensor.dtype() > DType::uint64) {
      refuse("expected a dtype that .pt files have here, got " + std::string(to_string(tensor.dtype())) +
             "; convert with to(DType::float16), or save as .teff");
    }
    // Types that came with PyTorch 2.3 have no class of storages: these are of bytes, and the dtype is named.
    const bool is_new = storage_type_name(tensor.dtype()) == kUntyped;
    pickle_.global("torch._utils", is_new ? "_rebuild_tensor_v3" : "_rebuild_tensor_v2");
    pickle_.mark();
    write_storage(tensor);
    pickle_.integer(0);
    pickle_.tuple_of({tensor.shape().begin(), tensor.shape().end()});
    pickle_.tuple_of(strides_of(tensor.shape()));
    pickle_.boolean(false);        // requires_grad
    pickle_.empty_ordered_dict();  // hooks
    if (is_new) pickle_.global("torch", std::string(to_string(tensor.dtype())));
    pickle_.tuple();
    pickle_.call();
  }

  void write_storage(const Tensor& tensor) {
    const std::string number = std::to_string(storage_of(tensor));
    pickle_.mark();
    pickle_.shared_text("storage");
    const std::string_view type = storage_type_name(tensor.dtype());
    pickle_.global(type == kUntyped ? "torch.storage" : "torch", std::string(type) + "Storage");
    pickle_.shared_text(number);
    pickle_.shared_text("cpu");
    pickle_.integer(type == kUntyped ? static_cast<std::int64_t>(tensor.nbytes()) : tensor.numel());
    pickle_.tuple();
    pickle_.persistent();
  }

  /// Tensors of one dtype with the same elements share a storage.
  std::size_t storage_of(const Tensor& tensor) {
    const std::size_t next = result_.storages.size();
    if (tensor.numel() > 0) {
      const auto [known, is_new] =
          storages_.emplace(std::tuple(tensor.raw_data(), tensor.numel(), tensor.dtype()), next);
      if (!is_new) return known->second;
    }
    result_.storages.push_back(tensor);
    return next;
  }

  PickleWriter pickle_;
  TorchPickle result_;
  std::map<std::tuple<const void*, std::int64_t, DType>, std::size_t> storages_;
};

}  // namespace

TorchPickle pickle_for_torch(const Dict& dict) { return Writer().write(dict); }

}  // namespace teff::serialize

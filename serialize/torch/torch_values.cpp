// SPDX-License-Identifier: MIT
#include "teff/serialize/torch/torch_values.h"

#include <algorithm>

#include "teff/engine/autograd.h"
#include "teff/engine/error.h"
#include "teff/nn/text.h"
#include "teff/serialize/io/limits.h"
#include "teff/serialize/torch/pickle_text.h"
#include "teff/serialize/torch/torch_guard.h"

namespace teff::serialize {
namespace {

constexpr int kMaxCalls = 2 * kMaxDepth;
// Of what a pickle may unfold to, and expanded tensors may take, beyond multiples of its length and the file's.
constexpr std::uint64_t kSlackBytes = 64 * 1024;
constexpr std::size_t kEntryBytes = 100;  // of an entry that is listed as unsupported, beside its texts

}  // namespace

TorchValues::TorchValues(const Pickle& pickle, TorchStorages& storages, const LoadOptions& options,
                         std::uint64_t file_bytes)
    : pickle_(pickle),
      storages_(storages),
      options_(options),
      unfolded_left_(12 * std::uint64_t{pickle.size()} + kSlackBytes),
      copied_left_(8 * file_bytes + kSlackBytes) {}

void TorchValues::fill(Contents& contents, PickledModule* module) {
  const NoGradGuard no_grad;
  root_module_ = module;
  Value root = value(pickle_.root());
  finish(contents, take_left_out() ? Dict() : std::move(root));
}

void TorchValues::finish(Contents& contents, Value root) {
  for (const std::string& name : options_.skip) {
    if (!skipped_.contains(name)) {
      throw FormatError("expected the entries to skip among those of the file, got \"" + escaped(name, kShownOfName) +
                        "\"");
    }
  }
  contents.has_skipped = true;
  contents.unsupported = std::move(unsupported_);
  contents.refusal = listing_.refusal();
  contents.modules = std::move(modules_);
  if (root.is_dict()) {
    contents.structure = std::move(root.as_dict());
  } else {  // torch.save takes anything: a tensor, or a list of them
    contents.structure.insert("", std::move(root));
  }
}

Value TorchValues::value(NodeId id) {
  const NodeKind kind = pickle_[id].kind;
  const bool nests = kind == NodeKind::list || kind == NodeKind::dict || kind == NodeKind::object ||
                     kind == NodeKind::tuple || kind == NodeKind::set;
  if (!nests) return value_of(id);
  if (std::find(within_.begin(), within_.end(), id) != within_.end()) return back_reference(id);
  const Guard guard(*this, id);
  return value_of(id);
}

/// For the lifetime of the guard the value is being made. Objects in objects have no place of their own.
TorchValues::Guard::Guard(TorchValues& values, NodeId id) : values_(values) {
  if (values.within_.size() == kMaxCalls) values.refuse("objects deeper than 128 in each other");
  values.within_.push_back(id);
}
TorchValues::Guard::~Guard() { values_.within_.pop_back(); }

Value TorchValues::value_of(NodeId id) {
  const Node& node = pickle_[id];
  count(8);
  switch (node.kind) {
    case NodeKind::none:
    case NodeKind::content:
      return {};
    case NodeKind::boolean:
      return node.a != 0;
    case NodeKind::integer:
      return pickle_.integer(id);
    case NodeKind::floating:
      return pickle_.floating(id);
    case NodeKind::text:
      count(node.c);
      return pickle_.text(id);
    case NodeKind::bytes:
      return bytes_at(id);
    case NodeKind::long_integer:
    case NodeKind::digits:
      return long_integer(id);
    case NodeKind::tuple:
    case NodeKind::list:
    case NodeKind::set:
      return list(id);
    case NodeKind::dict:
      return dict_of(id);
    case NodeKind::global:
      return global(id);
    case NodeKind::object:
      return object(id);
    case NodeKind::persistent:
      return storage(id);
  }
  return {};
}

/// An integer of more than 64 bits becomes its digits.
Value TorchValues::long_integer(NodeId id) {
  count(pickle_[id].c);
  std::optional<std::string> digits = decimal_of(pickle_, id);
  if (!digits) return unsupported_kind("an integer of more than 2048 bits");
  count(4 * digits->size());  // to make them takes time
  return *std::move(digits);
}

Value TorchValues::list(NodeId id) {
  const std::vector<NodeId> nodes = items(id);
  List list;
  list.reserve(nodes.size());
  for (std::size_t i = 0; const NodeId item : nodes) {
    const Within within(*this, i++);
    if (is_skipped()) {
      list.emplace_back();
      continue;
    }
    list.push_back(value(item));
    if (take_left_out()) list.back() = Value();
  }
  return list;
}

Value TorchValues::dict_of(NodeId id) {
  Dict dict;
  add_items(dict, id);
  return dict;
}

/// `merge_members`: of the state of a module, parameters, buffers and children are attributes, as they are in Python.
void TorchValues::add_items(Dict& dict, NodeId id, bool merge_members) {
  const std::vector<NodeId> nodes = items(id);
  const bool is_first = dict.empty();
  std::set<std::string> not_text;
  for (std::size_t i = 0; i < nodes.size(); i += 2) {
    std::optional<std::string> name = key(nodes[i]);
    if (!name) continue;
    const bool is_members = *name == "_parameters" || *name == "_buffers" || *name == "_modules";
    if (merge_members && is_members && pickle_[nodes[i + 1]].kind == NodeKind::dict) {
      const Guard guard(*this, nodes[i + 1]);
      add_items(dict, nodes[i + 1]);
      continue;
    }
    if (dict.contains(*name)) {
      *name = other_key(*name, nodes[i],
                        is_first && (pickle_[nodes[i]].kind == NodeKind::text) != not_text.contains(*name));
      if (dict.contains(*name)) refuse("expected a key once, got it again");
    } else if (pickle_[nodes[i]].kind != NodeKind::text) {
      not_text.insert(*name);
    }
    const Within within(*this, std::string_view(*name));
    if (is_skipped()) continue;
    count(8 + name->size());
    Value item = value(nodes[i + 1]);
    if (!take_left_out()) dict.insert(*name, std::move(item));
  }
}

/// In Python the key 1 is not the key "1": the later of them is written otherwise.
std::string TorchValues::other_key(const std::string& name, NodeId id, bool is_same) {
  if (is_same) refuse("expected a key once, got it again");
  return pickle_[id].kind == NodeKind::text ? '\'' + name + '\'' : '<' + name + '>';
}

/// Numbers, bools and None by their text. What is more than a value is a key on request only.
std::optional<std::string> TorchValues::key(NodeId id) {
  const auto refused = [&](const std::string& what) -> std::optional<std::string> {
    unsupported_kind("a key that is " + what);
    left_out_ = false;  // the item is, not the whole
    return {};
  };
  const auto printed = [&] {
    std::string text = repr_of(pickle_, id);
    count(text.size());
    return text;
  };
  switch (const NodeKind kind = pickle_[id].kind; kind) {
    case NodeKind::text:
      return std::string(pickle_.text(id));
    case NodeKind::tuple:
    case NodeKind::set:
      return options_.inert_objects ? printed() : refused(kind == NodeKind::set ? "a frozenset" : "a tuple");
    case NodeKind::global: {
      const bool is_constant = known(id) == Known::constant;
      return is_constant || options_.inert_objects ? printed() : refused("a class or function: " + printed());
    }
    case NodeKind::object: {
      const NodeId callee = pickle_[id].a;
      const Known known_class = pickle_[callee].kind == NodeKind::global ? known(callee) : Known::nothing;
      if (known_class == Known::numpy_scalar || known_class == Known::device || known_class == Known::encode) {
        const Value number = value(id);
        if (take_left_out()) return {};
        if (number.is_text()) return number.as_text();
        if (number.is_int()) return std::to_string(number.as_int());
        if (number.is_float()) return nn::detail::python_float(number.as_float());
        if (number.is_bool()) return nn::detail::python_bool(number.as_bool());
      }
      return options_.inert_objects ? printed() : refused("an object of " + made_by(pickle_, id));
    }
    case NodeKind::persistent:
    case NodeKind::list:
    case NodeKind::dict:
    case NodeKind::content:
      return refused("no text or number");
    default:
      return printed();
  }
}

Value TorchValues::global(NodeId id) {
  const std::string name = pickle_.global(id);
  if (known(id) == Known::nothing && !options_.inert_objects) return unsupported_kind("the class or function " + name);
  count(name.size());
  return name;
}

Value TorchValues::object(NodeId id) {
  const Node& node = pickle_[id];
  if (pickle_[node.a].kind != NodeKind::global) return unknown(id);
  const Known function = known(node.a);
  if (function == Known::nothing || function == Known::storage || function == Known::constant) return unknown(id);
  return call(function, pickle_.global(node.a), id, items(node.b));
}

Value TorchValues::call(Known function, const std::string& name, NodeId id, std::span<const NodeId> arguments) {
  const std::size_t given = arguments.size();
  switch (function) {
    case Known::parameter:
      if (given >= 1) return value(arguments[0]);
      break;
    case Known::tensor:
    case Known::tensor_v2:
    case Known::tensor_v3:
      return tensor(function, arguments);
    case Known::tensor_of_type:
      return tensor_of_type(id, arguments);
    case Known::meta_tensor:
      return unsupported("a meta tensor, which has no elements");
    case Known::quantised_tensor:
      return unsupported("quantised");
    case Known::sparse_tensor:
      return unsupported("sparse");
    case Known::other_tensor:
      return unsupported(escaped(name, kShownOfName));
    case Known::size:
      if (given == 1) return value(arguments[0]);
      break;
    case Known::layout:
      if (given == 1) return value(arguments[0]);
      break;
    case Known::device:
      return device(arguments);
    case Known::encode:
      return encoded(arguments);
    case Known::bytes:
      return byte_array(arguments);
    case Known::complex_number:
      return options_.inert_objects ? inert(id) : unsupported_kind("a complex number");
    case Known::graph_module:
      return unknown(id);
    case Known::namespace_: {
      Dict attributes;
      if (const NodeId state = pickle_.object(id).state; state != kNoNode) add_state(attributes, state);
      return attributes;
    }
    case Known::numpy_scalar:
      return numpy_scalar(arguments);
    case Known::numpy_array:
      return numpy_array(id);
    case Known::numpy_from_buffer:
      return numpy_from_buffer(arguments);
    case Known::numpy_dtype:
      return numpy_type_name(id);
    case Known::nothing:
    case Known::storage:
    case Known::constant:
      break;
  }
  refuse("expected no " + escaped(name, kShownOfName) + " with " + std::to_string(given) + " arguments");
}

Value TorchValues::device(std::span<const NodeId> arguments) const {
  if (arguments.empty() || arguments.size() > 2 || pickle_[arguments[0]].kind != NodeKind::text) {
    refuse("expected the name of a device, got something else");
  }
  std::string name(pickle_.text(arguments[0]));
  if (arguments.size() == 2) name += ':' + std::to_string(integer(arguments[1], "the index of a device"));
  return name;
}

Value TorchValues::unsupported(const std::string& what) {
  listing_.add_unsupported(listing_.shows_more_unsupported() ? place.text() : "", what);
  list_unsupported(what);
  return {};
}

Value TorchValues::unsupported_kind(const std::string& what) {
  const bool is_shown = listing_.shows_more_unsupported();
  listing_.add_unknown(is_shown ? place.text() : "", is_shown ? escaped(what, kShownOfName) : "");
  list_unsupported(what);
  return {};
}

void TorchValues::list_unsupported(const std::string& what) {
  std::string path = place.path();
  count(kEntryBytes + path.size() + what.size());
  unsupported_.push_back({std::move(path), what});
  left_out_ = true;
}

bool TorchValues::take_left_out() { return std::exchange(left_out_, false); }

bool TorchValues::is_skipped() {
  if (options_.skip.empty()) return false;
  const std::string path = place.path();
  if (std::find(options_.skip.begin(), options_.skip.end(), path) == options_.skip.end()) return false;
  skipped_.insert(path);
  return true;
}

/// What is referred to again and again counts each time.
void TorchValues::count(std::size_t bytes) {
  if (bytes > unfolded_left_) refuse("the pickle unfolds to much more than its own size");
  unfolded_left_ -= bytes;
}

Known TorchValues::known(NodeId global) {
  const auto [found, is_new] = known_.try_emplace(global, Known::nothing);
  if (is_new) {
    const std::string name = pickle_.global(global);
    const std::size_t module = pickle_[global].a >> 16;
    found->second = known_global(std::string_view(name).substr(0, module), std::string_view(name).substr(module + 1));
  }
  return found->second;
}

std::vector<NodeId> TorchValues::items(NodeId id) {
  count(4 * std::size_t{pickle_[id].a});
  return pickle_.items(id);
}

std::vector<NodeId> TorchValues::tuple(NodeId id, const char* what) {
  if (pickle_[id].kind != NodeKind::tuple) refuse("expected " + std::string(what) + ", got something else");
  return items(id);
}

std::int64_t TorchValues::integer(NodeId id, const char* what) const {
  if (pickle_[id].kind != NodeKind::integer) refuse("expected " + std::string(what) + ", got something else");
  return pickle_.integer(id);
}

std::vector<std::int64_t> TorchValues::integers(NodeId id, const char* what) {
  if (pickle_[id].kind == NodeKind::object) {  // torch.Size
    const std::vector<NodeId> arguments = items(pickle_[id].b);
    if (arguments.size() != 1) refuse("expected " + std::string(what) + ", got something else");
    id = arguments[0];
  }
  std::vector<std::int64_t> values;
  for (const NodeId node : tuple(id, what)) values.push_back(integer(node, what));
  return values;
}

void TorchValues::refuse(const std::string& what) const {
  throw FormatError(place.depth() == 0 ? what : "entry \"" + place.text() + "\": " + what);
}

}  // namespace teff::serialize

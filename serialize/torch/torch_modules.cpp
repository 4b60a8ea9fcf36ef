// SPDX-License-Identifier: MIT

// Whole modules that were pickled: their state dict, as model.state_dict() gives it, and the tree of their classes.

#include <algorithm>

#include "teff/engine/error.h"
#include "teff/serialize/torch/pickle_text.h"
#include "teff/serialize/torch/torch_guard.h"
#include "teff/serialize/torch/torch_layer_text.h"
#include "teff/serialize/torch/torch_module_tree.h"

namespace teff::serialize {
namespace {

constexpr std::size_t kModuleBytes = 128;  // what is kept of one; in a pickle that Python writes it takes more
constexpr std::size_t kAttributeBytes = 128;

}  // namespace

/// None if the object is no module: not every class with a state is one.
std::optional<TorchValues::Members> TorchValues::members_of(NodeId id) {
  if (pickle_[id].kind != NodeKind::object) return {};
  const PickledObject object = pickle_.object(id);
  Members members;
  members.attributes = object.state;
  if (pickle_[object.callee].kind == NodeKind::global && known(object.callee) == Known::graph_module &&
      pickle_[object.arguments].a > 0) {
    members.attributes = pickle_.items(object.arguments, 1)[0];
  }
  if (members.attributes == kNoNode || pickle_[members.attributes].kind != NodeKind::dict) return {};
  const std::vector<NodeId> nodes = items(members.attributes);
  for (std::size_t i = 0; i + 1 < nodes.size(); i += 2) {
    if (pickle_[nodes[i]].kind != NodeKind::text) continue;
    const std::string_view name = pickle_.text(nodes[i]);
    const NodeKind kind = pickle_[nodes[i + 1]].kind;
    if (kind == NodeKind::set && name == "_non_persistent_buffers_set") members.not_saved = nodes[i + 1];
    if (kind != NodeKind::dict) continue;
    if (name == "_parameters") members.parameters = nodes[i + 1];
    if (name == "_buffers") members.buffers = nodes[i + 1];
    if (name == "_modules") members.modules = nodes[i + 1];
  }
  const bool is_module = members.parameters != kNoNode && members.buffers != kNoNode && members.modules != kNoNode;
  return is_module ? std::optional(members) : std::nullopt;
}

Value TorchValues::module(NodeId id) {
  Dict state;
  nn::ModuleSummary summary;
  add_module(state, "", id, summary, id == pickle_.root() ? root_module_ : nullptr);
  modules_.push_back({place.path(), std::move(summary)});
  return state;
}

/// The module's own parameters, its own buffers, and then those of its children, as Python lists them.
void TorchValues::add_module(Dict& state, const std::string& prefix, NodeId id, nn::ModuleSummary& summary,
                             PickledModule* module) {
  const std::string name = class_of(pickle_, pickle_[id].a);
  const std::optional<Members> members = members_of(id);
  if (module != nullptr) {
    module->type = name;
    module->path = prefix.substr(0, prefix.empty() ? 0 : prefix.size() - 1);
    count_description(sizeof(PickledModule) + name.size() + prefix.size());
    if (members) describe(*members, *module);
  }
  const bool is_quantised = name.find(".quantized.") != std::string::npos;
  if (!members || is_quantised) return add_unsupported_part(prefix, is_quantised ? "quantised: " + name : name);
  const auto each = [&](NodeId dict, auto&& visit) {
    const std::vector<NodeId> nodes = items(dict);
    for (std::size_t i = 0; i + 1 < nodes.size(); i += 2) {
      if (pickle_[nodes[i]].kind != NodeKind::text) refuse("expected names of text in a module, got something else");
      if (pickle_[nodes[i + 1]].kind != NodeKind::none) visit(pickle_.text(nodes[i]), nodes[i + 1]);
    }
  };
  std::set<std::string_view> not_saved;
  if (members->not_saved != kNoNode) {
    for (const NodeId item : items(members->not_saved)) {
      if (pickle_[item].kind == NodeKind::text) not_saved.insert(pickle_.text(item));
    }
  }
  std::set<std::string_view> parameters;
  each(members->parameters, [&](std::string_view key, NodeId node) {
    parameters.insert(key);
    if (module != nullptr) module->parameters.emplace_back(key);
    add_state_item(state, prefix + std::string(key), node);
  });
  each(members->buffers, [&](std::string_view key, NodeId node) {
    if (not_saved.contains(key)) return;
    if (module != nullptr) module->buffers.emplace_back(key);
    add_state_item(state, prefix + std::string(key), node);
  });
  count(kModuleBytes);
  const std::size_t dot = name.rfind('.');
  summary.type_name = name.substr(dot + 1);
  count(summary.type_name.size());
  if (name.starts_with("torch.nn.")) {
    summary.extra_repr = layer_text(pickle_, items(members->attributes), summary.type_name,
                                    [&](std::string_view parameter) { return parameters.contains(parameter); });
    count(summary.extra_repr.size());
  }
  each(members->modules, [&](std::string_view key, NodeId node) {
    if (std::find(within_.begin(), within_.end(), node) != within_.end()) {
      return add_unsupported_part(prefix + std::string(key) + '.', "a module that contains itself");
    }
    count(8 + key.size());
    const Guard guard(*this, node);
    summary.children.emplace_back();
    summary.children.back().name = key;
    PickledModule* child = nullptr;
    if (module != nullptr) {
      child = &module->children.emplace_back();
      child->name = key;
    }
    add_module(state, prefix + std::string(key) + '.', node, summary.children.back(), child);
  });
}

/// What is not data of the kinds that PyTorch's layers have is listed by its name.
void TorchValues::describe(const Members& members, PickledModule& module) {
  module.has_members = true;
  const std::vector<NodeId> nodes = pickle_.items(members.attributes);
  for (std::size_t i = 0; i + 1 < nodes.size(); i += 2) {
    if (pickle_[nodes[i]].kind != NodeKind::text) continue;
    const NodeId node = nodes[i + 1];
    if (node == members.parameters || node == members.buffers || node == members.modules) continue;
    std::string name(pickle_.text(nodes[i]));
    count_description(kAttributeBytes + name.size());
    std::optional<Value> value = plain(node);
    if (value && !module.attributes.contains(name)) {
      module.attributes.insert(std::move(name), *std::move(value));
      continue;
    }
    const NodeKind kind = pickle_[node].kind;
    const bool is_empty = (kind == NodeKind::dict || kind == NodeKind::set) && pickle_[node].a == 0;
    if (!is_empty) module.others.push_back(std::move(name));
  }
}

/// None, a bool, a number, a text, or a list or tuple of them; elements that are something else become None.
std::optional<Value> TorchValues::plain(NodeId id) {
  const auto single = [&](NodeId node) -> std::optional<Value> {
    switch (pickle_[node].kind) {
      case NodeKind::none:
        return Value();
      case NodeKind::boolean:
        return pickle_[node].a != 0;
      case NodeKind::integer:
        return pickle_.integer(node);
      case NodeKind::floating:
        return pickle_.floating(node);
      case NodeKind::text:
        count_description(pickle_[node].c);
        return std::string(pickle_.text(node));
      default:
        return {};
    }
  };
  if (std::optional<Value> value = single(id)) return value;
  if (pickle_[id].kind == NodeKind::object && pickle_[pickle_[id].a].kind == NodeKind::global &&
      known(pickle_[id].a) == Known::size && pickle_[pickle_[id].b].a == 1) {
    id = pickle_.items(pickle_[id].b)[0];
  }
  if (pickle_[id].kind != NodeKind::tuple && pickle_[id].kind != NodeKind::list) return {};
  count_description(sizeof(Value) * std::size_t{pickle_[id].a});
  List list;
  for (const NodeId item : pickle_.items(id)) list.push_back(single(item).value_or(Value()));
  return list;
}

void TorchValues::count_description(std::size_t bytes) {
  if (bytes > description_left_)
    throw UnsupportedError("expected a module of some 10000 layers at most, got a larger one");
  description_left_ -= bytes;
}

/// `name` is the whole key: "conv.weight".
void TorchValues::add_state_item(Dict& state, const std::string& name, NodeId node) {
  const Within within(*this, std::string_view(name));
  if (is_skipped()) return;
  count(8 + name.size());
  if (state.contains(name)) refuse("expected a key once, got it again");
  Value item = value(node);
  if (!take_left_out()) state.insert(name, std::move(item));
}

/// A part of a module without a state that is known.
void TorchValues::add_unsupported_part(const std::string& prefix, const std::string& what) {
  const std::string name = prefix.substr(0, prefix.empty() ? 0 : prefix.size() - 1);
  if (name.empty()) {
    unsupported_kind(what);
  } else {
    const Within within(*this, std::string_view(name));
    if (is_skipped()) return;
    what.starts_with("quantised") ? unsupported(escaped(what, kShownOfName)) : unsupported_kind(what);
  }
  left_out_ = false;
}

}  // namespace teff::serialize

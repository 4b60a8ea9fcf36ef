// SPDX-License-Identifier: MIT

// Objects of classes that nobody knows: what they were made with and given, never made.

#include <algorithm>

#include "teff/serialize/torch/pickle_text.h"
#include "teff/serialize/torch/torch_guard.h"

namespace teff::serialize {

Value TorchValues::unknown(NodeId id) {
  if (options_.inert_objects) return inert(id);
  if (members_of(id)) return module(id);
  return unsupported_kind(made_by(pickle_, id));
}

/// All that the pickle says of it. Arguments alone, or the elements of a list, are a list; else it is a dict of the
/// attributes and, of a class derived from dict, of the items.
Value TorchValues::inert(NodeId id) {
  const PickledObject object = pickle_.object(id);
  const bool has_arguments = pickle_[object.arguments].a > 0, has_items = object.items != kNoNode;
  const bool is_called = pickle_[object.callee].kind == NodeKind::object;  // functools.partial(...)(...)
  const bool has_rest = object.state != kNoNode || object.entries != kNoNode || is_called;
  if (has_arguments && !has_items && !has_rest) return list(object.arguments);
  if (has_items && !has_arguments && !has_rest) return list(object.items);
  Dict dict;
  if (object.entries != kNoNode) add_items(dict, object.entries);
  const auto add_part = [&](std::string_view name, auto&& part) {
    if (dict.contains(name)) return;
    const Within within(*this, name);
    if (is_skipped()) return;
    Value made = part();
    if (!take_left_out()) dict.insert(std::string(name), std::move(made));
  };
  if (is_called) add_part("__function__", [&] { return value(object.callee); });
  if (has_arguments) add_part("__arguments__", [&] { return list(object.arguments); });
  if (has_items) add_part("__items__", [&] { return list(object.items); });
  if (object.state == kNoNode) return dict;
  if (object.entries == kNoNode) {
    add_state(dict, object.state);
  } else if (pickle_[object.state].kind != NodeKind::none && pickle_[object.state].a > 0) {
    add_part("__state__", [&] { return value(object.state); });
  }
  return dict;
}

/// The attributes: a dict, or a tuple of the dict, if there is one, and of the attributes of slots.
void TorchValues::add_state(Dict& dict, NodeId state) {
  const auto is_dict_or_none = [&](NodeId part) {
    return pickle_[part].kind == NodeKind::dict || pickle_[part].kind == NodeKind::none;
  };
  const Node& node = pickle_[state];
  const auto is_within = [&](NodeId part) { return std::find(within_.begin(), within_.end(), part) != within_.end(); };
  if (node.kind == NodeKind::dict && !is_within(state)) {
    const Guard guard(*this, state);
    return add_items(dict, state, true);
  }
  if (node.kind == NodeKind::tuple && node.a == 2) {
    const std::vector<NodeId> parts = pickle_.items(state);
    if (is_dict_or_none(parts[0]) && is_dict_or_none(parts[1]) && !is_within(parts[0]) && !is_within(parts[1])) {
      for (const NodeId part : parts) {
        if (pickle_[part].kind == NodeKind::dict) add_state(dict, part);
      }
      return;
    }
  }
  const std::string_view name = "__state__";
  if (dict.contains(name)) return;
  const Within within(*this, name);
  Value made = value(state);
  if (!take_left_out()) dict.insert(std::string(name), std::move(made));
}

/// What contains itself is named where it comes again.
Value TorchValues::back_reference(NodeId id) {
  const Node& node = pickle_[id];
  const std::string what = node.kind == NodeKind::object ? class_of(pickle_, node.a)
                           : node.kind == NodeKind::dict ? "a dict"
                           : node.kind == NodeKind::list ? "a list"
                                                         : "a tuple";
  if (!options_.inert_objects) return unsupported_kind(what + " that contains itself");
  count(what.size());
  return '<' + what + " that contains this>";
}

}  // namespace teff::serialize

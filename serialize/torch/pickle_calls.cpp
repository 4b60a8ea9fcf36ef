// SPDX-License-Identifier: MIT
#include "teff/serialize/torch/pickle_calls.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace teff::serialize {

std::optional<NodeKind> PickleCalls::container_class(NodeId callee) const {
  if (pickle_[callee].kind != NodeKind::global) return {};
  static constexpr std::array<std::pair<std::string_view, NodeKind>, 8> kClasses = {{
      {"collections.OrderedDict", NodeKind::dict},
      {"collections.Counter", NodeKind::dict},
      {"collections.defaultdict", NodeKind::dict},
      {"collections.deque", NodeKind::list},
      {"__builtin__.set", NodeKind::set},
      {"builtins.set", NodeKind::set},
      {"__builtin__.frozenset", NodeKind::set},
      {"builtins.frozenset", NodeKind::set},
  }};
  const std::string name = pickle_.global(callee);
  const auto found = std::find_if(kClasses.begin(), kClasses.end(), [&](const auto& c) { return c.first == name; });
  return found == kClasses.end() ? std::nullopt : std::optional(found->second);
}

void PickleCalls::call(const char* what) {
  const NodeId arguments = stack_[below(2) + 1], callee = stack_[below(2)];
  const NodeKind kind = pickle_[callee].kind;
  if (kind != NodeKind::global && kind != NodeKind::persistent && kind != NodeKind::object) {
    refuse("expected a class or function with its " + std::string(what) + ", got " + kind_name(kind));
  }
  if (pickle_[arguments].kind != NodeKind::tuple) {
    refuse("expected a tuple of " + std::string(what) + ", got " + kind_name(pickle_[arguments].kind));
  }
  stack_.resize(below(2));
  const std::optional<NodeKind> container = container_class(callee);
  if (container == NodeKind::dict) return push_dict(callee, arguments);
  if (container) return push_copy(*container, arguments);
  if (!push_reconstructed(callee, arguments)) push(add({NodeKind::object, callee, arguments, kNoNode}));
}

void PickleCalls::call_with_keywords() {
  const std::size_t begin = below(3);
  const NodeId arguments = stack_[begin + 1], keywords = stack_[begin + 2];
  if (pickle_[arguments].kind != NodeKind::tuple || pickle_[keywords].kind != NodeKind::dict) {
    refuse("expected a tuple of arguments and a dict of more, got something else");
  }
  stack_.pop_back();
  if (pickle_[keywords].a > 0) {
    const NodeId all = add({NodeKind::tuple, 0, kNoNode, kNoNode});
    append_all(all, arguments);
    append(all, keywords);
    stack_.back() = all;
  }
  call("arguments of a class");
}

void PickleCalls::call_marked() {
  const std::size_t begin = pop_mark();
  if (stack_.size() == begin) refuse("expected a class behind the mark, got nothing");
  push_tuple(begin + 1);
  call("arguments of a class");
}

bool PickleCalls::push_reconstructed(NodeId callee, NodeId arguments) {
  if (pickle_[callee].kind != NodeKind::global || pickle_[arguments].a != 3) return false;
  const std::string name = pickle_.global(callee);
  if (name != "copy_reg._reconstructor" && name != "copyreg._reconstructor") return false;
  const std::vector<NodeId> fields = pickle_.items(arguments);
  const NodeKind class_kind = pickle_[fields[0]].kind;
  if (class_kind != NodeKind::global && class_kind != NodeKind::persistent) return false;
  const NodeKind kind = pickle_[fields[2]].kind;
  const bool is_container = kind == NodeKind::dict || kind == NodeKind::list;
  NodeId given = kEmptyTuple;
  if (kind == NodeKind::tuple) {
    given = fields[2];
  } else if (kind != NodeKind::none && !is_container) {
    push(fields[2]);
    push_tuple(below(1));
    given = pop();
  }
  const NodeId object = add({NodeKind::object, fields[0], given, kNoNode});
  if (is_container) {
    Node& content = node(content_of(object));
    (kind == NodeKind::dict ? content.c : content.b) = fields[2];
  }
  push(object);
  return true;
}

void PickleCalls::push_copy(NodeKind kind, NodeId arguments) {
  const std::vector<NodeId> items = pickle_.items(arguments);
  if (!items.empty() && (!is_container(pickle_[items[0]].kind) || pickle_[items[0]].kind == NodeKind::dict)) {
    refuse("expected " + std::string(kind_name(kind)) + " of nothing or of a list, got " +
           kind_name(pickle_[items[0]].kind));
  }
  push_empty(kind);
  if (!items.empty()) append_all(stack_.back(), items[0]);
}

void PickleCalls::push_dict(NodeId callee, NodeId arguments) {
  const std::vector<NodeId> items = pickle_.items(arguments);
  if (items.empty() || pickle_.global(callee) == "collections.defaultdict") return push_empty(NodeKind::dict);
  const Node first = pickle_[items[0]];
  if (items.size() != 1 || (first.kind != NodeKind::list && first.kind != NodeKind::dict)) {
    refuse("expected a dict of nothing, of a dict, or of a list of pairs");
  }
  push_empty(NodeKind::dict);
  const NodeId dict = stack_.back();
  if (first.kind == NodeKind::dict) return append_all(dict, items[0]);
  for (const NodeId item : pickle_.items(items[0])) {
    const bool is_pair = is_container(pickle_[item].kind) && pickle_[item].a == 2;
    if (!is_pair) refuse("expected a list of pairs, got " + std::string(kind_name(pickle_[item].kind)) + " in it");
    append_all(dict, item);
  }
}

void PickleCalls::build() {
  const NodeId state = stack_[below(2) + 1], target = stack_[below(2)];
  const NodeKind kind = pickle_[target].kind;
  if (kind == NodeKind::object) {
    Node& content = node(content_of(target));
    if (content.a != kNoNode) refuse("expected the state of an object once, got it again");
    content.a = state;
  } else if (!is_container(kind) || kind == NodeKind::tuple || pickle_[state].kind != NodeKind::dict) {
    refuse("expected a dict of attributes for an OrderedDict, got " + std::string(kind_name(pickle_[state].kind)) +
           " for " + kind_name(kind));
  }
  stack_.pop_back();
}

}  // namespace teff::serialize

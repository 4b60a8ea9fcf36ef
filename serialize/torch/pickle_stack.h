// SPDX-License-Identifier: MIT
#pragma once

// Private: the stack of the pickle machine, and the arena that its values lie in.

#include <array>
#include <deque>
#include <string>
#include <vector>

#include "teff/serialize/torch/pickle_operands.h"

namespace teff::serialize {

class PickleStack : protected PickleOperands {
 protected:
  PickleStack(Pickle& pickle, std::uint64_t offset) : PickleOperands(pickle.bytes_, offset), pickle_(pickle) {
    add({NodeKind::none});
    add({NodeKind::boolean, 0});
    add({NodeKind::boolean, 1});
    add({NodeKind::tuple, 0, kNoNode, kNoNode});
  }

  static constexpr std::size_t kMaxStack = 1 << 17;
  static constexpr std::size_t kMaxPickleNodes = 1 << 23;
  // Nodes that every pickle begins with: values that need no place of their own.
  static constexpr NodeId kNone = 0, kFalse = 1, kTrue = 2, kEmptyTuple = 3;

  static bool is_container(NodeKind kind) {
    return kind == NodeKind::tuple || kind == NodeKind::list || kind == NodeKind::set || kind == NodeKind::dict;
  }

  static const char* kind_name(NodeKind kind) {
    static constexpr std::array kNames = {"None",     "a bool",         "an integer",          "a float",   "text",
                                          "bytes",    "a long integer", "a long integer",      "a tuple",   "a list",
                                          "a set",    "a dict",         "a class or function", "an object", "a content",
                                          "a storage"};
    return kNames[static_cast<std::size_t>(kind)];
  }

  Node& node(NodeId id) { return pickle_.nodes_[id]; }

  NodeId add(const Node& node) {
    if (pickle_.nodes_.size() == kMaxPickleNodes) refuse("expected at most 2^23 values, got more");
    pickle_.nodes_.push_back(node);
    return static_cast<NodeId>(pickle_.nodes_.size() - 1);
  }
  void push(NodeId node) {
    if (stack_.size() == kMaxStack) refuse("expected at most 2^17 values on the stack, got more");
    stack_.push_back(node);
  }
  std::size_t floor() const { return marks_.empty() ? 0 : marks_.back(); }
  /// The place of the `count`-th value from above.
  std::size_t below(std::size_t count) const {
    if (stack_.size() - floor() < count) {
      refuse("expected " + std::to_string(count) + (count == 1 ? " value" : " values") + " on the stack, got fewer");
    }
    return stack_.size() - count;
  }
  NodeId pop() {
    const NodeId node = stack_[below(1)];
    stack_.pop_back();
    return node;
  }
  void push_mark() {
    if (marks_.size() == kMaxStack) refuse("expected at most 2^17 marks, got more");
    marks_.push_back(stack_.size());
  }
  std::size_t pop_mark() {
    if (marks_.empty()) refuse("expected a mark on the stack, got none");
    const std::size_t mark = marks_.back();
    marks_.pop_back();
    return mark;
  }
  void push_empty(NodeKind kind) { push(add({kind, 0, kNoNode, kNoNode})); }

  void push_tuple(std::size_t begin) { push_container(NodeKind::tuple, begin); }
  void push_container(NodeKind kind, std::size_t begin) {
    const NodeId container = add({kind, 0, kNoNode, kNoNode});
    append_from(container, begin);
    push(container);
  }
  /// Moves all from there on to the end of the container.
  void append_from(NodeId container, std::size_t begin) {
    for (std::size_t i = begin; i < stack_.size(); ++i) append(container, stack_[i]);
    stack_.resize(begin);
  }
  void append(NodeId container, NodeId item) {
    // More elements than bytes: the same list, taken into dicts again and again.
    if (pickle_.cells_.size() >= position_) refuse("expected at most as many elements as bytes, got more");
    const auto cell = static_cast<std::uint32_t>(pickle_.cells_.size());
    pickle_.cells_.push_back({item, kNoNode});
    Node& target = node(container);
    if (target.a++ == 0) {
      target.b = cell;
    } else {
      pickle_.cells_[target.c].next = cell;
    }
    target.c = cell;
  }
  void append_all(NodeId container, NodeId from) {
    for (const NodeId item : pickle_.items(from)) append(container, item);
  }

  /// The list or dict of an object whose class is derived from one, made if it has none yet.
  NodeId content_of(NodeId object, NodeKind& kind) {
    if (kind == NodeKind::set) kind = NodeKind::list;
    Node& content = node(content_of(object));
    NodeId& part = kind == NodeKind::dict ? content.c : content.b;
    if (part == kNoNode) part = add({kind, 0, kNoNode, kNoNode});
    return part;
  }
  NodeId content_of(NodeId object) {
    if (pickle_[object].c == kNoNode) {
      const NodeId content = add({NodeKind::content, kNoNode, kNoNode, kNoNode});
      node(object).c = content;
    }
    return pickle_[object].c;
  }

  Pickle& pickle_;
  std::deque<NodeId> stack_;  // of chunks, like the nodes
  std::vector<std::size_t> marks_;
};

}  // namespace teff::serialize

// SPDX-License-Identifier: MIT
#pragma once

// Private: Python's pickles, read without running anything.
//
// The machine turns a pickle into a graph of nodes: numbers, text, containers, names of classes and functions, and
// records "this called with that", which whoever asked for the pickle interprets or refuses. Nodes lie in an arena and
// refer to each other by number; so a list of lists of lists costs no stack, neither to make nor to delete, and each
// opcode costs a bounded amount of memory.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "teff/engine/error.h"

namespace teff::serialize {

using NodeId = std::uint32_t;

enum class NodeKind : std::uint8_t {
  none,
  boolean,       // a
  integer,       // b and c: the two halves
  floating,      // the same
  text,          // b, c: begin and length in the pickle
  bytes,         // the same
  long_integer,  // the same: an integer of more than 64 bits, in two's complement
  digits,        // the same: one in decimal digits, as protocol 1 has it
  tuple,         // b, c: first and last cell; a: number of cells
  list,          // the same
  set,           // the same
  dict,          // the same; keys and values in turn
  global,        // b, c: begins of module and name in the pickle; a: their lengths, 16 bits each
  object,        // a: what is called; b: the tuple of arguments; c: its content, or kNoNode
  content,       // of an object. a: its state; b: the list, c: the dict of what was added to it. Each may be kNoNode
  persistent,    // a: what the id is
};

struct Node {
  NodeKind kind = NodeKind::none;
  std::uint32_t a = 0, b = 0, c = 0;
};

inline constexpr NodeId kNoNode = 0xffffffff;

/// What a pickle says of an object. Nodes that are not there are kNoNode.
struct PickledObject {
  NodeId callee = kNoNode;  // the class or function
  NodeId arguments = kNoNode;
  NodeId state = kNoNode;
  NodeId items = kNoNode;    // of a subclass of list or set: a list
  NodeId entries = kNoNode;  // of a subclass of dict: a dict
};

/// The bytes end before the pickle does.
struct PickleCutOff : FormatError {
  using FormatError::FormatError;
};

/// What a pickle holds. Texts are in the bytes that it was read from, which must outlive it.
class Pickle {
 public:
  /// Reads one pickle from the beginning of the bytes, which stand at `offset` in the file. @throws FormatError that
  /// names opcode and offset for an opcode that no pickle of PyTorch has, what is not well-formed, and what exceeds the
  /// limits.
  Pickle(std::span<const std::byte> bytes, std::uint64_t offset);

  NodeId root() const { return root_; }
  /// Length of the pickle.
  std::size_t size() const { return size_; }
  const Node& operator[](NodeId id) const { return nodes_[id]; }
  std::size_t num_nodes() const { return nodes_.size(); }

  std::int64_t integer(NodeId id) const;
  double floating(NodeId id) const;
  std::string_view text(NodeId id) const;  // of text, bytes, long_integer and digits
  /// `torch._utils._rebuild_tensor_v2`
  std::string global(NodeId id) const;
  PickledObject object(NodeId id) const;
  /// Elements of a container, or the first of them; keys and values in turn for a dict.
  std::vector<NodeId> items(NodeId id, std::size_t most = kNoNode) const;
  /// All of that kind, in the order of the file.
  std::vector<NodeId> all(NodeKind kind) const;

 private:
  friend class PickleStack;  // the machine is derived from it
  friend class PickleMachine;
  struct Cell {
    NodeId node;
    std::uint32_t next;
  };

  std::span<const std::byte> bytes_;
  std::deque<Node> nodes_;  // of chunks: growing copies nothing
  std::deque<Cell> cells_;
  NodeId root_ = kNoNode;
  std::size_t size_ = 0;
};

}  // namespace teff::serialize

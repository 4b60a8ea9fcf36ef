// SPDX-License-Identifier: MIT
#pragma once

// Private: Python's pickles, read without running anything.
//
// The machine turns a pickle into a graph of nodes: numbers, text, containers, names of classes and functions, and
// records "this called with that", which whoever asked for the pickle interprets. Nodes lie in an arena and refer to
// each other by number; so a list of lists of lists costs no stack, neither to make nor to delete, and each opcode
// costs a bounded amount of memory.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
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
  long_integer,  // the same: an integer of more than 64 bits
  tuple,         // b, c: first and last cell; a: number of cells
  list,          // the same
  set,           // the same
  dict,          // the same; keys and values in turn
  global,        // b, c: begins of module and name in the pickle; a: their lengths, 16 bits each
  object,        // a: what is called; b: the tuple of arguments; c: the state that was given to it, or kNoNode
  persistent,    // a: what the id is
};

struct Node {
  NodeKind kind = NodeKind::none;
  std::uint32_t a = 0, b = 0, c = 0;
};

inline constexpr NodeId kNoNode = 0xffffffff;

struct PickleOptions {
  std::uint64_t offset = 0;  // of the pickle in the file, for error messages
  /// Whether a class or function is among those that the caller interprets; others are refused where they are named.
  std::function<bool(std::string_view module, std::string_view name)> knows;
  /// Takes objects of all classes as records of their state.
  bool inert_objects = false;
};

/// The bytes end before the pickle does.
struct PickleCutOff : FormatError {
  using FormatError::FormatError;
};

/// What a pickle holds. Texts are in the bytes that it was read from, which must outlive it.
class Pickle {
 public:
  /// Reads one pickle from the beginning of the bytes. @throws FormatError that names opcode and offset for what a
  /// dictionary of tensors does not need, what is not well-formed, and what exceeds the limits.
  Pickle(std::span<const std::byte> bytes, const PickleOptions& options);

  NodeId root() const { return root_; }
  /// Length of the pickle.
  std::size_t size() const { return size_; }
  const Node& operator[](NodeId id) const { return nodes_[id]; }
  std::size_t num_nodes() const { return nodes_.size(); }

  std::int64_t integer(NodeId id) const;
  double floating(NodeId id) const;
  std::string_view text(NodeId id) const;  // of text, bytes and long_integer
  /// `torch._utils._rebuild_tensor_v2`
  std::string global(NodeId id) const;
  /// Elements of a container; keys and values in turn for a dict.
  std::vector<NodeId> items(NodeId id) const;
  /// All of that kind, in the order of the file.
  std::vector<NodeId> all(NodeKind kind) const;

 private:
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

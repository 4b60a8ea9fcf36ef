// SPDX-License-Identifier: MIT

// What a pickle's nodes say; pickle_machine.cpp makes them.

#include <algorithm>
#include <bit>

#include "teff/serialize/torch/pickle_machine.h"

namespace teff::serialize {
namespace {

std::uint64_t halves(const Node& node) { return node.b | std::uint64_t{node.c} << 32; }

}  // namespace

std::int64_t Pickle::integer(NodeId id) const { return static_cast<std::int64_t>(halves(nodes_[id])); }

double Pickle::floating(NodeId id) const { return std::bit_cast<double>(halves(nodes_[id])); }

std::string_view Pickle::text(NodeId id) const {
  return {reinterpret_cast<const char*>(bytes_.data()) + nodes_[id].b, nodes_[id].c};
}

std::string Pickle::global(NodeId id) const {
  const Node& node = nodes_[id];
  const char* text = reinterpret_cast<const char*>(bytes_.data());
  return std::string(text + node.b, node.a >> 16) + '.' + std::string(text + node.c, node.a & 0xffff);
}

PickledObject Pickle::object(NodeId id) const {
  const Node& node = nodes_[id];
  PickledObject object{node.a, node.b, kNoNode, kNoNode, kNoNode};
  if (node.c != kNoNode) {
    const Node& content = nodes_[node.c];
    object.state = content.a;
    object.items = content.b;
    object.entries = content.c;
  }
  return object;
}

std::vector<NodeId> Pickle::items(NodeId id, std::size_t most) const {
  const Node& node = nodes_[id];
  const std::size_t count = std::min<std::size_t>(node.a, most);
  std::vector<NodeId> items;
  items.reserve(count);
  for (std::uint32_t cell = node.b; items.size() < count; cell = cells_[cell].next) items.push_back(cells_[cell].node);
  return items;
}

std::vector<NodeId> Pickle::all(NodeKind kind) const {
  std::vector<NodeId> found;
  for (NodeId id = 0; id < nodes_.size(); ++id) {
    if (nodes_[id].kind == kind) found.push_back(id);
  }
  return found;
}

}  // namespace teff::serialize

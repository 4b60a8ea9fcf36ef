// SPDX-License-Identifier: MIT
#include "teff/serialize/operators/export_rules.h"

#include <set>

#include "teff/engine/error.h"
#include "teff/engine/graph_attributes.h"
#include "teff/engine/op_registry.h"

namespace teff::serialize {

void check_operations(const Graph& graph, std::string_view format, const Decline& decline) {
  std::set<std::string> refused;
  for (const GraphNode& node : graph.nodes) {
    if (node.kind != GraphNode::Kind::call) continue;
    if (const auto reason = decline(node.target)) refused.insert(node.target + " (" + *reason + ')');
  }
  if (refused.empty()) return;
  std::string text;
  for (const std::string& one : refused) text += (text.empty() ? "" : ", ") + one;
  throw ValueError("expected operations that " + std::string(format) + " has, got " + text);
}

void fill_attributes(Graph& graph) {
  const auto shape_of = [&](std::int64_t place) { return &graph.nodes[static_cast<std::size_t>(place)].type.shape; };
  for (GraphNode& node : graph.nodes) {
    if (node.kind != GraphNode::Kind::call) continue;
    const Dict resolved = teff::detail::resolve_sizes(node.attributes, shape_of);
    for (const auto& [key, value] : make_op(node.target, resolved, node.version)->attributes()) {
      if (!node.attributes.contains(key)) node.attributes.insert(key, value);
    }
  }
}

}  // namespace teff::serialize

// SPDX-License-Identifier: MIT
#include "teff/engine/graph.h"

#include <ostream>

#include "teff/engine/error.h"
#include "teff/engine/error_text.h"
#include "teff/engine/graph_attributes.h"
#include "teff/engine/op_registry.h"
#include "teff/engine/text.h"

namespace teff {
namespace {

/// Whether the call follows the mode of the graph: it has the attribute, or trains without it.
bool follows_mode(const Graph& graph, const GraphNode& call) {
  if (call.attributes.contains("training")) return true;
  try {
    const Dict attributes = detail::resolve_sizes(call.attributes, [&](std::int64_t place) {
      return place < 0 || place >= std::ssize(graph.nodes) ? nullptr
                                                           : &graph.nodes[static_cast<std::size_t>(place)].type.shape;
    });
    return make_op(call.target, attributes, call.version)->is_training();
  } catch (const Error&) {  // an op that nobody has registered
    return false;
  }
}

}  // namespace

std::string_view to_string(GraphNode::Kind kind) {
  switch (kind) {
    case GraphNode::Kind::placeholder:
      return "placeholder";
    case GraphNode::Kind::get_attr:
      return "get_attr";
    case GraphNode::Kind::call:
      return "call";
    case GraphNode::Kind::result:
      return "result";
  }
  return "unknown";
}

std::size_t result_count(const Graph& graph, std::size_t place) {
  std::size_t count = 1;
  if (graph.nodes[place].kind != GraphNode::Kind::call) return count;
  while (place + count < graph.nodes.size() && graph.nodes[place + count].kind == GraphNode::Kind::result) ++count;
  return count;
}

std::ostream& operator<<(std::ostream& out, const Graph& graph) {
  std::size_t results = 1;
  for (std::size_t place = 0; place < graph.nodes.size(); place += results) {
    const GraphNode& node = graph.nodes[place];
    results = result_count(graph, place);
    for (std::size_t i = 0; i < results; ++i) out << (i == 0 ? "%" : ", %") << place + i;
    out << ' ' << (node.kind == GraphNode::Kind::call ? node.target : to_string(node.kind));
    if (node.kind == GraphNode::Kind::get_attr) out << ' ' << detail::escaped(node.target);
    if (node.kind == GraphNode::Kind::placeholder) out << ' ' << detail::escaped(node.name);
    if (node.kind == GraphNode::Kind::call) {
      const char* separator = "(";
      for (const std::int64_t input : node.inputs) {
        out << separator << '%' << input;
        separator = ", ";
      }
      out << (node.inputs.empty() ? "()" : ")");
      if (!node.attributes.empty()) out << ' ' << node.attributes;
    }
    for (std::size_t i = 0; i < results; ++i) {
      out << (i == 0 ? " -> " : ", ") << detail::describe(graph.nodes[place + i].type);
    }
    if (!node.scope.empty()) out << "  # " << detail::escaped(node.scope);
    out << '\n';
  }
  const char* separator = "free ";
  for (const auto& [places, least] : graph.free_sizes) {
    for (const InputDim& place : places) {
      out << separator << '%' << place.input << '[' << place.dim << ']';
      separator = " = ";
    }
    if (least > 1) out << " >= " << least;
    separator = ", ";
  }
  out << (graph.free_sizes.empty() ? "return" : "\nreturn");
  separator = " ";
  for (const std::int64_t output : graph.outputs) {
    out << separator << '%' << output;
    separator = ", ";
  }
  return out << '\n';
}

void set_training(Graph& graph, bool training) {
  for (GraphNode& node : graph.nodes) {
    if (node.kind == GraphNode::Kind::call && follows_mode(graph, node)) node.attributes["training"] = training;
  }
}

}  // namespace teff

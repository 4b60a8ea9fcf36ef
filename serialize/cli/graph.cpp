// SPDX-License-Identifier: MIT
#include <iostream>
#include <set>

#include <teff/teff.h>

#include "teff/serialize/cli/command.h"
#include "teff/serialize/cli/input.h"
#include "teff/serialize/cli/text.h"

namespace teff::cli {
namespace {

/// A string of DOT. Graphviz reads \n in a label as the end of a line, and reads no other escapes here.
std::string quoted(const std::vector<std::string>& lines) {
  std::string text = "\"";
  for (const std::string& line : lines) {
    if (line.empty()) continue;
    if (text.size() > 1) text += "\\n";
    for (const char c : printable(line)) {
      if (c == '"' || c == '\\') text += '\\';
      text += c;
    }
  }
  return text + '"';
}

std::vector<std::string> label(const Graph& graph, std::size_t place) {
  const GraphNode& node = graph.nodes[place];
  const std::string type = type_text(node.type);
  switch (node.kind) {
    case GraphNode::Kind::placeholder:
      return {node.name, type};
    case GraphNode::Kind::get_attr:
      return {node.target, type};
    case GraphNode::Kind::result:
      return {"result " + std::to_string(place - static_cast<std::size_t>(node.inputs[0])), type};
    case GraphNode::Kind::call:
      break;
  }
  return {node.target, node.scope, type};
}

const char* look(GraphNode::Kind kind) {
  switch (kind) {
    case GraphNode::Kind::placeholder:
      return "shape=ellipse";
    case GraphNode::Kind::get_attr:
      return "shape=note, fontsize=10";
    case GraphNode::Kind::result:
      return "shape=box, style=rounded";
    case GraphNode::Kind::call:
      break;
  }
  return "shape=box";
}

void print_dot(const Graph& graph, bool parameters) {
  const auto is_shown = [&](std::size_t place) {
    return parameters || graph.nodes[place].kind != GraphNode::Kind::get_attr;
  };
  std::cout << "digraph {\n  node [fontname=\"sans-serif\"];\n";
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    if (!is_shown(i)) continue;
    const GraphNode& node = graph.nodes[i];
    std::cout << "  n" << i << " [label=" << quoted(label(graph, i)) << ", " << look(node.kind) << "];\n";
    for (const std::int64_t input : std::set(node.inputs.begin(), node.inputs.end())) {
      if (is_shown(static_cast<std::size_t>(input))) std::cout << "  n" << input << " -> n" << i << ";\n";
    }
  }
  for (std::size_t i = 0; i < graph.outputs.size(); ++i) {
    const auto place = static_cast<std::size_t>(graph.outputs[i]);
    if (!is_shown(place)) continue;
    std::cout << "  out" << i << " [label=" << quoted({"output " + std::to_string(i)}) << ", shape=ellipse];\n"
              << "  n" << place << " -> out" << i << ";\n";
  }
  std::cout << "}\n";
}

int graph(const std::string& path, bool parameters, const LoadOptions& loading) {
  const File file = open_file(path, loading);
  if (file.format() == FileFormat::onnx || is_torch_network(file) || is_pickled_module(file)) {
    print_dot(open_model(path, loading).graph(), parameters);
    return kOk;
  }
  if (file.model() == nullptr) {
    throw ValueError("graph: " + path + ": expected an entire model, got a dictionary, which has no graph");
  }
  print_dot(file.model()->graph, parameters);
  return kOk;
}

std::function<int()> set_up(Parameters& parameters) {
  struct Options {
    std::string path;
    bool parameters = false;
    LoadOptions loading;
  };
  const auto options = std::make_shared<Options>();
  parameters.required("FILE", options->path, "an entire model, of any format that `teff convert` takes one from");
  parameters.flag("--parameters", options->parameters, "show parameters, buffers and constants, too");
  parameters.input_types(options->loading);
  return [options] { return graph(options->path, options->parameters, options->loading); };
}

}  // namespace

const Command kGraph = {"graph", "Prints the graph of a model in the language of Graphviz",
                        "Examples:\n"
                        "  teff graph model.teff | dot -Tsvg -o model.svg",
                        set_up};

}  // namespace teff::cli

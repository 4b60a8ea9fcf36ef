// SPDX-License-Identifier: MIT
#include <algorithm>
#include <iomanip>
#include <iostream>
#include <memory>
#include <sstream>

#include <teff/teff.h>

#include "teff/serialize/cli/command.h"
#include "teff/serialize/cli/input.h"
#include "teff/serialize/cli/json.h"
#include "teff/serialize/cli/text.h"

namespace teff::cli {
namespace {

std::string format_name(const File& file) {
  std::string name(to_string(file.format()));
  return file.version() > 0 ? name + " version " + std::to_string(file.version()) : name;
}

std::string shown(const std::optional<std::uint64_t>& offset) { return offset ? std::to_string(*offset) : "-"; }

struct Totals {
  std::int64_t elements = 0;
  std::uint64_t bytes = 0;  // what several tensors share counts once
};

Totals totals_of(const std::vector<FileEntry>& entries) {
  Totals totals;
  for (const FileEntry& entry : entries) {
    if (!entry.shared_with.empty()) continue;
    totals.elements += numel(entry.type.shape);
    totals.bytes += entry.bytes;
  }
  return totals;
}

/// What else there is to say of the entries: whose elements they share; of a model, what does not learn.
std::vector<std::string> notes_on(const File& file, const std::vector<FileEntry>& entries) {
  std::vector<std::string> notes;
  for (const FileEntry& entry : entries) notes.push_back(entry.shared_with.empty() ? "" : "= " + entry.shared_with);
  if (file.model() == nullptr) return notes;
  for (std::size_t i = 0; i < file.model()->state.size(); ++i) {  // the state dict comes first
    const nn::GraphState& state = file.model()->state[i];
    const char* role = !state.is_parameter ? "buffer" : state.tensor.requires_grad() ? "" : "frozen";
    notes[i] += (notes[i].empty() || *role == '\0' ? "" : ", ") + std::string(role);
  }
  return notes;
}

void print_values(const File& file, const std::vector<FileEntry>& entries, bool all) {
  Table table;
  table.add({"name", "value", "bytes", "offset"});
  const std::vector<std::string> notes = notes_on(file, entries);
  for (const Leaf& leaf : leaves_of(file.structure(), !all)) {
    if (leaf.left_out > 0) {
      table.add({leaf.path, "... " + std::to_string(leaf.left_out) + " more, which --all shows"});
    } else if (!leaf.value.is_tensor()) {
      table.add({leaf.path, value_text(leaf.value)});
    } else {
      const FileEntry& entry = entries[leaf.tensor];
      table.add(
          {leaf.path, type_text(entry.type), std::to_string(entry.bytes), shown(entry.offset), notes[leaf.tensor]});
    }
  }
  for (const UnsupportedEntry& entry : file.unsupported()) {
    table.add({entry.path, "not supported: " + entry.what, "", "", ""});
  }
  table.print(std::cout);
  const Totals totals = totals_of(entries);
  std::cout << entries.size() << " tensors, " << totals.elements << " elements, " << bytes_text(totals.bytes) << '\n';
}

/// A letter for each free size: N is the batch, H and W those of images; dimensions of one letter have one size.
std::vector<std::string> letters_of(const Graph& graph) {
  std::vector<std::string> letters;
  char next = 'A';
  for (const FreeSize& free : free_sizes_of(graph)) {
    const InputDim& place = free.places[0];
    const bool is_image = graph.nodes[static_cast<std::size_t>(place.input)].type.shape.size() == 4;
    std::string letter = place == InputDim{0, 0}      ? "N"
                         : is_image && place.dim == 2 ? "H"
                         : is_image && place.dim == 3 ? "W"
                                                      : "";
    if (letter.empty() || std::find(letters.begin(), letters.end(), letter) != letters.end()) {
      letter = next == 'Z' ? "Z" : std::string(1, next++);
    }
    letters.push_back(letter);
  }
  return letters;
}

void print_port(const char* what, const nn::GraphPort& port, const std::vector<std::string>& sizes) {
  std::cout << what << ": " << printable(port.name) << ", " << type_text(port.type, sizes) << '\n';
}

/// Which of several free sizes an output follows is not known: a ? then.
void print_ports(const nn::GraphModule& module) {
  const std::vector<nn::GraphPort> inputs = module.inputs();
  const std::vector<FreeSize> free = free_sizes_of(module.graph());
  const std::vector<std::string> letters = letters_of(module.graph());
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    std::vector<std::string> sizes(inputs[i].type.shape.size());
    for (std::size_t f = 0; f < free.size(); ++f) {
      for (const InputDim& place : free[f].places) {
        if (static_cast<std::size_t>(place.input) == i) sizes[static_cast<std::size_t>(place.dim)] = letters[f];
      }
    }
    print_port("input", inputs[i], sizes);
  }
  for (std::size_t f = 0; f < free.size(); ++f) {
    if (free[f].least > 1) std::cout << letters[f] << ": at least " << free[f].least << '\n';
  }
  for (const nn::GraphPort& port : module.outputs()) {
    print_port("output", port,
               std::vector<std::string>(port.type.shape.size(), letters.size() == 1 ? letters[0] : "?"));
  }
}

std::string inputs_text(const GraphNode& node) {
  std::string text;
  for (const std::int64_t input : node.inputs) text += (text.empty() ? "%" : ", %") + std::to_string(input);
  return text;
}

void print_graph(const Graph& graph) {
  Table table;
  table.add({"node", "operation", "inputs", "result", "module", "attributes"});
  std::size_t results = 1;
  for (std::size_t place = 0; place < graph.nodes.size(); place += results) {
    const GraphNode& node = graph.nodes[place];
    const bool is_call = node.kind == GraphNode::Kind::call;
    results = result_count(graph, place);
    std::string places, types;
    for (std::size_t i = 0; i < results; ++i) {
      places += (i == 0 ? "%" : ", %") + std::to_string(place + i);
      types += (i == 0 ? "" : ", ") + type_text(graph.nodes[place + i].type);
    }
    const std::string what =
        is_call ? node.target
                : std::string(to_string(node.kind)) + ' ' + (node.target.empty() ? node.name : node.target);
    table.add({places, what, inputs_text(node), types, node.scope,
               node.attributes.empty() ? "" : value_text(node.attributes)});
  }
  table.print(std::cout);
}

void print_lines(const nn::ModuleSummary& summary) {
  std::ostringstream text;
  text << summary;
  std::string line;
  for (std::istringstream lines(text.str()); std::getline(lines, line);) std::cout << printable(line) << '\n';
}

void print_model(const nn::GraphModuleData& model) {
  const nn::GraphModule module(model);
  std::cout << (model.training ? "mode: training\n" : "mode: evaluation\n");
  print_ports(module);
  print_lines(model.summary);
  print_graph(model.graph);
}

std::string names_text(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

/// The network in the words of its file, and in those of Teff, or why Teff has none for it.
void print_network(const std::string& path, const File& file, const LoadOptions& options) {
  if (!file.operators().empty()) {
    std::cout << "operators:\n";
    Table table;
    table.add({"operator", "name", "inputs", "outputs"});
    for (const FileOperator& one : file.operators()) {
      table.add({one.type, one.name, names_text(one.inputs), names_text(one.outputs)});
    }
    table.print(std::cout);
  }
  try {
    const nn::GraphModule module = open_model(path, options);
    std::cout << "in Teff:\n";
    print_ports(module);
    print_graph(module.graph());
  } catch (const FormatError& error) {
    std::cout << "no graph in Teff: " << printable(told(error, path)) << '\n';
  }
}

const char* kind_of(const File& file) {
  if (file.format() == FileFormat::onnx || is_torch_network(file)) return "network";
  return file.model() != nullptr ? "entire model" : "dictionary";
}

void print_text(const std::string& path, const File& file, bool all, const LoadOptions& options) {
  const std::vector<FileEntry> entries = file.entries();
  std::cout << printable(path) << ": " << kind_of(file) << ", " << format_name(file) << ", " << bytes_text(file.size())
            << '\n';
  for (const auto& [key, value] : file.metadata()) {
    std::cout << "metadata " << printable(key) << ": " << printable(value_text(value)) << '\n';
  }
  print_values(file, entries, all);
  for (const FileModule& module : file.modules()) {
    std::cout << "module" << (module.path.empty() ? "" : " " + printable(module.path)) << ":\n";
    print_lines(module.summary);
  }
  if (file.model() != nullptr) print_model(*file.model());
  if (file.format() == FileFormat::onnx || is_torch_network(file)) print_network(path, file, options);
}

template <class T>
Value or_none(const std::optional<T>& value) {
  return value ? Value(*value) : Value();
}

std::string hex(std::uint64_t value) {
  std::ostringstream text;
  text << std::hex << std::setw(16) << std::setfill('0') << value;
  return text.str();
}

Value json_of(const FileEntry& entry) {
  return Dict{{"path", entry.path},
              {"dtype", to_string(entry.type.dtype)},
              {"shape", entry.type.shape},
              {"bytes", entry.bytes},
              {"offset", or_none(entry.offset)},
              {"checksum", entry.checksum ? Value(hex(*entry.checksum)) : Value()},
              {"shared_with", entry.shared_with.empty() ? Value() : Value(entry.shared_with)}};
}

Value json_of(const std::vector<nn::GraphPort>& ports) {
  List list;
  for (const nn::GraphPort& port : ports) {
    list.push_back(Dict{{"name", port.name}, {"dtype", to_string(port.type.dtype)}, {"shape", port.type.shape}});
  }
  return list;
}

Value json_of(const GraphNode& node) {
  return Dict{{"name", node.name},
              {"kind", to_string(node.kind)},
              {"target", node.target},
              {"version", node.version},
              {"inputs", List(node.inputs.begin(), node.inputs.end())},
              {"attributes", node.attributes},
              {"module", node.scope},
              {"dtype", to_string(node.type.dtype)},
              {"shape", node.type.shape}};
}

Value json_of(const nn::GraphModuleData& model) {
  const nn::GraphModule module(model);
  List nodes, state, free;
  for (const auto& [places, least] : free_sizes_of(model.graph)) {
    List same;
    for (const InputDim& place : places) same.push_back(Dict{{"input", place.input}, {"dimension", place.dim}});
    free.push_back(Dict{{"dimensions", std::move(same)}, {"least", least}});
  }
  for (const GraphNode& node : model.graph.nodes) nodes.push_back(json_of(node));
  for (const nn::GraphState& one : model.state) {
    state.push_back(
        Dict{{"key", one.key}, {"is_parameter", one.is_parameter}, {"requires_grad", one.tensor.requires_grad()}});
  }
  std::ostringstream printed;
  printed << model.summary;
  return Dict{{"training", model.training},
              {"inputs", json_of(module.inputs())},
              {"outputs", json_of(module.outputs())},
              {"free_sizes", free},
              {"printed", printed.str()},
              {"state", state},
              {"graph", nodes}};
}

Value json_of(const std::string& path, const File& file) {
  List entries, unsupported, modules;
  for (const UnsupportedEntry& entry : file.unsupported()) {
    unsupported.push_back(Dict{{"path", entry.path}, {"what", entry.what}});
  }
  for (const FileModule& module : file.modules()) {
    std::ostringstream printed;
    printed << module.summary;
    modules.push_back(Dict{{"path", module.path}, {"printed", printed.str()}});
  }
  for (const FileEntry& entry : file.entries()) entries.push_back(json_of(entry));
  List operators;
  for (const FileOperator& one : file.operators()) {
    operators.push_back(Dict{{"type", one.type},
                             {"name", one.name},
                             {"inputs", List(one.inputs.begin(), one.inputs.end())},
                             {"outputs", List(one.outputs.begin(), one.outputs.end())}});
  }
  return Dict{{"file", path},
              {"kind", file.format() == FileFormat::onnx ? "network"
                       : file.model() != nullptr         ? "model"
                                                         : "dict"},
              {"format", format_name(file)},
              {"bytes", file.size()},
              {"metadata", file.metadata()},
              {"content", file.structure()},
              {"tensors", entries},
              {"unsupported", unsupported},
              {"modules", modules},
              {"operators", operators},
              {"model", file.model() != nullptr ? json_of(*file.model()) : Value()}};
}

struct Options {
  std::vector<std::string> paths;
  bool json = false, all = false;
  LoadOptions loading;
};

int show(const Options& options) {
  List list;
  for (const std::string& path : options.paths) {
    const File file = open_file(path, options.loading);
    if (options.json) {
      list.push_back(json_of(path, file));
    } else {
      print_text(path, file, options.all, options.loading);
    }
  }
  if (options.json) print_json(std::cout, list);
  return kOk;
}

std::function<int()> set_up(Parameters& parameters) {
  const auto options = std::make_shared<Options>();
  parameters.required("FILE", options->paths, "files of any format; - is the standard input");
  parameters.flag("--json", options->json, "print a list with one object for each file");
  parameters.flag("--all", options->all, "print long lists whole, an element a line");
  parameters.loading(options->loading);
  return [options] { return show(*options); };
}

}  // namespace

const Command kShow = {"show", "What is in a file: names, types, sizes, values, metadata; of a model also its graph",
                       "Only the header of a .teff file is read: large files are shown at once.\n"
                       "Examples:\n"
                       "  teff show model.teff\n"
                       "  unzip -p agent.zip policy.pth | teff show -\n"
                       "  teff show --json checkpoint.teff | jq '.[0].tensors[].path'",
                       set_up};

}  // namespace teff::cli

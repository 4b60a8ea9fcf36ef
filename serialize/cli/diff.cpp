// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>
#include <cstring>
#include <iostream>
#include <map>
#include <sstream>

#include <teff/teff.h>

#include "teff/serialize/cli/command.h"
#include "teff/serialize/cli/diff_run.h"
#include "teff/serialize/cli/input.h"
#include "teff/serialize/cli/json.h"
#include "teff/serialize/cli/model_inputs.h"
#include "teff/serialize/cli/text.h"

namespace teff::cli {
namespace {

/// One difference: `what` at `path`.
struct Difference {
  std::string part;  // "value", "metadata", "graph"
  std::string path;
  std::string what;
};

std::string kind_text(const Value& value) {
  return value.is_tensor() ? type_text(value.as_tensor().type()) : value_text(value);
}

/// How many elements differ, and by how much.
std::string compare_elements(const Tensor& a, const Tensor& b) {
  const std::size_t size = size_of(a.dtype());
  const auto* x = static_cast<const std::byte*>(a.raw_data());
  const auto* y = static_cast<const std::byte*>(b.raw_data());
  if (a.nbytes() == 0 || std::memcmp(x, y, a.nbytes()) == 0) return "";
  const Tensor left = a.to(DType::float64), right = b.to(DType::float64);
  const std::span<const double> l = left.span<double>(), r = right.span<double>();
  std::size_t count = 0;
  double largest = 0;
  for (std::size_t i = 0; i < l.size(); ++i) {
    if (std::memcmp(x + i * size, y + i * size, size) == 0) continue;
    ++count;
    const double difference = l[i] == r[i] ? 0 : std::abs(l[i] - r[i]);
    if (std::isnan(difference) || difference > largest) largest = difference;
    if (std::isnan(largest)) largest = INFINITY;
  }
  std::ostringstream text;
  text << count << " of " << l.size() << " elements differ, by at most " << largest;
  return text.str();
}

/// A file and what it holds. One that is large is mapped: its elements take no memory then.
struct Side {
  Side(const std::string& path, const LoadOptions& loading) : file(open_file(path, loading)) {
    constexpr std::uint64_t kLarge = std::uint64_t{1} << 30;
    if (path != "-" && file.size() > kLarge) {
      LoadOptions mapped = loading;
      mapped.mmap = true;
      file = open_file(path, mapped);
    }
    metadata = file.metadata();
    content = file.model() != nullptr ? file.read("state_dict").as_dict() : file.read_all();
  }

  File file;
  Dict metadata, content;
};

class Comparison {
 public:
  Comparison(const std::string& a, const std::string& b, const LoadOptions& loading) : a_(a, loading), b_(b, loading) {}

  std::vector<Difference> run() {
    compare("metadata", a_.metadata, b_.metadata);
    compare("value", a_.content, b_.content);
    compare_models();
    return std::move(differences_);
  }

 private:
  void add(const std::string& part, const std::string& path, const std::string& what) {
    differences_.push_back({part, path, what});
  }

  void compare(const std::string& part, const Dict& a, const Dict& b) {
    const std::vector<Leaf> leaves = leaves_of(a), other_leaves = leaves_of(b);
    std::map<std::string, const Value*> others;
    for (const Leaf& leaf : other_leaves) others.emplace(leaf.path, &leaf.value);
    for (const Leaf& leaf : leaves) {
      const auto other = others.find(leaf.path);
      if (other == others.end()) {
        add(part, leaf.path, "only in the first: " + kind_text(leaf.value));
        continue;
      }
      compare_values(part, leaf.path, leaf.value, *other->second);
      others.erase(other);
    }
    for (const Leaf& leaf : other_leaves) {
      if (others.contains(leaf.path)) add(part, leaf.path, "only in the second: " + kind_text(leaf.value));
    }
  }

  void compare_values(const std::string& part, const std::string& path, const Value& a, const Value& b) {
    const bool tensors = a.is_tensor() && b.is_tensor();
    if (tensors && a.as_tensor().type() == b.as_tensor().type()) {
      const std::string text = compare_elements(a.as_tensor(), b.as_tensor());
      if (!text.empty()) add(part, path, text);
    } else if (tensors || a.is_tensor() || b.is_tensor() || !(a == b)) {
      add(part, path, kind_text(a) + " and " + kind_text(b));
    }
  }

  void compare_models() {
    const nn::GraphModuleData *a = a_.file.model(), *b = b_.file.model();
    if (a == nullptr && b == nullptr) return;
    if (a == nullptr || b == nullptr) {
      add("graph", "", std::string("only in the ") + (a != nullptr ? "first" : "second"));
      return;
    }
    if (a->training != b->training) add("graph", "", "one is in training mode");
    if (a->summary != b->summary) add("graph", "", "the modules are printed differently");
    compare_graphs(a->graph, b->graph);
  }

  void compare_graphs(const Graph& a, const Graph& b) {
    if (a.outputs != b.outputs) add("graph", "", "the outputs are other nodes");
    if (free_sizes_of(a) != free_sizes_of(b)) add("graph", "", "other sizes are free");
    std::map<std::string, const GraphNode*> others;
    for (const GraphNode& node : b.nodes) others.emplace(node.name, &node);
    for (const GraphNode& node : a.nodes) {
      const auto other = others.find(node.name);
      if (other == others.end()) {
        add("graph", node.name, "only in the first: " + node_text(node));
        continue;
      }
      if (node != *other->second) add("graph", node.name, node_text(node) + " and " + node_text(*other->second));
      others.erase(other);
    }
    for (const GraphNode& node : b.nodes) {
      if (others.contains(node.name)) add("graph", node.name, "only in the second: " + node_text(node));
    }
  }

  static std::string node_text(const GraphNode& node) {
    std::ostringstream text;
    text << (node.target.empty() ? to_string(node.kind) : node.target) << '(';
    for (std::size_t i = 0; i < node.inputs.size(); ++i) text << (i == 0 ? "%" : ", %") << node.inputs[i];
    text << ')';
    if (!node.attributes.empty()) text << ' ' << value_text(node.attributes);
    text << " -> " << type_text(node.type);
    if (!node.scope.empty()) text << " in " << node.scope;
    return text.str();
  }

  Side a_, b_;
  std::vector<Difference> differences_;
};

void print_text(const std::vector<Difference>& differences) {
  for (const Difference& one : differences) {
    std::cout << (one.part == "value" ? "" : one.part) << (one.part == "value" || one.path.empty() ? "" : " ")
              << printable(one.path) << ": " << printable(one.what) << '\n';
  }
}

struct Options {
  std::string a, b;
  std::vector<std::string> shapes;
  double tolerance = 1e-5;
  bool run = false, json = false;
  LoadOptions loading;
};

std::string text_of(const Distance& distance) {
  std::ostringstream text;
  text << "differ by at most " << distance.largest << ", of elements up to " << distance.scale;
  return text.str();
}

/// Of what the networks do, rather than of what the files hold.
std::vector<Difference> compare_running(const Options& options) {
  nn::GraphModule a = open_model(options.a, options.loading), b = open_model(options.b, options.loading);
  const RunDifference run = compare_runs(a, b, make_inputs(a, options.shapes, 0), options.tolerance);
  if (!options.json) {
    std::cout << run.compared << " of " << run.operations << " operations correspond to one of the other network\n";
  }
  std::vector<Difference> differences;
  for (const Departure& departure : run.departures) {
    differences.push_back({"first operation that departs:", departure.first,
                           text_of(departure.distance) +
                               (departure.first == departure.second ? "" : "; the other is " + departure.second)});
  }
  for (std::size_t i = 0; i < run.outputs.size(); ++i) {
    if (run.outputs[i].is_within(options.tolerance)) continue;
    differences.push_back({"output", std::to_string(i), text_of(run.outputs[i])});
  }
  return differences;
}

int diff(const Options& options) {
  const std::vector<Difference> differences =
      options.run ? compare_running(options) : Comparison(options.a, options.b, options.loading).run();
  List list;
  for (const Difference& one : differences) {
    list.push_back(Dict{{"part", one.part}, {"path", one.path}, {"difference", one.what}});
  }
  if (options.json) {
    print_json(std::cout, Dict{{"equal", differences.empty()}, {"differences", list}});
  } else {
    print_text(differences);
  }
  return differences.empty() ? kOk : kDiffers;
}

std::function<int()> set_up(Parameters& parameters) {
  const auto options = std::make_shared<Options>();
  parameters.required("A", options->a, "a file of any format; - is the standard input");
  parameters.required("B", options->b, "another one");
  parameters.flag("--run", options->run,
                  "run both networks on the same made-up inputs, and name the first operation whose results depart");
  parameters.list("--shape", options->shapes, "with --run: sizes like 1x3x224x224, for each input");
  parameters.number("--tolerance", options->tolerance,
                    "with --run: how far results may be apart, as a part of their largest element");
  parameters.flag("--json", options->json, "print an object with a list of the differences");
  parameters.loading(options->loading);
  return [options] { return diff(*options); };
}

}  // namespace

const Command kDiff = {"diff", "Compares two files: names, types, elements, metadata, and the graphs of models",
                       "Prints a line for each difference; the order of names does not count. Of entire models the "
                       "state dicts are compared.\nExits with 0 if there is none, with 1 if there is one, or a file "
                       "is damaged.\n"
                       "Examples:\n"
                       "  teff diff before.teff after.teff\n"
                       "  teff diff --json weights.teff weights.pt\n"
                       "  teff diff --run net.onnx net.teff",
                       set_up};

}  // namespace teff::cli

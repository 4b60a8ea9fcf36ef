// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>
#include <cstring>
#include <iostream>
#include <map>
#include <sstream>

#include <teff/teff.h>

#include "teff/serialize/cli/command.h"
#include "teff/serialize/cli/json.h"
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

class Comparison {
 public:
  Comparison(const std::string& a, const std::string& b) : a_(a), b_(b) {}

  std::vector<Difference> run() {
    compare("metadata", a_.metadata(), b_.metadata(),
            [](const Value& value, const File&, const std::string&) { return value; });
    compare("value", content(a_), content(b_), [](const Value& value, const File& file, const std::string& path) {
      if (!value.is_tensor()) return value;
      return file.read(file.model() != nullptr ? "state_dict/" + path : path);
    });
    compare_models();
    return std::move(differences_);
  }

 private:
  void add(const std::string& part, const std::string& path, const std::string& what) {
    differences_.push_back({part, path, what});
  }

  static const Dict& content(const File& file) {
    return file.model() != nullptr ? file.structure().at("state_dict").as_dict() : file.structure();
  }

  /// `get(value, file, path)`: the value with its elements, if it is a tensor.
  template <class Get>
  void compare(const std::string& part, const Dict& a, const Dict& b, Get&& get) {
    std::map<std::string, Value> others;
    for (Leaf& leaf : leaves_of(b)) others.emplace(leaf.path, leaf.value);
    const std::vector<Leaf> leaves = leaves_of(a);
    for (const Leaf& leaf : leaves) {
      const auto other = others.find(leaf.path);
      if (other == others.end()) {
        add(part, leaf.path, "only in the first: " + kind_text(leaf.value));
        continue;
      }
      compare_values(part, leaf.path, leaf.value, other->second, get);
      others.erase(other);
    }
    for (const Leaf& leaf : leaves_of(b)) {
      if (others.contains(leaf.path)) add(part, leaf.path, "only in the second: " + kind_text(leaf.value));
    }
  }

  template <class Get>
  void compare_values(const std::string& part, const std::string& path, const Value& a, const Value& b, Get&& get) {
    const bool tensors = a.is_tensor() && b.is_tensor();
    if (tensors && a.as_tensor().type() == b.as_tensor().type()) {
      const std::string text = compare_elements(get(a, a_, path).as_tensor(), get(b, b_, path).as_tensor());
      if (!text.empty()) add(part, path, text);
    } else if (tensors || a.is_tensor() || b.is_tensor() || !(a == b)) {
      add(part, path, kind_text(a) + " and " + kind_text(b));
    }
  }

  void compare_models() {
    const nn::GraphModuleData *a = a_.model(), *b = b_.model();
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

  File a_, b_;
  std::vector<Difference> differences_;
};

void print_text(const std::vector<Difference>& differences) {
  for (const Difference& one : differences) {
    std::cout << (one.part == "value" ? "" : one.part) << (one.part == "value" || one.path.empty() ? "" : " ")
              << printable(one.path) << ": " << printable(one.what) << '\n';
  }
}

int diff(const std::string& a, const std::string& b, bool json) {
  const std::vector<Difference> differences = Comparison(a, b).run();
  List list;
  for (const Difference& one : differences) {
    list.push_back(Dict{{"part", one.part}, {"path", one.path}, {"difference", one.what}});
  }
  if (json) {
    print_json(std::cout, Dict{{"equal", differences.empty()}, {"differences", list}});
  } else {
    print_text(differences);
  }
  return differences.empty() ? kOk : kDiffers;
}

std::function<int()> set_up(Parameters& parameters) {
  struct Options {
    std::string a, b;
    bool json = false;
  };
  const auto options = std::make_shared<Options>();
  parameters.required("A", options->a, "a file of any format");
  parameters.required("B", options->b, "another one");
  parameters.flag("--json", options->json, "print an object with a list of the differences");
  return [options] { return diff(options->a, options->b, options->json); };
}

}  // namespace

const Command kDiff = {"diff", "Compares two files: names, types, elements, metadata, and the graphs of models",
                       "Prints a line for each difference; the order of names does not count. Of entire models the "
                       "state dicts are compared.\nExits with 0 if there is none, with 1 if there is one, or a file "
                       "is damaged.\n"
                       "Examples:\n"
                       "  teff diff before.teff after.teff\n"
                       "  teff diff --json weights.teff weights.pt",
                       set_up};

}  // namespace teff::cli

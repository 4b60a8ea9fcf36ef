// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cstdio>
#include <iostream>
#include <map>
#include <memory>
#include <set>

#include <teff/teff.h>

#include "teff/serialize/cli/command.h"
#include "teff/serialize/cli/input.h"
#include "teff/serialize/cli/json.h"
#include "teff/serialize/cli/model_inputs.h"
#include "teff/serialize/cli/text.h"

namespace teff::cli {
namespace {

struct Options {
  std::string model;
  std::vector<std::string> shapes;
  std::vector<std::int64_t> batches;
  bool json = false;
  LoadOptions loading;
};

/// A module, or an operation of a model that has none.
struct Layer {
  std::string name, type;  // name: in its parent
  std::size_t depth = 0;
  std::vector<TensorType> outputs;
  std::int64_t parameters = 0;  // numbers in those of its own
  double flop = 0;              // of its own operations
};

std::string parent_of(const std::string& path) {
  const std::size_t dot = path.rfind('.');
  return dot == std::string::npos ? "" : path.substr(0, dot);
}

/// Whether the module, or one within it, has computed the node.
bool is_within(const GraphNode& node, const std::string& module) {
  if (node.kind != GraphNode::Kind::call && node.kind != GraphNode::Kind::result) return false;
  return node.scope == module || (node.scope.starts_with(module) && node.scope[module.size()] == '.');
}

/// Types of all nodes for inputs of these types.
std::vector<TensorType> types_of(const nn::GraphModule& model, const std::vector<Tensor>& inputs) {
  nn::GraphModuleData all = model.data();
  all.graph.outputs.clear();
  for (std::size_t i = 0; i < all.graph.nodes.size(); ++i) all.graph.outputs.push_back(static_cast<std::int64_t>(i));
  NamedTensors tensors;
  for (const auto& entry : all.state) tensors.emplace_back(entry.key, entry.tensor);
  std::vector<TensorType> types;
  for (const Tensor& input : inputs) types.push_back(input.type());
  return GraphExecutor(all.graph, tensors, all.limit).output_types(types);
}

class Summary {
 public:
  Summary(nn::GraphModule& model, const std::vector<Tensor>& inputs) : model_(model), graph_(model.graph()) {
    add_module("", model.summary());
    for (const GraphNode& node : graph_.nodes) {
      if (node.kind == GraphNode::Kind::call) add_scope(node.scope);
    }
    add_parameters();
    const std::vector<TensorType> types = types_of(model, inputs);
    for (auto& [path, module] : modules_) module.layer.outputs = outputs_of(path, types);
    add_work(inputs);
    list("", 0);
    if (layers_.size() == 1) list_operations(types);
  }

  void print() const {
    Table table;
    table.add({"layer", "output", "parameters", "FLOP"});
    for (const Layer& layer : layers_) {
      std::string outputs;
      for (const TensorType& type : layer.outputs) outputs += (outputs.empty() ? "" : ", ") + to_string(type.shape);
      const std::string title = layer.name.empty() ? layer.type : layer.name + " (" + layer.type + ')';
      table.add({std::string(2 * layer.depth, ' ') + title, outputs.empty() ? "-" : outputs,
                 layer.parameters == 0 ? "-" : std::to_string(layer.parameters),
                 layer.flop == 0 ? "-" : number_text(layer.flop)});
    }
    table.print(std::cout);
    std::cout << "parameters: " << parameters_ << ", trainable " << trainable_ << ", " << bytes_text(bytes_)
              << "\nFLOP of a run: " << number_text(flop_) << '\n';
  }

  Value as_json() const {
    List layers;
    for (const Layer& layer : layers_) {
      List outputs;
      for (const TensorType& type : layer.outputs) outputs.push_back(List(type.shape.begin(), type.shape.end()));
      layers.push_back(Dict{{"name", layer.name},
                            {"type", layer.type},
                            {"depth", static_cast<std::int64_t>(layer.depth)},
                            {"outputs", outputs},
                            {"parameters", layer.parameters},
                            {"flop", layer.flop}});
    }
    return Dict{{"layers", layers},
                {"parameters", parameters_},
                {"trainable_parameters", trainable_},
                {"parameter_bytes", static_cast<std::int64_t>(bytes_)},
                {"flop", flop_}};
  }

 private:
  struct Module {
    Layer layer;
    std::vector<std::string> children;  // paths
  };

  static std::string number_text(double number) {
    char text[32];
    const char* const units[] = {"", " k", " M", " G", " T"};
    std::size_t unit = 0;
    for (; number >= 1000 && unit < 4; ++unit) number /= 1000;
    std::snprintf(text, sizeof text, unit == 0 ? "%.0f%s" : "%.3g%s", number, units[unit]);
    return text;
  }

  void add_module(const std::string& path, const nn::ModuleSummary& module) {
    // Of a module of TorchScript, whose type is always the same, the class that it was.
    constexpr std::string_view kOriginal = "original_name=";
    const bool has_original = module.extra_repr.starts_with(kOriginal);
    const std::string type = has_original ? module.extra_repr.substr(kOriginal.size()) : module.type_name;
    modules_[path].layer = {module.name, type, 0, {}, 0, 0};
    for (const nn::ModuleSummary& child : module.children) {
      const std::string below = path.empty() ? child.name : path + '.' + child.name;
      modules_[path].children.push_back(below);
      add_module(below, child);
    }
  }

  /// Modules that only the operations name, as in files of ONNX.
  void add_scope(const std::string& path) {
    if (modules_.contains(path)) return;
    const std::string parent = parent_of(path);
    add_scope(parent);
    modules_[parent].children.push_back(path);
    named_by_operations_.insert(path);
    modules_[path].layer.name = path.substr(parent.empty() ? 0 : parent.size() + 1);
  }

  /// Of each tensor the module whose name its own begins with.
  void add_parameters() {
    for (const auto& [name, parameter] : model_.named_parameters()) {
      std::string path = parent_of(name);
      while (!modules_.contains(path)) path = parent_of(path);
      modules_[path].layer.parameters += parameter.numel();
      parameters_ += parameter.numel();
      bytes_ += parameter.nbytes();
      if (parameter.requires_grad()) trainable_ += parameter.numel();
    }
  }

  /// Of the model its outputs, of a module the last of its values that others read: that of its last call.
  std::vector<TensorType> outputs_of(const std::string& path, const std::vector<TensorType>& types) const {
    std::vector<TensorType> outputs;
    if (path.empty()) {
      for (const std::int64_t place : graph_.outputs) outputs.push_back(types[static_cast<std::size_t>(place)]);
      return outputs;
    }
    std::int64_t last = -1;
    const auto read = [&](std::int64_t place) {
      if (is_within(graph_.nodes[static_cast<std::size_t>(place)], path)) last = std::max(last, place);
    };
    for (const GraphNode& node : graph_.nodes) {
      if (is_within(node, path)) continue;
      for (const std::int64_t input : node.inputs) read(input);
    }
    for (const std::int64_t place : graph_.outputs) read(place);
    if (last >= 0) outputs.push_back(types[static_cast<std::size_t>(last)]);
    return outputs;
  }

  /// A run, whose operations say what they took.
  void add_work(const std::vector<Tensor>& inputs) {
    const NoGradGuard no_grad;
    Profiler profiler(scope_names(model_));
    static_cast<void>(model_(std::span<const Tensor>(inputs)));
    profiler.stop();
    for (const ProfilerEvent& event : profiler.events()) {
      flop_ += event.flop;
      const auto found = modules_.find(event.scope);
      if (found == modules_.end()) continue;
      Layer& layer = found->second.layer;
      layer.flop += event.flop;
      if (named_by_operations_.contains(event.scope)) add_operation(layer, event.op);
    }
  }

  /// The type of a module that has no name but its operations'.
  static void add_operation(Layer& layer, const std::string& op) {
    if (layer.type.find(op) == std::string::npos) layer.type += (layer.type.empty() ? "" : " + ") + op;
  }

  void list(const std::string& path, std::size_t depth) {
    Module& module = modules_[path];
    module.layer.depth = depth;
    layers_.push_back(module.layer);
    for (const std::string& child : module.children) list(child, depth + 1);
  }

  /// Of a model without modules.
  void list_operations(const std::vector<TensorType>& types) {
    for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
      const GraphNode& node = graph_.nodes[i];
      if (node.kind == GraphNode::Kind::call) layers_.push_back({node.name, node.target, 1, {types[i]}, 0, 0});
    }
  }

  nn::GraphModule& model_;
  const Graph& graph_;
  std::map<std::string, Module> modules_;  // by path
  std::set<std::string> named_by_operations_;
  std::vector<Layer> layers_;
  std::int64_t parameters_ = 0, trainable_ = 0;
  std::uint64_t bytes_ = 0;
  double flop_ = 0;
};

int summarize(const Options& options) {
  nn::GraphModule model = open_model(options.model, options.loading);
  model.eval();
  if (options.batches.size() > 1) throw ValueError("--batch: expected one number, got several");
  const std::int64_t batch = options.batches.empty() ? 0 : options.batches[0];
  const Summary summary(model, make_inputs(model, options.shapes, batch));
  if (options.json) {
    print_json(std::cout, summary.as_json());
  } else {
    summary.print();
  }
  return kOk;
}

std::function<int()> set_up(Parameters& parameters) {
  const auto options = std::make_shared<Options>();
  parameters.required("MODEL", options->model, "an entire model, of any format that `teff convert` takes one from");
  parameters.list("--shape", options->shapes,
                  "sizes like 1x3x224x224, for each input; without it those of the example it was captured with");
  parameters.counts("--batch", options->batches, "the number of rows");
  parameters.flag("--json", options->json, "print an object");
  parameters.input_types(options->loading);
  parameters.limits(options->loading);
  return [options] { return summarize(*options); };
}

}  // namespace

const Command kSummary = {"summary", "Tables what a model is made of: modules, outputs, parameters, work",
                          "A line is a module, with the shape of its last output, and with the numbers of its own "
                          "parameters and the floating-point operations of its own for one run; a multiply-add is two. "
                          "Modules that a file does not name have the names of their operations.\n"
                          "Examples:\n"
                          "  teff summary model.teff\n"
                          "  teff summary model.onnx --batch 8",
                          set_up};

}  // namespace teff::cli

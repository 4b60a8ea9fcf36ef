// SPDX-License-Identifier: MIT
#include "teff/engine/graph.h"

#include <map>
#include <ostream>
#include <set>

#include "teff/engine/error.h"
#include "teff/engine/error_text.h"
#include "teff/engine/graph_attributes.h"
#include "teff/engine/op_registry.h"
#include "teff/engine/text.h"

namespace teff {
namespace {

[[noreturn]] void invalid(const GraphNode& node, std::size_t place, const std::string& text) {
  throw ValueError("graph: node " + std::to_string(place) + " (" + std::string(to_string(node.kind)) + " \"" +
                   node.name + "\"): " + text);
}

/// Adds where an error came from, keeping its type.
template <class Function>
decltype(auto) at_node(const GraphNode& node, Function&& function) {
  const auto where = [&](const char* what) {
    return "graph: node \"" + node.name + '"' + (node.scope.empty() ? "" : " of module " + node.scope) + ": " + what;
  };
  try {
    return function();
  } catch (const Error& error) {
    detail::throw_again(error, where(error.what()));
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
  }
  return "unknown";
}

std::ostream& operator<<(std::ostream& out, const Graph& graph) {
  std::size_t place = 0;
  for (const GraphNode& node : graph.nodes) {
    out << '%' << place++ << ' ' << (node.kind == GraphNode::Kind::call ? node.target : to_string(node.kind));
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
    out << " -> " << detail::describe(node.type);
    if (!node.scope.empty()) out << "  # " << detail::escaped(node.scope);
    out << '\n';
  }
  out << "return";
  const char* separator = " ";
  for (const std::int64_t output : graph.outputs) {
    out << separator << '%' << output;
    separator = ", ";
  }
  return out << '\n';
}

void set_training(Graph& graph, bool training) {
  for (GraphNode& node : graph.nodes) {
    if (Value* value = node.attributes.find("training")) *value = training;
  }
}

/// One value after the other; each is let go after its last use.
struct GraphExecutor::Program {
  struct Step {
    GraphNode node;
    bool follows_batch = false;           // the op is made anew for each run
    std::shared_ptr<const Op> op;         // call
    Tensor attribute;                     // get_attr
    std::vector<std::int64_t> last_used;  // values that no later step needs
  };
  std::vector<Step> steps;
  std::vector<std::int64_t> outputs;
  std::size_t placeholders = 0;

  void add(const Graph& graph, const NamedTensors& attributes);
  void check_structure(const Step& step, std::size_t place) const;
  static std::shared_ptr<const Op> op_of(const Step& step, std::int64_t batch);
  TensorType infer(const Step& step, const std::vector<TensorType>& types) const;
  void plan_release();
  void check_input_count(std::size_t count) const;
};

void GraphExecutor::Program::check_structure(const Step& step, std::size_t place) const {
  const GraphNode& node = step.node;
  if (node.kind == GraphNode::Kind::placeholder && place != placeholders) {
    invalid(node, place, "expected placeholders before all other nodes");
  }
  for (const std::int64_t input : node.inputs) {
    if (input < 0 || static_cast<std::size_t>(input) >= place) {
      invalid(node, place, "expected inputs among the earlier nodes, got %" + std::to_string(input));
    }
  }
  if (node.kind != GraphNode::Kind::call && !node.inputs.empty()) invalid(node, place, "expected no inputs");
}

std::shared_ptr<const Op> GraphExecutor::Program::op_of(const Step& step, std::int64_t batch) {
  if (!step.follows_batch) return step.op;
  return make_op(step.node.target, detail::resolve_batch(step.node.attributes, batch), step.node.version);
}

TensorType GraphExecutor::Program::infer(const Step& step, const std::vector<TensorType>& types) const {
  const GraphNode& node = step.node;
  if (node.kind == GraphNode::Kind::placeholder) {
    static_cast<void>(numel(node.type.shape));
    return node.type;
  }
  if (node.kind == GraphNode::Kind::get_attr) return step.attribute.type();
  std::vector<TensorType> inputs;
  for (const std::int64_t input : node.inputs) inputs.push_back(types[static_cast<std::size_t>(input)]);
  TensorType type = op_of(step, detail::batch_of(types))->output_type(inputs);
  static_cast<void>(numel(type.shape));
  return type;
}

void GraphExecutor::Program::add(const Graph& graph, const NamedTensors& attributes) {
  std::vector<TensorType> types;
  // Not hashed: names from a hostile file could all have one hash.
  std::set<std::string_view> names;
  std::map<std::string_view, const Tensor*> tensors;
  for (const NamedTensors* list : {&attributes, &graph.constants}) {
    for (const auto& [name, tensor] : *list) tensors.emplace(name, &tensor);
  }
  for (const GraphNode& node : graph.nodes) {
    const std::size_t place = steps.size();
    Step step;
    step.node = node;
    check_structure(step, place);
    if (!names.insert(node.name).second) invalid(node, place, "expected a name of its own");
    if (node.kind == GraphNode::Kind::placeholder) ++placeholders;
    if (node.kind == GraphNode::Kind::get_attr) {
      const auto tensor = tensors.find(node.target);
      if (tensor == tensors.end()) invalid(node, place, "expected a tensor named \"" + node.target + "\", got none");
      step.attribute = *tensor->second;
    }
    at_node(node, [&] {
      if (node.kind == GraphNode::Kind::call) {
        step.follows_batch = detail::follows_batch(node.attributes);
        if (!step.follows_batch) step.op = make_op(node.target, node.attributes, node.version);
      }
      types.push_back(infer(step, types));
      if (types.back() == node.type) return;
      throw ShapeError("expected a result " + detail::describe(node.type) + ", got " + detail::describe(types.back()));
    });
    steps.push_back(std::move(step));
  }
  for (const std::int64_t output : graph.outputs) {
    if (output < 0 || static_cast<std::size_t>(output) >= steps.size()) {
      throw ValueError("graph: expected outputs among its nodes, got %" + std::to_string(output));
    }
  }
  outputs = graph.outputs;
  plan_release();
}

void GraphExecutor::Program::plan_release() {
  std::vector<bool> needed(steps.size(), false);
  for (const std::int64_t output : outputs) needed[static_cast<std::size_t>(output)] = true;
  for (std::size_t i = steps.size(); i-- > 0;) {
    for (const std::int64_t input : steps[i].node.inputs) {
      if (needed[static_cast<std::size_t>(input)]) continue;
      needed[static_cast<std::size_t>(input)] = true;
      steps[i].last_used.push_back(input);
    }
  }
}

void GraphExecutor::Program::check_input_count(std::size_t count) const {
  if (count == placeholders) return;
  throw ShapeError("graph: expected " + std::to_string(placeholders) + " inputs, got " + std::to_string(count));
}

GraphExecutor::GraphExecutor(const Graph& graph, const NamedTensors& attributes) {
  auto program = std::make_shared<Program>();
  program->add(graph, attributes);
  program_ = std::move(program);
}

GraphExecutor::~GraphExecutor() = default;
GraphExecutor::GraphExecutor(const GraphExecutor&) = default;
GraphExecutor::GraphExecutor(GraphExecutor&&) noexcept = default;
GraphExecutor& GraphExecutor::operator=(const GraphExecutor&) = default;
GraphExecutor& GraphExecutor::operator=(GraphExecutor&&) noexcept = default;

std::vector<Tensor> GraphExecutor::run(std::span<const Tensor> inputs) const {
  program_->check_input_count(inputs.size());
  TensorList values(program_->steps.size());
  TensorList arguments;
  const std::int64_t batch = inputs.empty() || inputs[0].dim() == 0 ? 1 : inputs[0].size(0);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const Program::Step& step = program_->steps[i];
    if (step.node.kind == GraphNode::Kind::placeholder) {
      values[i] = inputs[i];
      continue;
    }
    if (step.node.kind == GraphNode::Kind::get_attr) {
      values[i] = step.attribute;
      continue;
    }
    arguments.clear();
    for (const std::int64_t input : step.node.inputs) arguments.push_back(values[static_cast<std::size_t>(input)]);
    for (const std::int64_t input : step.last_used) values[static_cast<std::size_t>(input)] = Tensor();
    const ScopeGuard scope(&step);
    values[i] = teff::apply(Program::op_of(step, batch), arguments);
  }
  std::vector<Tensor> outputs;
  for (const std::int64_t output : program_->outputs) outputs.push_back(values[static_cast<std::size_t>(output)]);
  return outputs;
}

std::vector<TensorType> GraphExecutor::output_types(std::span<const TensorType> inputs) const {
  program_->check_input_count(inputs.size());
  std::vector<TensorType> types(inputs.begin(), inputs.end());
  for (const TensorType& type : types) static_cast<void>(numel(type.shape));
  for (std::size_t i = types.size(); i < program_->steps.size(); ++i) {
    const Program::Step& step = program_->steps[i];
    at_node(step.node, [&] { types.push_back(program_->infer(step, types)); });
  }
  std::vector<TensorType> outputs;
  for (const std::int64_t output : program_->outputs) outputs.push_back(types[static_cast<std::size_t>(output)]);
  return outputs;
}

std::vector<std::string> GraphExecutor::updated_tensors() const {
  std::vector<std::string> result;
  for (const Program::Step& step : program_->steps) {
    if (step.node.kind != GraphNode::Kind::call) continue;
    const std::shared_ptr<const Op> op = Program::op_of(step, 1);
    for (std::size_t i = 0; i < step.node.inputs.size(); ++i) {
      if (!op->updates_input(i)) continue;
      result.push_back(program_->steps[static_cast<std::size_t>(step.node.inputs[i])].node.target);
      break;
    }
  }
  return result;
}

std::vector<std::pair<const void*, std::string>> GraphExecutor::scope_names() const {
  std::vector<std::pair<const void*, std::string>> result;
  for (const Program::Step& step : program_->steps) result.emplace_back(&step, step.node.scope);
  return result;
}

void GraphExecutor::set_training(bool training) {
  auto program = std::make_shared<Program>(*program_);
  for (Program::Step& step : program->steps) {
    Value* value = step.node.attributes.find("training");
    if (value == nullptr || step.node.kind != GraphNode::Kind::call) continue;
    *value = training;
    if (!step.follows_batch) step.op = make_op(step.node.target, step.node.attributes, step.node.version);
  }
  program_ = std::move(program);
}

}  // namespace teff

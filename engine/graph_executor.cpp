// SPDX-License-Identifier: MIT
#include <algorithm>
#include <atomic>
#include <cmath>
#include <map>
#include <optional>
#include <set>

#include "teff/engine/error.h"
#include "teff/engine/error_text.h"
#include "teff/engine/graph.h"
#include "teff/engine/graph_attributes.h"
#include "teff/engine/graph_cost.h"
#include "teff/engine/input_rules.h"
#include "teff/engine/op_registry.h"
#include "teff/engine/tensor_impl.h"

namespace teff {

using detail::CostMeter;

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

/// Whether the call follows the mode of the graph: it has the attribute, or trains without it.
bool follows_mode(const GraphNode& call, const Op& op) {
  return call.attributes.contains("training") || op.is_training();
}

/// Gives the op copies of what it would change in place although it belongs to the caller of run.
void keep_from_change(const Op& op, std::span<const Tensor> callers, TensorList& arguments) {
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const auto shares = [&](const Tensor& tensor) { return tensor.shares_memory_with(arguments[i]); };
    if (op.updates_input(i) && std::any_of(callers.begin(), callers.end(), shares)) {
      arguments[i] = arguments[i].detach().clone();
    }
  }
}

/// Of types, to know them again.
std::uint64_t hash_of(std::span<const TensorType> types) {
  std::uint64_t hash = 14695981039346656037U;  // FNV-1a
  const auto add = [&](std::int64_t value) { hash = (hash ^ static_cast<std::uint64_t>(value)) * 1099511628211U; };
  for (const TensorType& type : types) {
    add(static_cast<std::int64_t>(type.dtype));
    add(static_cast<std::int64_t>(type.shape.size()));
    for (const std::int64_t size : type.shape) add(size);
  }
  return hash;
}

}  // namespace

/// One value after the other; each is let go after its last use.
struct GraphExecutor::Program {
  struct Step {
    GraphNode node;
    std::size_t results = 1;              // call
    bool is_constant = false;             // depends on no input
    bool follows_sizes = false;           // the op is made anew for each run
    bool is_followed = false;             // some op is made by this shape
    bool follows_mode = false;            // trains when the graph does
    bool updates_inputs = false;          // of those that are no attributes: statistics that somebody computes
    std::shared_ptr<const Op> op;         // call; one that follows sizes as it is for those of the capture
    Tensor attribute;                     // get_attr
    std::vector<std::int64_t> last_used;  // values that no later step needs
  };
  std::vector<Step> steps;
  std::vector<std::int64_t> outputs;
  std::size_t placeholders = 0;
  bool has_followers = false;
  std::optional<detail::InputRules> rules;
  GraphCost limit;
  std::shared_ptr<std::atomic<std::uint64_t>> affordable;  // the hash of the types of inputs that were found so last

  bool has_limit() const { return std::isfinite(limit.work) || std::isfinite(limit.bytes); }
  std::vector<TensorType> declared_inputs() const;
  GraphCost limit_for(std::span<const TensorType> inputs) const;
  void check_cost(std::span<const TensorType> inputs) const;
  void add(const Graph& graph, const NamedTensors& attributes);
  std::int64_t call_before_result(std::size_t place) const;
  void check_structure(const Step& step, std::size_t place) const;
  static std::shared_ptr<const Op> op_of(const Step& step, const detail::ShapeOf& shape_of);
  bool depends_on_constants(const GraphNode& node) const;
  bool updates_computed(const Step& step) const;
  void infer(const Step& step, std::vector<TensorType>& types, CostMeter& meter) const;
  void plan_release();
  void mark_followed();
};

/// The call that a node of kind result at this place belongs to; -1 if there is none.
std::int64_t GraphExecutor::Program::call_before_result(std::size_t place) const {
  if (place == 0) return -1;
  const GraphNode& before = steps[place - 1].node;
  if (before.kind == GraphNode::Kind::call) return static_cast<std::int64_t>(place) - 1;
  return before.kind == GraphNode::Kind::result ? before.inputs[0] : -1;
}

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
  if (node.kind == GraphNode::Kind::result) {
    const std::int64_t call = call_before_result(place);
    if (call < 0) invalid(node, place, "expected a call right before its other results");
    if (node.inputs != std::vector{call}) {
      invalid(node, place, "expected as its only input the call before it, %" + std::to_string(call));
    }
  } else if (node.kind != GraphNode::Kind::call && !node.inputs.empty()) {
    invalid(node, place, "expected no inputs");
  }
}

std::shared_ptr<const Op> GraphExecutor::Program::op_of(const Step& step, const detail::ShapeOf& shape_of) {
  if (!step.follows_sizes) return step.op;
  return make_op(step.node.target, detail::resolve_sizes(step.node.attributes, shape_of), step.node.version);
}

namespace {

/// The shapes of the nodes whose types are known so far.
detail::ShapeOf shapes_in(const std::vector<TensorType>& types) {
  return [&types](std::int64_t place) {
    return place < 0 || static_cast<std::size_t>(place) >= types.size() ? nullptr
                                                                        : &types[static_cast<std::size_t>(place)].shape;
  };
}

}  // namespace

bool GraphExecutor::Program::depends_on_constants(const GraphNode& node) const {
  const auto is_constant = [&](std::int64_t input) { return steps[static_cast<std::size_t>(input)].is_constant; };
  return node.kind != GraphNode::Kind::placeholder && std::all_of(node.inputs.begin(), node.inputs.end(), is_constant);
}

/// Whether the call may change, in training, a value that is no attribute.
bool GraphExecutor::Program::updates_computed(const Step& step) const {
  for (std::size_t i = 0; i < step.node.inputs.size(); ++i) {
    const Step& source = steps[static_cast<std::size_t>(step.node.inputs[i])];
    if (step.op->updates_input(i) && source.node.kind != GraphNode::Kind::get_attr) return true;
  }
  return false;
}

/// Adds the types of the step's results. Those of a call's other results are known before their steps come.
void GraphExecutor::Program::infer(const Step& step, std::vector<TensorType>& types, CostMeter& meter) const {
  const GraphNode& node = step.node;
  if (node.kind == GraphNode::Kind::result) return;
  if (node.kind == GraphNode::Kind::placeholder) {
    static_cast<void>(numel(node.type.shape));
    meter.add_values(node.type);
    types.push_back(node.type);
  } else if (node.kind == GraphNode::Kind::get_attr) {
    types.push_back(step.attribute.type());
  } else {
    std::vector<TensorType> inputs;
    for (const std::int64_t input : node.inputs) inputs.push_back(types[static_cast<std::size_t>(input)]);
    const std::shared_ptr<const Op> op = op_of(step, shapes_in(types));
    const std::vector<TensorType> results = detail::output_types(*op, inputs, step.results);
    for (const TensorType& type : results) {
      static_cast<void>(numel(type.shape));
      types.push_back(type);
    }
    meter.add_call(*op, inputs, results);
    if (step.is_constant) return;
    for (const std::int64_t input : node.inputs) {  // a session packs it for each call that reads it
      const auto place = static_cast<std::size_t>(input);
      if (steps[place].is_constant) meter.add_values(types[place]);
    }
  }
}

void GraphExecutor::Program::add(const Graph& graph, const NamedTensors& attributes) {
  std::vector<TensorType> types;
  CostMeter meter{limit};
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
    step.results = result_count(graph, place);
    check_structure(step, place);
    step.is_constant = depends_on_constants(node);
    if (!names.insert(node.name).second) invalid(node, place, "expected a name of its own");
    if (node.kind == GraphNode::Kind::placeholder) ++placeholders;
    if (node.kind == GraphNode::Kind::get_attr) {
      const auto tensor = tensors.find(node.target);
      if (tensor == tensors.end()) invalid(node, place, "expected a tensor named \"" + node.target + "\", got none");
      step.attribute = *tensor->second;
    }
    at_node(node, [&] {
      if (node.kind == GraphNode::Kind::call) {
        step.follows_sizes = detail::follows_sizes(node.attributes);
        step.op = make_op(node.target, detail::resolve_sizes(node.attributes, shapes_in(types)), node.version);
        if (graph.free_sizes.empty() && detail::follows_nodes(node.attributes)) {
          throw ValueError("expected a graph that lists its free sizes where an attribute follows one");
        }
        step.follows_mode = follows_mode(node, *step.op);
        step.updates_inputs = updates_computed(step);
      }
      infer(step, types, meter);
      if (types[place] != node.type) {
        throw ShapeError("expected a result " + detail::describe(node.type) + ", got " +
                         detail::describe(types[place]));
      }
      if (node.kind == GraphNode::Kind::call) meter.check();
    });
    steps.push_back(std::move(step));
  }
  meter.check();
  for (const std::int64_t output : graph.outputs) {
    if (output < 0 || static_cast<std::size_t>(output) >= steps.size()) {
      throw ValueError("graph: expected outputs among its nodes, got %" + std::to_string(output));
    }
  }
  outputs = graph.outputs;
  rules.emplace(graph);
  plan_release();
  mark_followed();
}

void GraphExecutor::Program::mark_followed() {
  std::vector<bool> nodes(steps.size(), false);
  for (const Step& step : steps) {
    if (step.follows_sizes) detail::mark_followed(step.node.attributes, nodes);
    has_followers = has_followers || step.follows_sizes;
  }
  for (std::size_t i = 0; i < steps.size(); ++i) steps[i].is_followed = nodes[i];
}

void GraphExecutor::Program::plan_release() {
  std::vector<bool> needed(steps.size(), false);
  for (const std::int64_t output : outputs) needed[static_cast<std::size_t>(output)] = true;
  for (std::size_t i = steps.size(); i-- > 0;) {
    if (steps[i].node.kind == GraphNode::Kind::result) {  // made by its call; let go of what nobody wants
      if (!needed[i]) steps[i].last_used.push_back(static_cast<std::int64_t>(i));
      if (steps[i - 1].node.kind == GraphNode::Kind::call && !needed[i - 1]) {
        steps[i].last_used.push_back(static_cast<std::int64_t>(i) - 1);
      }
      continue;
    }
    for (const std::int64_t input : steps[i].node.inputs) {
      if (needed[static_cast<std::size_t>(input)]) continue;
      needed[static_cast<std::size_t>(input)] = true;
      steps[i].last_used.push_back(input);
    }
  }
}

std::vector<TensorType> GraphExecutor::Program::declared_inputs() const {
  std::vector<TensorType> types;
  for (std::size_t i = 0; i < placeholders; ++i) types.push_back(steps[i].node.type);
  return types;
}

/// What a user asks for by larger inputs is not the model's doing. Few elements are no measure: of whole models with
/// such inputs, what they cost for larger ones says little of them.
GraphCost GraphExecutor::Program::limit_for(std::span<const TensorType> inputs) const {
  constexpr double kFewElements = 1000;
  const double times =
      std::max(1.0, detail::elements_of(inputs) / std::max(kFewElements, detail::elements_of(declared_inputs())));
  return {limit.work * times, limit.bytes * times};
}

void GraphExecutor::Program::check_cost(std::span<const TensorType> inputs) const {
  const std::uint64_t hash = hash_of(inputs);
  if (affordable->load(std::memory_order_relaxed) == hash) return;
  std::vector<TensorType> types(inputs.begin(), inputs.end());
  CostMeter meter{limit_for(inputs)};
  for (const TensorType& type : inputs) meter.add_values(type);
  try {
    for (std::size_t i = placeholders; i < steps.size(); ++i) {
      at_node(steps[i].node, [&] {
        infer(steps[i], types, meter);
        meter.check();
      });
    }
  } catch (const ResourceError&) {
    throw;
  } catch (const Error&) {  // inputs that do not fit: the run comes as far as this, and says why
    return;
  }
  affordable->store(hash, std::memory_order_relaxed);
}

GraphExecutor::GraphExecutor(const Graph& graph, const NamedTensors& attributes, const GraphCost& limit) {
  auto program = std::make_shared<Program>();
  program->limit = limit;
  program->affordable = std::make_shared<std::atomic<std::uint64_t>>(0);
  program->add(graph, attributes);
  program_ = std::move(program);
}

GraphExecutor::~GraphExecutor() = default;
GraphExecutor::GraphExecutor(const GraphExecutor&) = default;
GraphExecutor::GraphExecutor(GraphExecutor&&) noexcept = default;
GraphExecutor& GraphExecutor::operator=(const GraphExecutor&) = default;
GraphExecutor& GraphExecutor::operator=(GraphExecutor&&) noexcept = default;

std::vector<Tensor> GraphExecutor::run(std::span<const Tensor> inputs) const {
  std::vector<TensorType> types;
  for (const Tensor& input : inputs) {
    if (!input.defined()) throw TypeError("graph: expected defined inputs, got an undefined one");
    types.push_back(input.type());
  }
  check_inputs(types);
  if (program_->has_limit()) program_->check_cost(types);
  std::vector<Shape> shapes(program_->has_followers ? program_->steps.size() : 0);
  const detail::ShapeOf shape_of = [&](std::int64_t place) { return &shapes[static_cast<std::size_t>(place)]; };
  TensorList values(program_->steps.size());
  TensorList arguments;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const Program::Step& step = program_->steps[i];
    if (step.node.kind == GraphNode::Kind::placeholder) values[i] = inputs[i];
    if (step.node.kind == GraphNode::Kind::get_attr) values[i] = step.attribute;
    if (step.is_followed && values[i].defined()) shapes[i] = values[i].shape();
    if (step.node.kind == GraphNode::Kind::placeholder || step.node.kind == GraphNode::Kind::get_attr) continue;
    arguments.clear();
    if (step.node.kind == GraphNode::Kind::call) {
      for (const std::int64_t input : step.node.inputs) arguments.push_back(values[static_cast<std::size_t>(input)]);
    }
    for (const std::int64_t input : step.last_used) values[static_cast<std::size_t>(input)] = Tensor();
    if (step.node.kind == GraphNode::Kind::result) continue;
    const ScopeGuard scope(&step);
    const std::shared_ptr<const Op> op = Program::op_of(step, shape_of);
    if (step.updates_inputs && op->is_training()) keep_from_change(*op, inputs, arguments);
    if (op->several() == nullptr) {
      values[i] = teff::apply(op, arguments);
    } else {
      TensorList results = teff::apply_all(op, arguments);
      detail::check_result_count(op->name(), results.size(), step.results);
      std::move(results.begin(), results.end(), values.begin() + static_cast<std::ptrdiff_t>(i));
    }
    if (step.is_followed) shapes[i] = values[i].shape();
  }
  std::vector<Tensor> outputs;
  for (const std::int64_t output : program_->outputs) outputs.push_back(values[static_cast<std::size_t>(output)]);
  return outputs;
}

std::vector<TensorType> GraphExecutor::input_types() const { return program_->rules->types(); }

void GraphExecutor::check_inputs(std::span<const TensorType> inputs) const { program_->rules->check(inputs); }

std::vector<TensorType> GraphExecutor::output_types(std::span<const TensorType> inputs) const {
  check_inputs(inputs);
  std::vector<TensorType> types(inputs.begin(), inputs.end());
  CostMeter meter;
  for (const TensorType& type : types) meter.add_values(type);
  for (std::size_t i = program_->placeholders; i < program_->steps.size(); ++i) {
    const Program::Step& step = program_->steps[i];
    at_node(step.node, [&] { program_->infer(step, types, meter); });
  }
  std::vector<TensorType> outputs;
  for (const std::int64_t output : program_->outputs) outputs.push_back(types[static_cast<std::size_t>(output)]);
  return outputs;
}

void GraphExecutor::check_cost(std::span<const TensorType> inputs) const {
  program_->rules->check_count(inputs.size());
  if (program_->has_limit()) program_->check_cost(inputs);
}

std::vector<std::string> GraphExecutor::updated_tensors() const {
  std::vector<std::string> result;
  for (const Program::Step& step : program_->steps) {
    if (step.node.kind != GraphNode::Kind::call || !step.node.attributes.contains("training")) continue;
    for (std::size_t i = 0; i < step.node.inputs.size(); ++i) {
      if (!step.op->updates_input(i)) continue;
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
    if (!step.follows_mode) continue;
    step.node.attributes["training"] = training;
    Dict options = step.op->attributes();  // with the captured sizes as numbers
    options["training"] = training;
    step.op = make_op(step.node.target, options, step.op->version());
  }
  program_ = std::move(program);
}

}  // namespace teff

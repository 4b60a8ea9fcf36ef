// SPDX-License-Identifier: MIT
#include "teff/engine/inference_plan.h"

#include <algorithm>
#include <map>
#include <optional>

#include "teff/engine/autograd.h"
#include "teff/engine/error.h"
#include "teff/engine/graph_attributes.h"
#include "teff/engine/op_registry.h"
#include "teff/engine/ops/copy.h"
#include "teff/engine/tensor_impl.h"
#include "teff/engine/text.h"

namespace teff {
namespace {

constexpr std::size_t kAlignment = 64;

std::size_t block_size(const TensorType& type) {
  const std::size_t bytes = static_cast<std::size_t>(numel(type.shape)) * size_of(type.dtype);
  return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}

/// Whether a view from one to the other leaves every element in its channel, the place in dimension 1.
bool same_channels(const Shape& a, const Shape& b) {
  return a.size() >= 2 && b.size() >= 2 && a[0] == b[0] && a[1] == b[1] && numel(a) == numel(b);
}

}  // namespace

/// Reads the graph, improves it, and lays the results out in memory.
class InferencePlan::Builder {
 public:
  explicit Builder(InferencePlan& plan) : plan_(plan) {}

  void build(const Graph& graph, const NamedTensors& attributes, std::span<const TensorType> inputs) {
    const NoGradGuard no_grad;
    read(graph, attributes, inputs);
    for (Call& call : plan_.calls_) {
      for (const std::size_t input : call.inputs) ++plan_.values_[input].uses;
    }
    for (const std::size_t output : plan_.outputs_) ++plan_.values_[output].uses;
    rewrite();
    copy_constant_outputs();
    prepare();
    lay_out();
  }

 private:
  std::size_t add_value(const TensorType& type, Tensor constant = {}) {
    plan_.values_.push_back({type, std::move(constant), 0, 0});
    return plan_.values_.size() - 1;
  }

  bool is_constant(std::size_t value) const { return plan_.values_[value].constant.defined(); }

  // --- reading: values have the places of the graph's nodes

  void read(const Graph& graph, const NamedTensors& attributes, std::span<const TensorType> inputs) {
    std::map<std::string, Tensor> tensors(attributes.begin(), attributes.end());
    tensors.insert(graph.constants.begin(), graph.constants.end());
    for (std::size_t place = 0; place < graph.nodes.size(); ++place) {
      const GraphNode& node = graph.nodes[place];
      if (node.kind == GraphNode::Kind::placeholder) {
        read_input(inputs);
      } else if (node.kind == GraphNode::Kind::get_attr) {
        const auto found = tensors.find(node.target);
        if (found == tensors.end()) {
          throw IndexError("InferenceSession: expected a tensor \"" + detail::escaped(node.target) +
                           "\" among those of the graph, got none");
        }
        const Tensor& tensor = found->second;
        static_cast<void>(tensor.raw_data());  // throws for a tensor without values
        add_value(tensor.type(), tensor.detach());
        plan_.weights_.push_back({tensor.detach(), tensor.impl()->storage->version});
      } else if (node.kind == GraphNode::Kind::call) {  // with all of its results
        read_call(node, result_count(graph, place));
      }
    }
    for (const std::int64_t output : graph.outputs) plan_.outputs_.push_back(static_cast<std::size_t>(output));
  }

  void read_input(std::span<const TensorType> inputs) {
    if (plan_.inputs_.size() == inputs.size()) {
      throw ShapeError("InferenceSession: expected a type for every input of the model, got " +
                       std::to_string(inputs.size()));
    }
    plan_.inputs_.push_back(add_value(inputs[plan_.inputs_.size()]));
  }

  void read_call(const GraphNode& node, std::size_t results) {
    Call call;
    const auto shape_of = [this](std::int64_t place) {
      return place < 0 || static_cast<std::size_t>(place) >= plan_.values_.size()
                 ? nullptr
                 : &plan_.values_[static_cast<std::size_t>(place)].type.shape;
    };
    call.op = make_op(node.target, detail::resolve_sizes(node.attributes, shape_of), node.version);
    if (call.op->is_training()) {
      throw Error("InferenceSession: expected a model in evaluation mode, got one in training: call eval() first");
    }
    std::vector<TensorType> types;
    std::vector<Tensor> constants;
    for (const std::int64_t input : node.inputs) {
      call.inputs.push_back(static_cast<std::size_t>(input));
      types.push_back(type_of(call.inputs.back()));
      if (is_constant(call.inputs.back())) constants.push_back(plan_.values_[call.inputs.back()].constant);
    }
    call.results = results;
    call.result = plan_.values_.size();
    const std::vector<TensorType> outputs = detail::output_types(*call.op, types, results);
    if (constants.size() == types.size()) {  // what depends on no input is computed now
      const TensorList computed = apply_all(call.op, constants);
      for (std::size_t i = 0; i < results; ++i) add_value(outputs[i], computed[i].detach());
      return;
    }
    for (const TensorType& output : outputs) add_value(output);
    call.is_view = types.size() == 1 && call.op->is_view(types);
    plan_.calls_.push_back(std::move(call));
  }

  // --- rewriting: a call that is not needed any more gets no op

  /// The call whose first result the value is: the others are looked at by nobody.
  Call* maker_of(std::size_t value) {
    for (Call& call : plan_.calls_) {
      if (call.op != nullptr && call.result == value) return &call;
    }
    return nullptr;
  }

  /// The call that makes a value that only one other call uses, and so may do the work of that one, too.
  Call* sole_maker_of(std::size_t value) { return plan_.values_[value].uses == 1 ? maker_of(value) : nullptr; }

  const TensorType& type_of(std::size_t value) const { return plan_.values_[value].type; }

  std::vector<TensorType> types_of(const Call& call) const {
    std::vector<TensorType> types;
    for (const std::size_t input : call.inputs) types.push_back(type_of(input));
    return types;
  }

  /// The inputs, undefined where not known beforehand.
  std::vector<Tensor> constants_of(const Call& call) const {
    std::vector<Tensor> constants;
    for (const std::size_t input : call.inputs) constants.push_back(plan_.values_[input].constant);
    return constants;
  }

  void rewrite() {
    for (Call& call : plan_.calls_) {
      const std::size_t input = call.inputs[0];
      if (call.op->forwards_input() && type_of(input) == type_of(call.result)) {
        replace(call.result, input);
        call.op = nullptr;
      } else if (merge(call)) {
        maker_of(input)->result = call.result;
        call.op = nullptr;
      }
    }
    std::erase_if(plan_.calls_, [](const Call& call) { return call.op == nullptr; });
  }

  void replace(std::size_t value, std::size_t by) {
    for (Call& call : plan_.calls_) std::replace(call.inputs.begin(), call.inputs.end(), value, by);
    std::replace(plan_.outputs_.begin(), plan_.outputs_.end(), value, by);
    plan_.values_[by].uses += plan_.values_[value].uses - 1;
  }

  /// Whether the call before this one, or before the views that this one sees its result through, now does the work of
  /// both.
  bool merge(const Call& call) {
    Call* before = sole_maker_of(call.inputs[0]);
    while (before != nullptr && before->is_view) before = sole_maker_of(before->inputs[0]);
    return before != nullptr && (fold(*before, call) || fuse(*before, call));
  }

  bool fold(Call& before, const Call& call) {
    if (!same_channels(type_of(before.result).shape, type_of(call.inputs[0]).shape)) return false;
    const std::optional<ChannelAffine> next = call.op->channel_affine(constants_of(call));
    if (!next) return false;
    const TensorList folded = before.op->fold(*next, types_of(before), constants_of(before));
    if (folded.empty()) return false;
    before.inputs.resize(1);
    for (const Tensor& constant : folded) before.inputs.push_back(add_value(constant.type(), constant));
    return true;
  }

  bool fuse(Call& before, const Call& call) {
    if (call.inputs.size() != 1) return false;
    // Only what is done to each element for itself may as well be done before a view.
    if (before.result != call.inputs[0] && !call.op->clamping()) return false;
    std::shared_ptr<const Op> both = before.op->fuse(*call.op);
    if (both == nullptr) return false;
    before.op = std::move(both);
    return true;
  }

  /// Outputs are the user's to write to, weights are not.
  void copy_constant_outputs() {
    for (std::size_t& output : plan_.outputs_) {
      if (!is_constant(output)) continue;
      const std::size_t copy = add_value(type_of(output));
      plan_.calls_.push_back({ops::clone_op(), {output}, copy});
      output = copy;
    }
  }

  void prepare() {
    for (Call& call : plan_.calls_) {
      std::shared_ptr<const Op> prepared = call.op->prepare(types_of(call), constants_of(call));
      if (prepared != nullptr) call.op = std::move(prepared);
    }
  }

  // --- memory

  /// Where the elements of a value lie: views lie in that of their source.
  std::size_t root_of(std::size_t value) {
    const Call* maker = maker_of(value);
    return maker != nullptr && maker->is_view ? root_of(maker->inputs[0]) : value;
  }

  struct Lifetime {
    std::size_t value;
    std::size_t first, last;  // calls between which it must stay
  };

  std::vector<Lifetime> lifetimes() {
    std::vector<std::optional<Lifetime>> by_value(plan_.values_.size());
    const auto use = [&](std::size_t value, std::size_t time) {
      if (is_constant(value)) return;
      std::optional<Lifetime>& life = by_value[root_of(value)];
      if (!life) life = Lifetime{root_of(value), time, time};
      life->last = std::max(life->last, time);
    };
    for (const std::size_t input : plan_.inputs_) use(input, 0);
    for (std::size_t i = 0; i < plan_.calls_.size(); ++i) {
      for (const std::size_t input : plan_.calls_[i].inputs) use(input, i);
      for (std::size_t r = 0; r < plan_.calls_[i].results; ++r) use(plan_.calls_[i].result + r, i);
    }
    for (const std::size_t output : plan_.outputs_) use(output, plan_.calls_.size());
    std::vector<Lifetime> result;
    for (const std::optional<Lifetime>& life : by_value) {
      if (life) result.push_back(*life);
    }
    return result;
  }

  /// The largest first, each at the lowest offset that is free for as long as it lives.
  void lay_out() {
    std::vector<Lifetime> lives = lifetimes();
    std::stable_sort(lives.begin(), lives.end(), [&](const Lifetime& a, const Lifetime& b) {
      return block_size(plan_.values_[a.value].type) > block_size(plan_.values_[b.value].type);
    });
    std::vector<Lifetime> placed;  // by offset
    for (const Lifetime& life : lives) {
      Value& value = plan_.values_[life.value];
      const std::size_t size = block_size(value.type);
      for (const Lifetime& other : placed) {
        const Value& neighbour = plan_.values_[other.value];
        if (other.last < life.first || life.last < other.first) continue;
        if (value.offset + size <= neighbour.offset) break;
        value.offset = std::max(value.offset, neighbour.offset + block_size(neighbour.type));
      }
      const auto place = std::find_if(placed.begin(), placed.end(), [&](const Lifetime& other) {
        return plan_.values_[other.value].offset > value.offset;
      });
      placed.insert(place, life);
      plan_.block_bytes_ = std::max(plan_.block_bytes_, value.offset + size);
    }
  }

  InferencePlan& plan_;
};

InferencePlan::InferencePlan(const Graph& graph, const NamedTensors& attributes, std::span<const TensorType> inputs) {
  Builder(*this).build(graph, attributes, inputs);
}

void InferencePlan::check_weights() const {
  for (const Weight& weight : weights_) {
    if (weight.tensor.impl()->storage->version.load(std::memory_order_relaxed) == weight.version) continue;
    throw Error("InferenceSession: expected weights that stay what they were when the session was made, but " +
                detail::describe(weight.tensor.type()) + " was changed in place; make a new session");
  }
}

std::vector<Tensor> InferencePlan::make_values(const std::shared_ptr<void>& block) const {
  std::vector<Tensor> values;
  for (const Value& value : values_) {
    if (value.constant.defined()) {
      values.push_back(value.constant);
    } else {
      void* place = static_cast<std::byte*>(block.get()) + value.offset;
      values.push_back(Tensor::from_external(place, value.type, [block](void*) {}));
    }
  }
  for (const Call& call : calls_) {
    if (!call.is_view) continue;
    const Tensor& source = values[call.inputs[0]];
    const Tensor view = call.op->forward({{&source, 1}, values_[call.result].type, nullptr});
    if (!view.shares_memory_with(source)) {
      throw Error(std::string(call.op->name()) + ": expected a view of the input, as is_view said, got a copy");
    }
    values[call.result] = view;
  }
  return values;
}

}  // namespace teff

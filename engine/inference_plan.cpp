// SPDX-License-Identifier: MIT
#include "teff/engine/inference_plan.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

#include "teff/engine/autograd.h"
#include "teff/engine/error.h"
#include "teff/engine/graph_attributes.h"
#include "teff/engine/op_registry.h"
#include "teff/engine/ops.h"
#include "teff/engine/tensor_impl.h"

namespace teff {
namespace {

constexpr std::size_t kAlignment = 64;

std::size_t block_size(const TensorType& type) {
  const std::size_t bytes = static_cast<std::size_t>(numel(type.shape)) * size_of(type.dtype);
  return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}

bool is_training(const Dict& attributes) {
  const Value* training = attributes.find("training");
  return training != nullptr && training->as_bool();
}

/// In evaluation mode these give their input.
bool is_identity(const Op& op) {
  return op.name() == "detach" || op.name() == "clone" || (op.name() == "dropout" && !is_training(op.attributes()));
}

/// Per channel: batch_norm(x) = scale * x + shift.
struct Affine {
  Tensor scale, shift;
};

/// In double, so that folding adds no error to that of rounding the result.
Affine affine_of_batch_norm(const Dict& attributes, std::span<const Tensor> statistics) {
  const Tensor mean = statistics[0].to(DType::float64), variance = statistics[1].to(DType::float64);
  Affine affine{1.0 / (variance + attributes.at("eps").as_float()).sqrt(), -mean};
  if (statistics.size() == 4) affine.scale = affine.scale * statistics[2].to(DType::float64);
  affine.shift = affine.shift * affine.scale;
  if (statistics.size() == 4) affine.shift = affine.shift + statistics[3].to(DType::float64);
  return affine;
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
    prepare();
    find_views();
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
    const std::int64_t batch = detail::batch_of({inputs.begin(), inputs.end()});
    for (const GraphNode& node : graph.nodes) {
      if (node.kind == GraphNode::Kind::placeholder) {
        read_input(inputs);
      } else if (node.kind == GraphNode::Kind::get_attr) {
        const Tensor& tensor = tensors.at(node.target);
        static_cast<void>(tensor.raw_data());  // throws for a tensor without values
        add_value(tensor.type(), tensor.detach());
        plan_.weights_.push_back({tensor.detach(), tensor.impl()->storage->version});
      } else {
        read_call(node, batch);
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

  void read_call(const GraphNode& node, std::int64_t batch) {
    Call call;
    call.op = make_op(node.target, detail::resolve_batch(node.attributes, batch), node.version);
    if (is_training(call.op->attributes())) {
      throw Error("InferenceSession: expected a model in evaluation mode, got one in training: call eval() first");
    }
    std::vector<TensorType> types;
    std::vector<Tensor> constants;
    for (const std::int64_t input : node.inputs) {
      call.inputs.push_back(static_cast<std::size_t>(input));
      types.push_back(plan_.values_[call.inputs.back()].type);
      if (is_constant(call.inputs.back())) constants.push_back(plan_.values_[call.inputs.back()].constant);
    }
    const TensorType type = call.op->output_type(types);
    if (constants.size() == types.size()) {  // what depends on no input is computed now
      add_value(type, teff::apply(call.op, constants).detach());
      return;
    }
    call.result = add_value(type);
    plan_.calls_.push_back(std::move(call));
  }

  // --- rewriting: a call that is not needed any more gets no op

  Call* maker_of(std::size_t value) {
    for (Call& call : plan_.calls_) {
      if (call.op != nullptr && call.result == value) return &call;
    }
    return nullptr;
  }

  /// Only this call uses what its input's maker makes, and so may take part in making it.
  Call* sole_maker_of_input(const Call& call) {
    return plan_.values_[call.inputs[0]].uses == 1 ? maker_of(call.inputs[0]) : nullptr;
  }

  void rewrite() {
    for (Call& call : plan_.calls_) {
      if (is_identity(*call.op)) {
        replace(call.result, call.inputs[0]);
        call.op = nullptr;
      } else if (Call* before = sole_maker_of_input(call)) {
        if (fold_batch_norm(*before, call) || fuse(*before, call)) {
          before->result = call.result;
          call.op = nullptr;
        }
      }
    }
    std::erase_if(plan_.calls_, [](const Call& call) { return call.op == nullptr; });
  }

  void replace(std::size_t value, std::size_t by) {
    for (Call& call : plan_.calls_) std::replace(call.inputs.begin(), call.inputs.end(), value, by);
    std::replace(plan_.outputs_.begin(), plan_.outputs_.end(), value, by);
    plan_.values_[by].uses += plan_.values_[value].uses - 1;
  }

  bool fuse(Call& before, const Call& call) {
    if (call.inputs.size() != 1) return false;
    std::shared_ptr<const Op> both = before.op->fuse(*call.op);
    if (both == nullptr) return false;
    before.op = std::move(both);
    return true;
  }

  /// batch_norm(conv2d(x, w) + b) = conv2d(x, scale * w) + (scale * b + shift)
  bool fold_batch_norm(Call& conv, const Call& norm) {
    if (norm.op->name() != "batch_norm" || conv.op->name() != "conv2d") return false;
    const Dict attributes = norm.op->attributes();
    const bool has_weight = attributes.at("has_weight").as_bool();
    // Without running statistics it normalises by those of the images, which are not known yet.
    if (!attributes.at("has_running_stats").as_bool() || has_weight != attributes.at("has_bias").as_bool())
      return false;
    std::vector<Tensor> statistics;
    for (const std::size_t input : std::span(norm.inputs).subspan(1)) {
      if (!is_constant(input)) return false;
      statistics.push_back(plan_.values_[input].constant);
    }
    for (const std::size_t input : std::span(conv.inputs).subspan(1)) {
      if (!is_constant(input)) return false;
    }
    Affine affine = affine_of_batch_norm(attributes, statistics);
    const Tensor weight = plan_.values_[conv.inputs[1]].constant;
    if (conv.inputs.size() == 3) {
      const Tensor bias = plan_.values_[conv.inputs[2]].constant.to(DType::float64);
      affine.shift = affine.shift + affine.scale * bias;
    }
    const Tensor folded = (weight.to(DType::float64) * affine.scale.view({-1, 1, 1, 1})).to(weight.dtype());
    const Tensor bias = affine.shift.to(weight.dtype());
    conv.inputs.resize(1);
    conv.inputs.push_back(add_value(folded.type(), folded));
    conv.inputs.push_back(add_value(bias.type(), bias));
    return true;
  }

  void prepare() {
    for (Call& call : plan_.calls_) {
      std::vector<Tensor> constants;
      std::vector<TensorType> types;
      for (const std::size_t input : call.inputs) {
        constants.push_back(plan_.values_[input].constant);
        types.push_back(plan_.values_[input].type);
      }
      if (std::shared_ptr<const Op> prepared = call.op->prepare(types, constants)) call.op = std::move(prepared);
    }
  }

  // --- memory

  /// A call whose result shares the memory of its input is told by trying it.
  void find_views() {
    for (Call& call : plan_.calls_) {
      const TensorType& type = plan_.values_[call.result].type;
      const TensorType& input = plan_.values_[call.inputs[0]].type;
      if (call.inputs.size() != 1 || is_constant(call.inputs[0])) continue;
      const Tensor source = detail::make_tensor(input);
      call.is_view = call.op->forward({{&source, 1}, type, nullptr}).shares_memory_with(source);
    }
  }

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
      use(plan_.calls_[i].result, i);
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
    values[call.result] = call.op->forward({{&values[call.inputs[0]], 1}, values_[call.result].type, nullptr});
  }
  return values;
}

}  // namespace teff

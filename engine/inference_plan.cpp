// SPDX-License-Identifier: MIT
#include "teff/engine/inference_plan.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <numeric>
#include <optional>
#include <queue>
#include <set>
#include <utility>

#include "teff/engine/autograd.h"
#include "teff/engine/error.h"
#include "teff/engine/graph_attributes.h"
#include "teff/engine/op_registry.h"
#include "teff/engine/ops/copy.h"
#include "teff/engine/tensor_impl.h"
#include "teff/engine/text.h"
#include "teff/engine/widening.h"

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

/// Offsets that are not in use.
class FreeSpace {
 public:
  std::size_t take(std::size_t size) {
    if (size == 0) return 0;
    const auto found = by_size_.lower_bound({size, 0});
    if (found == by_size_.end()) {
      end_ += size;
      return end_ - size;
    }
    const auto [free, offset] = *found;
    remove(offset, free);
    if (free > size) add(offset + size, free - size);
    return offset;
  }

  void put(std::size_t offset, std::size_t size) {
    if (size == 0) return;
    const auto next = by_offset_.lower_bound(offset);
    if (next != by_offset_.begin()) {
      if (const auto [before, free] = *std::prev(next); before + free == offset) {
        offset = before;
        size += free;
        remove(before, free);
      }
    }
    if (const auto after = by_offset_.find(offset + size); after != by_offset_.end()) {
      const auto [place, free] = *after;
      size += free;
      remove(place, free);
    }
    add(offset, size);
  }

  /// All that was ever in use lies before it.
  std::size_t end() const { return end_; }

 private:
  void add(std::size_t offset, std::size_t size) {
    by_offset_.emplace(offset, size);
    by_size_.emplace(size, offset);
  }
  void remove(std::size_t offset, std::size_t size) {
    by_offset_.erase(offset);
    by_size_.erase({size, offset});
  }

  std::map<std::size_t, std::size_t> by_offset_;           // its size
  std::set<std::pair<std::size_t, std::size_t>> by_size_;  // and its offset
  std::size_t end_ = 0;
};

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
    find_makers();
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
    call.scope = node.scope;
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

  // --- rewriting: a call that is not needed any more gets no op. A file may hold many thousand calls: no step looks at
  // all of them.

  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);

  void find_makers() {
    makers_.assign(plan_.values_.size(), kNone);
    for (std::size_t i = 0; i < plan_.calls_.size(); ++i) makers_[plan_.calls_[i].result] = i;
  }

  /// The call whose first result the value is: the others are looked at by nobody.
  Call* maker_of(std::size_t value) {
    const std::size_t maker = value < makers_.size() ? makers_[value] : kNone;  // constants that folding made have none
    return maker == kNone ? nullptr : &plan_.calls_[maker];
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
    std::vector<std::size_t> stand_ins(plan_.values_.size());  // what is read in place of a value
    std::iota(stand_ins.begin(), stand_ins.end(), std::size_t{0});
    for (Call& call : plan_.calls_) {
      for (std::size_t& input : call.inputs) input = stand_ins[input];
      const std::size_t input = call.inputs[0];
      if (call.op->forwards_input() && type_of(input) == type_of(call.result)) {
        stand_ins[call.result] = input;
        plan_.values_[input].uses += plan_.values_[call.result].uses - 1;
        call.op = nullptr;
      } else if (merge(call)) {
        maker_of(input)->result = call.result;
        makers_[call.result] = makers_[input];
        call.op = nullptr;
      }
    }
    for (std::size_t& output : plan_.outputs_) output = stand_ins[output];
    std::erase_if(plan_.calls_, [](const Call& call) { return call.op == nullptr; });
  }

  /// Whether the call before this one, or before the few views that this one sees its result through, now does the work
  /// of both.
  bool merge(const Call& call) {
    Call* before = sole_maker_of(call.inputs[0]);
    for (int views = 0; before != nullptr && before->is_view; ++views) {
      before = views < kMaxViews ? sole_maker_of(before->inputs[0]) : nullptr;
    }
    return before != nullptr && (fold(*before, call) || fuse(*before, call));
  }

  /// Whether apply() converts its inputs: then weights stay as small as they are.
  bool is_converted(const Call& call) const { return detail::conversion_for(*call.op, types_of(call)).has_value(); }

  /// Each time makes the weights anew.
  bool fold(Call& before, const Call& call) {
    if (is_converted(before) || is_converted(call)) return false;
    if (before.folded == kMaxFolded || !same_channels(type_of(before.result).shape, type_of(call.inputs[0]).shape))
      return false;
    const std::optional<ChannelAffine> next = call.op->channel_affine(constants_of(call));
    if (!next) return false;
    const TensorList folded = before.op->fold(*next, types_of(before), constants_of(before));
    if (folded.empty()) return false;
    before.inputs.resize(1);
    for (const Tensor& constant : folded) before.inputs.push_back(add_value(constant.type(), constant));
    ++before.folded;
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
      if (is_converted(call)) continue;
      std::shared_ptr<const Op> prepared = call.op->prepare(types_of(call), constants_of(call));
      if (prepared != nullptr) call.op = std::move(prepared);
    }
  }

  // --- memory

  /// Where the elements of each value lie: views lie in that of their source.
  std::vector<std::size_t> roots() const {
    std::vector<std::size_t> result(plan_.values_.size());
    std::iota(result.begin(), result.end(), std::size_t{0});
    for (const Call& call : plan_.calls_) {
      if (call.is_view) result[call.result] = result[call.inputs[0]];
    }
    return result;
  }

  struct Lifetime {
    std::size_t value;
    std::size_t first, last;  // calls between which it must stay
  };

  std::vector<Lifetime> lifetimes() {
    std::vector<std::optional<Lifetime>> by_value(plan_.values_.size());
    const std::vector<std::size_t> root_of = roots();
    const auto use = [&](std::size_t value, std::size_t time) {
      if (is_constant(value)) return;
      std::optional<Lifetime>& life = by_value[root_of[value]];
      if (!life) life = Lifetime{root_of[value], time, time};
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

  void lay_out() {
    const std::vector<Lifetime> lives = lifetimes();
    if (lives.size() <= kFewValues) {
      lay_out_by_size(lives);
    } else {
      lay_out_by_time(lives);
    }
  }

  /// The largest first, each at the lowest offset that is free for as long as it lives. It takes the square of their
  /// number in time.
  void lay_out_by_size(std::vector<Lifetime> lives) {
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

  /// As they are made, each where the least is free that is enough.
  void lay_out_by_time(std::vector<Lifetime> lives) {
    std::stable_sort(lives.begin(), lives.end(),
                     [](const Lifetime& a, const Lifetime& b) { return a.first < b.first; });
    const auto dies_later = [](const Lifetime& a, const Lifetime& b) { return a.last > b.last; };
    std::priority_queue<Lifetime, std::vector<Lifetime>, decltype(dies_later)> alive(dies_later);
    FreeSpace space;
    for (const Lifetime& life : lives) {
      for (; !alive.empty() && alive.top().last < life.first; alive.pop()) {
        const Value& dead = plan_.values_[alive.top().value];
        space.put(dead.offset, block_size(dead.type));
      }
      plan_.values_[life.value].offset = space.take(block_size(plan_.values_[life.value].type));
      alive.push(life);
    }
    plan_.block_bytes_ = space.end();
  }

  static constexpr int kMaxViews = 8, kMaxFolded = 4;  // more than a network has
  static constexpr std::size_t kFewValues = 2048;

  InferencePlan& plan_;
  std::vector<std::size_t> makers_;  // by value: the place of the call
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

// SPDX-License-Identifier: MIT
#include "teff/engine/checkpoint.h"

#include <algorithm>
#include <unordered_set>

#include "teff/engine/error.h"
#include "teff/engine/generator_state.h"
#include "teff/engine/mode_state.h"
#include "teff/engine/modes.h"
#include "teff/engine/node.h"
#include "teff/engine/tensor_impl.h"

// The function is recorded as any other. Then the values are taken out of its nodes, which stay: they are the way that
// gradients go. backward() asks the first of them that it meets for its values, and the function is run and recorded
// once more; the new nodes are the old ones, one by one, and their values go there.

namespace teff {
namespace {

using Function = std::function<std::vector<Tensor>(std::span<const Tensor>)>;
using Nodes = std::vector<std::shared_ptr<Node>>;

/// The nodes behind the outputs that are not older than `first`, in the order of time.
Nodes nodes_since(std::span<const Tensor> outputs, std::uint64_t first) {
  Nodes nodes;
  std::unordered_set<const Node*> seen;
  const auto add = [&](const Tensor& tensor) {
    if (!tensor.defined()) return;
    const std::shared_ptr<Node>& node = tensor.impl()->node;
    if (node != nullptr && node->sequence >= first && seen.insert(node.get()).second) nodes.push_back(node);
  };
  for (const Tensor& output : outputs) add(output);
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const std::shared_ptr<Node> node = nodes[i];
    for (const Tensor& input : node->inputs) add(input);
  }
  std::sort(nodes.begin(), nodes.end(), [](const auto& a, const auto& b) { return a->sequence < b->sequence; });
  return nodes;
}

/// Elements that somebody else may change in place.
struct Watched {
  std::weak_ptr<Storage> storage;
  std::uint32_t version;
  TensorType type;

  explicit Watched(const Tensor& tensor)
      : storage(tensor.impl()->storage), version(detail::version_of(tensor)), type(tensor.type()) {}
  void check() const {
    const auto now = storage.lock();
    if (now == nullptr || now->version.load(std::memory_order_relaxed) == version) return;
    throw Error("backward: expected what a checkpoint's function uses to be unchanged since forward, but " +
                detail::describe(type) + " was changed in place; change a clone() instead");
  }
};

/// Modes and random numbers for the second run, as they were in the first.
class Rerun {
 public:
  Rerun(const Generator& generator, bool winograd)
      : grad_mode_(true), winograd_(winograd), modes_(detail::modes()), after_(detail::copy_of(default_generator())) {
    detail::modes().checkpointing = detail::modes().recomputing = true;
    detail::assign(default_generator(), generator);
  }
  ~Rerun() {
    detail::assign(default_generator(), after_);
    detail::modes().checkpointing = modes_.checkpointing;
    detail::modes().recomputing = modes_.recomputing;
  }
  Rerun(const Rerun&) = delete;
  Rerun& operator=(const Rerun&) = delete;

 private:
  GradModeGuard grad_mode_;
  WinogradGuard winograd_;
  detail::NotCapturing not_capturing_;
  detail::Modes modes_;
  Generator after_;
};

class Checkpointing {
 public:
  Checkpointing() { detail::modes().checkpointing = true; }
  ~Checkpointing() { detail::modes().checkpointing = false; }
  Checkpointing(const Checkpointing&) = delete;
  Checkpointing& operator=(const Checkpointing&) = delete;
};

class Checkpoint : public Recomputation, public std::enable_shared_from_this<Checkpoint> {
 public:
  Checkpoint(Function function, std::span<const Tensor> inputs)
      : function_(std::move(function)), inputs_(inputs.begin(), inputs.end()), winograd_(is_winograd_enabled()) {}

  std::vector<Tensor> call() {
    for (const Tensor& input : inputs_) watched_.emplace_back(input);
    const std::uint64_t first = detail::next_sequence();
    std::vector<Tensor> outputs;
    {
      const Checkpointing checkpointing;
      outputs = function_(inputs_);
    }
    for (const std::shared_ptr<Node>& node : nodes_since(outputs, first)) {
      nodes_.push_back(node);
      if (node->requires_grad) drop(*node);
    }
    return outputs;
  }

  void run() override {
    for (const Watched& watched : watched_) watched.check();
    const std::uint64_t first = detail::next_sequence();
    Nodes again;
    {
      const Rerun rerun(generator_, winograd_);
      const std::vector<Tensor> outputs = function_(inputs_);
      again = nodes_since(outputs, first);
    }
    for (std::size_t i = 0; i < std::max(nodes_.size(), again.size()); ++i) {
      const std::shared_ptr<Node> node = i < nodes_.size() ? nodes_[i].lock() : nullptr;
      if (i >= nodes_.size() || i >= again.size() || (node != nullptr && !is_same(*node, *again[i]))) refuse();
      if (node == nullptr || node->extras == nullptr || node->released) continue;
      restore(*node, *again[i]);
    }
    nodes_.clear();
    function_ = {};
    inputs_.clear();
  }

 private:
  void drop(Node& node) {
    for (Tensor& input : node.inputs) {
      if (input.impl()->storage == nullptr) continue;
      if (input.impl()->node == nullptr) watched_.emplace_back(input);
      input = detail::without_values(input);
    }
    node.saved.clear();
    node.with_extras().recomputation = shared_from_this();
  }

  static bool is_same(const Node& node, const Node& again) {
    return again.op->name() == node.op->name() && (node.released || again.inputs.size() == node.inputs.size()) &&
           again.result.type == node.result.type;
  }

  static void restore(Node& node, Node& again) {
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      TensorImpl& impl = *node.inputs[i].impl();
      if (impl.storage != nullptr) continue;
      impl.storage = again.inputs[i].impl()->storage;
      impl.offset = again.inputs[i].impl()->offset;
    }
    node.saved = std::move(again.saved);
    node.versions = again.versions;
    node.op = again.op;
    node.extras->recomputation = nullptr;
  }

  [[noreturn]] static void refuse() {
    throw Error(
        "backward: expected a checkpoint's function to do the same when backward runs it again, got other operations");
  }

  Function function_;
  std::vector<Tensor> inputs_;
  Generator generator_ = detail::copy_of(default_generator());
  bool winograd_;
  std::vector<std::weak_ptr<Node>> nodes_;
  std::vector<Watched> watched_;
};

}  // namespace

std::vector<Tensor> checkpoint(Function function, std::span<const Tensor> inputs) {
  if (!function) throw TypeError("checkpoint: expected a function, got an empty one");
  for (const Tensor& input : inputs) {
    if (!input.defined()) throw TypeError("checkpoint: expected defined inputs, got an undefined one");
  }
  if (!is_grad_enabled() || is_capturing() || detail::modes().checkpointing) return function(inputs);
  return std::make_shared<Checkpoint>(std::move(function), inputs)->call();
}

Tensor checkpoint(std::function<Tensor(const Tensor&)> function, const Tensor& input) {
  if (!function) throw TypeError("checkpoint: expected a function, got an empty one");
  return checkpoint([function = std::move(function)](
                        std::span<const Tensor> inputs) { return std::vector<Tensor>{function(inputs[0])}; },
                    {&input, 1})[0];
}

}  // namespace teff

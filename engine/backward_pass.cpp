// SPDX-License-Identifier: MIT
#include "teff/engine/backward_pass.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "teff/engine/build.h"
#include "teff/engine/error.h"
#include "teff/engine/error_text.h"
#include "teff/engine/hooks.h"
#include "teff/engine/kernels/elements/elements_kernels.h"
#include "teff/engine/leaf_completion.h"
#include "teff/engine/mode_state.h"
#include "teff/engine/node.h"
#include "teff/engine/op_timer.h"
#include "teff/engine/ops.h"
#include "teff/engine/parallel.h"
#include "teff/engine/process.h"
#include "teff/engine/tensor_impl.h"

namespace teff {
namespace {

using detail::owned_alone;

void add_in_place(const Tensor& sum, const Tensor& term) {
  if (sum.dtype() == DType::float32) {
    kernels::elementwise_kernels<float>().axpy(sum.numel(), 1, term.data<float>(), sum.data<float>());
  } else {
    kernels::elementwise_kernels<double>().axpy(sum.numel(), 1, term.data<double>(), sum.data<double>());
  }
}

/// sum += term, for gradients on their way: the sum may share elements with other tensors, or be recorded.
void accumulate(Tensor& sum, const Tensor& term) {
  if (!sum.defined()) {
    sum = term;
    return;
  }
  if (is_grad_enabled()) {
    sum = add(sum, term);
    return;
  }
  if (!owned_alone(sum)) sum = sum.clone();
  add_in_place(sum, term);
}

/// Guards grad() of a leaf, which backward() of other threads may add to. A few locks for all leaves: they are held for
/// an addition only.
detail::ProcessMutex& lock_of(const TensorImpl* leaf) {
  static auto* locks = new std::array<detail::ProcessMutex, 16>;  // never destroyed: see parallel.cpp
  return (*locks)[std::hash<const void*>()(leaf) / alignof(std::max_align_t) % locks->size()];
}

/// leaf.grad += grad, in place: the user may hold the gradient.
void accumulate_leaf(const Tensor& leaf, Tensor grad) {
  Tensor& sum = leaf.impl()->grad;
  if (is_grad_enabled()) return accumulate(sum, grad);
  std::unique_lock lock(lock_of(leaf.impl().get()));
  if (!sum.defined() && !owned_alone(grad)) {
    lock.unlock();  // no lock is held while memory is asked for
    grad = grad.clone();
    lock.lock();
  }
  if (!sum.defined()) {
    sum = std::move(grad);
    return;
  }
  sum.impl()->storage->version.fetch_add(1, std::memory_order_relaxed);
  add_in_place(sum, grad);
}

void forget_gradients(Node& node) {
  node.has_grad = false;
  for (std::size_t i = 0; i < node.result_count(); ++i) node.result_at(i).grad = Tensor();
}

/// The nodes that wait for their turn, latest first: when a node's turn comes all that uses its result has had its own.
class Queue {
 public:
  ~Queue() {
    for (const std::shared_ptr<Node>& node : heap_) forget_gradients(*node);  // after an exception
  }

  bool empty() const { return heap_.empty(); }
  /// What take() will give.
  Node& first() const { return *heap_.front(); }

  /// A gradient of the tensor, which is a result of a recorded call, or a part of it.
  void add(const Tensor& tensor, const Tensor& grad) {
    const std::shared_ptr<Node>& node = tensor.impl()->node;
    accumulate(node->result_at(tensor.impl()->result).grad, grad);
    if (std::exchange(node->has_grad, true)) return;
    heap_.push_back(node);
    std::push_heap(heap_.begin(), heap_.end(), earlier);
  }

  std::shared_ptr<Node> take() {
    std::pop_heap(heap_.begin(), heap_.end(), earlier);
    std::shared_ptr<Node> node = std::move(heap_.back());
    heap_.pop_back();
    node->has_grad = false;
    return node;
  }

 private:
  static bool earlier(const std::shared_ptr<Node>& a, const std::shared_ptr<Node>& b) {
    return a->sequence < b->sequence;
  }

  std::vector<std::shared_ptr<Node>, CachingAllocator<std::shared_ptr<Node>>> heap_;
};

void check_unchanged(const Node& node, const Tensor& kept, std::size_t i) {
  if (kept.impl()->storage == nullptr) return;
  if (kept.impl()->storage->version.load(std::memory_order_relaxed) == node.versions[i]) return;
  throw Error("backward: expected the tensors that " + std::string(node.op->name()) +
              " needs to be unchanged since forward, but " + detail::describe(kept.type()) +
              " was changed in place; change a clone() instead");
}

void check_node(const Node& node) {
  if (node.released) {
    throw Error("backward: expected a graph that was not used before, but what " + std::string(node.op->name()) +
                " kept was freed by an earlier backward(); pass {.retain_graph = true} to that one");
  }
  std::size_t i = 0;
  for (const Tensor& input : node.inputs) check_unchanged(node, input, i++);
  for (const Tensor& kept : node.saved) check_unchanged(node, kept, i++);
}

void check_grad(const Node& node, std::size_t input, const Tensor& grad) {
  if (grad.type() == node.inputs[input].type()) return;
  throw Error(std::string(node.op->name()) + ": expected backward to return a gradient " +
              detail::describe(node.inputs[input].type()) + " for input " + std::to_string(input) + ", got " +
              detail::describe(grad.type()));
}

detail::TensorTypes input_types(const Node& node) {
  detail::TensorTypes types;
  types.reserve(node.inputs.size());
  for (const Tensor& input : node.inputs) types.push_back(input.type());
  return types;
}

detail::TensorTypes result_types(const Node& node) {
  detail::TensorTypes types;
  types.reserve(node.result_count());
  for (std::size_t i = 0; i < node.result_count(); ++i) types.push_back(node.result_at(i).type);
  return types;
}

/// A gradient costs about what forward does, for each of the (at most two) factors that gets one.
void report(const detail::OpTimer& timer, const Node& node, const TensorList& grads) {
  const detail::TensorTypes types = input_types(node);
  double bytes = detail::moved_bytes(types, result_types(node)), gradients = 0;
  for (const Tensor& grad : grads) {
    if (grad.defined()) bytes += static_cast<double>(grad.nbytes());
  }
  for (std::size_t i = 0; i < std::min<std::size_t>(grads.size(), 2); ++i) gradients += grads[i].defined() ? 1 : 0;
  timer.report(node.op->name(), true, node.scope, gradients * node.op->flop(types, node.result.type), bytes);
}

/// What the gradients of a result are seen by: they may be replaced.
void call_hooks(const detail::GradientHooks& hooks, Tensor& grad) {
  hooks.for_each([&](const auto& hook) {
    const Tensor other = hook(grad);
    if (!other.defined()) return;
    if (other.type() != grad.type()) {
      throw Error("register_hook: expected a hook that returns a gradient " + detail::describe(grad.type()) + ", got " +
                  detail::describe(other.type()));
    }
    grad = other;
  });
}

void call_watches(Node& node, bool retain) {
  for (const GradientWatch& watch : node.extras->watches) {
    Tensor& grad = node.result_at(watch.result).grad;
    if (!grad.defined()) continue;
    if (watch.hooks != nullptr) call_hooks(*watch.hooks, grad);
    if (!retain) continue;
    if (const auto tensor = watch.retained_by.lock()) accumulate_leaf(Tensor(tensor), grad);
  }
}

/// Takes the gradients from the node: the op may write over them.
TensorList op_backward(const std::shared_ptr<Node>& shared, std::span<const bool> wanted,
                       detail::Differentiate differentiate) {
  Node& node = *shared;
  const MultiOp* several = node.op->several();
  if (several == nullptr && differentiate == nullptr) {
    const Tensor grad = std::exchange(node.result.grad, Tensor());
    return node.op->backward({grad, node.inputs, node.saved, wanted});
  }
  TensorList grads;
  grads.reserve(node.result_count());
  for (std::size_t i = 0; i < node.result_count(); ++i) {
    grads.push_back(std::exchange(node.result_at(i).grad, Tensor()));
  }
  if (differentiate != nullptr) return differentiate(shared, grads, wanted);
  return several->backward_all({grads, node.inputs, node.saved, wanted});
}

bool has_nan(const Tensor& tensor) {
  const auto any = [](auto values) {
    return std::any_of(values.begin(), values.end(), [](auto value) { return value != value; });
  };
  return tensor.dtype() == DType::float32 ? any(tensor.span<float>()) : any(tensor.span<double>());
}

void check_numbers(const Node& node, const TensorList& grads) {
  for (std::size_t i = 0; i < grads.size(); ++i) {
    if (!grads[i].defined() || !has_nan(grads[i])) continue;
    throw Error("backward: expected no NaN (DetectAnomalyGuard), got one in the gradient of " +
                std::string(node.op->name()) + " for its input " + std::to_string(i) + ", " +
                detail::describe(grads[i].type()));
  }
}

TensorList call_backward(const std::shared_ptr<Node>& shared, detail::Differentiate differentiate,
                         const detail::BackwardTargets* targets) {
  Node& node = *shared;
  const std::size_t count = node.inputs.size();
  const auto wanted = std::allocate_shared<bool[]>(CachingAllocator<bool>(), std::max<std::size_t>(count, 1));
  for (std::size_t i = 0; i < count; ++i) {
    const Tensor& input = node.inputs[i];
    wanted.get()[i] = input.requires_grad() && (targets == nullptr || targets->leads(input));
  }
  const detail::CallerOnly caller_only(detail::threads_are_far() &&
                                       detail::is_short(*node.op, input_types(node), result_types(node)));
  const detail::OpTimer timer;
  TensorList grads;
  try {
    grads = op_backward(shared, {wanted.get(), count}, differentiate);
  } catch (const Error& error) {
    detail::name_memory(node.op->name(), error);
  }
  if (timer.on()) report(timer, node, grads);
  if (grads.size() != count) {
    throw Error(std::string(node.op->name()) + ": expected backward to return " + std::to_string(count) +
                " gradients, got " + std::to_string(grads.size()));
  }
  for (std::size_t i = 0; i < count; ++i) {
    if (!wanted.get()[i]) grads[i] = Tensor();
    if (grads[i].defined()) check_grad(node, i, grads[i]);
  }
  if (detail::modes().detect_anomaly) check_numbers(node, grads);
  return grads;
}

Tensor first_gradient(const detail::BackwardRequest& request, std::size_t i) {
  const Tensor &root = request.outputs[i], gradient = i < request.gradients.size() ? request.gradients[i] : Tensor();
  if (!gradient.defined()) {
    if (root.numel() != 1) {
      throw ShapeError(std::string(request.function) + ": expected a tensor of one element, or a gradient, got " +
                       detail::describe(root.type()));
    }
    return ones_like(root);
  }
  if (gradient.type() == root.type()) return request.differentiate == nullptr ? gradient.detach() : gradient;
  throw ShapeError(std::string(request.function) + ": expected a gradient " + detail::describe(root.type()) + ", got " +
                   detail::describe(gradient.type()));
}

/// One request under way.
class Pass {
 public:
  explicit Pass(const detail::BackwardRequest& request)
      : request_(request), completion_(request.outputs[0], request.on_gradient) {
    if (!request.inputs.empty()) targets_.emplace(request);
  }

  std::vector<Tensor> run() {
    TensorList starts;
    for (std::size_t i = 0; i < request_.outputs.size(); ++i) starts.push_back(first_gradient(request_, i));
    for (std::size_t i = 0; i < starts.size(); ++i) begin(request_.outputs[i], std::exchange(starts[i], Tensor()));
    while (!queue_.empty()) step();
    while (!held_.empty()) release(held_.begin()->first);
    completion_.finish();
    return collect();
  }

 private:
  void begin(const Tensor& root, const Tensor& gradient) {
    if (!root.is_leaf()) {
      queue_.add(root, gradient);
      return;
    }
    add_to_leaf(root, gradient);
    release(root.impl().get());
    if (request_.on_gradient != nullptr) (*request_.on_gradient)(root);
  }

  void step() {
    prepare(queue_.first());
    const std::shared_ptr<Node> node = queue_.take();
    if (targets_) {
      targets_->note(*node);
      if (!targets_->is_needed(*node)) return forget_gradients(*node);
    }
    pass_on(*node, call_backward(node, request_.differentiate, targets_ ? &*targets_ : nullptr));
    if (request_.retain_graph) return;
    node->released = true;
    node->inputs.clear();
    node->saved.clear();
  }

  /// What can fail, while the queue still has the node.
  void prepare(Node& node) const {
    if (node.extras != nullptr && node.extras->recomputation != nullptr && !node.released) {
      const auto recomputation = node.extras->recomputation;  // the node lets go of it
      recomputation->run();
    }
    check_node(node);
    if (node.extras != nullptr) call_watches(node, !request_.collect);
  }

  void pass_on(const Node& node, TensorList grads) {
    for (std::size_t i = 0; i < grads.size(); ++i) {
      const Tensor& input = node.inputs[i];
      const bool any = grads[i].defined();
      if (input.is_leaf()) {
        if (any) add_to_leaf(input, std::move(grads[i]));
        completion_.note(input, any, [&] { release(input.impl().get()); });
      } else if (any) {
        queue_.add(input, grads[i]);
        grads[i] = Tensor();
      }
    }
  }

  /// Hooks see the whole gradient of a leaf: it is held until all of it has come.
  void add_to_leaf(const Tensor& leaf, Tensor grad) {
    if (targets_) {
      if (Tensor* target = targets_->leaf(leaf)) accumulate(*target, grad);
    } else if (leaf.impl()->hooks == nullptr) {
      accumulate_leaf(leaf, std::move(grad));
    } else {
      auto& [tensor, sum] = held_[leaf.impl().get()];
      tensor = leaf;
      accumulate(sum, grad);
    }
  }

  void release(const TensorImpl* leaf) {
    const auto found = held_.find(leaf);
    if (found == held_.end()) return;
    auto [tensor, grad] = std::move(found->second);
    held_.erase(found);
    call_hooks(*tensor.impl()->hooks, grad);
    accumulate_leaf(tensor, std::move(grad));
  }

  std::vector<Tensor> collect() {
    std::vector<Tensor> result;
    for (std::size_t i = 0; targets_ && i < targets_->size(); ++i) {
      const Tensor& input = request_.inputs[i];
      Tensor grad = targets_->gradient(i);
      if (grad.defined() && input.is_leaf() && input.impl()->hooks != nullptr) call_hooks(*input.impl()->hooks, grad);
      if (request_.collect) {
        // They are the caller's, to change in place, too; what is recorded stays what it is.
        const bool stays = !grad.defined() || grad.impl()->node != nullptr;
        result.push_back(stays ? grad : grad.detach().clone());
      } else if (grad.defined()) {
        accumulate_leaf(input, std::move(grad));
      }
    }
    return result;
  }

  const detail::BackwardRequest& request_;
  std::optional<detail::BackwardTargets> targets_;
  detail::LeafCompletion completion_;
  Queue queue_;
  std::unordered_map<const TensorImpl*, std::pair<Tensor, Tensor>> held_;
};

}  // namespace

std::vector<Tensor> detail::run_backward(const BackwardRequest& request) {
  const std::string function(request.function);
  if (!kHasTraining) throw Error(function + ": expected a build of Teff with TEFF_TRAINING, got one without");
  for (const Tensor& output : request.outputs) {
    if (!output.defined()) throw TypeError(function + ": expected a defined tensor, got an undefined one");
    if (output.requires_grad()) continue;
    throw Error(function +
                ": expected a tensor that requires grad, got one that was computed from none; see requires_grad_() and "
                "NoGradGuard");
  }
  const GradModeGuard recording(request.differentiate != nullptr);
  return Pass(request).run();
}

}  // namespace teff

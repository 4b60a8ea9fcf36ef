// SPDX-License-Identifier: MIT
#include "teff/engine/autograd.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "teff/engine/build.h"
#include "teff/engine/error.h"
#include "teff/engine/error_text.h"
#include "teff/engine/kernels/elements/elements_kernels.h"
#include "teff/engine/node.h"
#include "teff/engine/op_timer.h"
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

/// sum += term, for gradients on their way: the sum may share elements with other tensors.
void accumulate(Tensor& sum, const Tensor& term) {
  if (!sum.defined()) {
    sum = term;
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

/// The nodes that wait for their turn, latest first: when a node's turn comes all that uses its result has had its own.
class Queue {
 public:
  ~Queue() {
    for (const std::shared_ptr<Node>& node : heap_) forget_gradients(*node);  // after an exception
  }

  bool empty() const { return heap_.empty(); }
  /// What take() will give.
  const Node& first() const { return *heap_.front(); }

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
  static void forget_gradients(Node& node) {
    node.has_grad = false;
    for (std::size_t i = 0; i < node.result_count(); ++i) node.result_at(i).grad = Tensor();
  }

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

/// Takes the gradients from the node: the op may write over them.
TensorList op_backward(Node& node, std::span<const bool> wanted) {
  const MultiOp* several = node.op->several();
  if (several == nullptr) {
    const Tensor grad = std::exchange(node.result.grad, Tensor());
    return node.op->backward({grad, node.inputs, node.saved, wanted});
  }
  TensorList grads;
  grads.reserve(node.result_count());
  for (std::size_t i = 0; i < node.result_count(); ++i) {
    grads.push_back(std::exchange(node.result_at(i).grad, Tensor()));
  }
  return several->backward_all({grads, node.inputs, node.saved, wanted});
}

TensorList call_backward(Node& node) {
  const std::size_t count = node.inputs.size();
  const auto wanted = std::allocate_shared<bool[]>(CachingAllocator<bool>(), std::max<std::size_t>(count, 1));
  for (std::size_t i = 0; i < count; ++i) wanted.get()[i] = node.inputs[i].requires_grad();
  const detail::CallerOnly caller_only(detail::threads_are_far() &&
                                       detail::is_short(*node.op, input_types(node), result_types(node)));
  const detail::OpTimer timer;
  TensorList grads;
  try {
    grads = op_backward(node, {wanted.get(), count});
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
  return grads;
}

/// Tells when each leaf has got all parts of its gradient. Without a function to call it does nothing.
class Completion {
 public:
  Completion(const std::shared_ptr<Node>& root, const GradientFunction& call) : call_(call) {
    if (!call_) return;
    std::vector<const Node*> stack{root.get()};
    std::unordered_set<const Node*> seen{root.get()};
    while (!stack.empty()) {
      const Node* node = stack.back();
      stack.pop_back();
      for (const Tensor& input : node->inputs) {
        if (!input.requires_grad()) continue;
        if (input.is_leaf()) {
          ++leaf(input).missing;
        } else if (const Node* next = input.impl()->node.get(); seen.insert(next).second) {
          stack.push_back(next);
        }
      }
    }
  }

  /// An op that takes the leaf has had its turn; `any`: there was a gradient.
  void note(const Tensor& tensor, bool any) {
    if (!call_ || !tensor.requires_grad()) return;
    Leaf& state = leaf(tensor);
    state.any = state.any || any;
    if (--state.missing == 0 && state.any) call_(tensor);
  }

  /// Backward has ended, without the turn of those ops to whose results no gradient came.
  void finish() const {
    for (const Leaf& state : leaves_) {
      if (state.missing > 0 && state.any) call_(state.tensor);
    }
  }

 private:
  struct Leaf {
    Tensor tensor;
    std::int64_t missing = 0;  // calls of note
    bool any = false;          // there was a gradient
  };

  Leaf& leaf(const Tensor& tensor) {
    const auto [place, is_new] = places_.try_emplace(tensor.impl().get(), leaves_.size());
    if (is_new) leaves_.push_back({.tensor = tensor});
    return leaves_[place->second];
  }

  const GradientFunction& call_;
  std::vector<Leaf> leaves_;
  std::unordered_map<const TensorImpl*, std::size_t> places_;
};

void run(Queue& queue, Completion& completion, bool retain_graph) {
  while (!queue.empty()) {
    check_node(queue.first());
    const std::shared_ptr<Node> node = queue.take();
    TensorList grads = call_backward(*node);
    for (std::size_t i = 0; i < grads.size(); ++i) {
      const Tensor& input = node->inputs[i];
      const bool any = grads[i].defined();
      if (input.is_leaf()) {
        if (any) accumulate_leaf(input, std::move(grads[i]));
        completion.note(input, any);
      } else if (any) {
        queue.add(input, grads[i]);
        grads[i] = Tensor();
      }
    }
    if (retain_graph) continue;
    node->released = true;
    node->inputs.clear();
    node->saved.clear();
  }
  completion.finish();
}

Tensor first_gradient(const Tensor& root, const Tensor& gradient) {
  if (!gradient.defined()) {
    if (root.numel() != 1) {
      throw ShapeError("backward: expected a tensor of one element, or a gradient, got " +
                       detail::describe(root.type()));
    }
    return ones_like(root);
  }
  if (gradient.type() == root.type()) return gradient;
  throw ShapeError("backward: expected a gradient " + detail::describe(root.type()) + ", got " +
                   detail::describe(gradient.type()));
}

void run_backward(const Tensor& root, const Tensor& gradient, bool retain_graph, const GradientFunction& on_gradient) {
  if (!kHasTraining) throw Error("backward: expected a build of Teff with TEFF_TRAINING, got one without");
  if (!root.defined()) throw TypeError("backward: expected a defined tensor, got an undefined one");
  if (!root.requires_grad()) {
    throw Error("backward: expected a tensor that requires grad, got one that was computed from none; see "
                "requires_grad_() and NoGradGuard");
  }
  const NoGradGuard no_grad;
  const Tensor start = first_gradient(root, gradient).detach();
  if (root.is_leaf()) {
    accumulate_leaf(root, start);
    if (on_gradient) on_gradient(root);
    return;
  }
  Completion completion(root.impl()->node, on_gradient);
  Queue queue;
  queue.add(root, start);
  run(queue, completion, retain_graph);
}

}  // namespace

void Tensor::backward(const Tensor& gradient, const BackwardOptions& options) const {
  run_backward(*this, gradient, options.retain_graph, {});
}

void backward(const Tensor& loss, const GradientFunction& on_gradient) { run_backward(loss, {}, false, on_gradient); }

}  // namespace teff

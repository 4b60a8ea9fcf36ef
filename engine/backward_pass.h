// SPDX-License-Identifier: MIT
#pragma once

// Private: one walk from results back to what they were computed from.

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "teff/engine/autograd.h"
#include "teff/engine/node.h"
#include "teff/engine/tensor.h"

namespace teff::detail {

/// The gradients of a call's inputs, from those of its results, by operations that are recorded themselves.
using Differentiate = TensorList (*)(const std::shared_ptr<Node>& node, std::span<const Tensor> grads,
                                     std::span<const bool> wanted);

struct BackwardRequest {
  std::string_view function;          // begins error messages
  std::span<const Tensor> outputs;    // they require grad
  std::span<const Tensor> gradients;  // by output; undefined for 1
  bool retain_graph = false;
  Differentiate differentiate = nullptr;  // null: the ops' own backward, which is not recorded
  std::span<const Tensor> inputs = {};    // what gradients are asked for; none: all leaves
  bool collect = false;                   // gradients of the inputs are returned and no grad() is touched
  const GradientFunction* on_gradient = nullptr;
};

/// The gradients of the inputs, if they are to be collected; undefined for one that the outputs do not depend on.
std::vector<Tensor> run_backward(const BackwardRequest& request);

/// The tensors whose gradients were asked for, and the way to them.
class BackwardTargets {
 public:
  /// @throws Error if one does not require grad.
  explicit BackwardTargets(const BackwardRequest& request);

  /// Where to add the gradient of a leaf; null if nobody asked.
  Tensor* leaf(const Tensor& tensor);
  /// Takes down what has come for the node's results.
  void note(const Node& node);
  /// Whether a target is among what the node was computed from.
  bool is_needed(const Node& node) const { return needed_.contains(&node); }
  /// Whether a gradient of the tensor is of use.
  bool leads(const Tensor& tensor) const;

  std::size_t size() const { return places_.size(); }  // of the inputs
  Tensor& gradient(std::size_t i) { return slots_[places_[i]].gradient; }

 private:
  struct Slot {
    std::uint32_t result = 0;
    Tensor gradient;
  };

  void find_needed(std::span<const Tensor> outputs);

  std::vector<Slot> slots_;
  std::vector<std::size_t> places_;                             // by input: its slot, the same for the same tensor
  std::unordered_multimap<const void*, std::size_t> slots_of_;  // by leaf, or by node
  std::unordered_set<const Node*> needed_;
};

}  // namespace teff::detail

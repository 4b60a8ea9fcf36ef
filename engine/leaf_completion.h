// SPDX-License-Identifier: MIT
#pragma once

// Private: when the gradient of each leaf is complete.

#include <cstdint>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "teff/engine/autograd.h"
#include "teff/engine/node.h"
#include "teff/engine/tensor_impl.h"

namespace teff::detail {

/// Tells when each leaf has got all parts of its gradient. Without a function to call it does nothing.
class LeafCompletion {
 public:
  LeafCompletion(const Tensor& root, const GradientFunction* call) : call_(call) {
    if (call_ == nullptr || root.is_leaf()) return;
    const Node* const first = root.impl()->node.get();
    std::vector<const Node*> stack{first};
    std::unordered_set<const Node*> seen{first};
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

  /// An op that takes the leaf has had its turn; `any`: there was a gradient. Calls before() before the function.
  template <class Before>
  void note(const Tensor& tensor, bool any, const Before& before) {
    if (call_ == nullptr || !tensor.requires_grad()) return;
    Leaf& state = leaf(tensor);
    state.any = state.any || any;
    if (--state.missing > 0 || !state.any) return;
    before();
    (*call_)(tensor);
  }

  /// Backward has ended, without the turn of those ops to whose results no gradient came.
  void finish() const {
    for (const Leaf& state : leaves_) {
      if (state.missing > 0 && state.any) (*call_)(state.tensor);
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

  const GradientFunction* call_;
  std::vector<Leaf> leaves_;
  std::unordered_map<const TensorImpl*, std::size_t> places_;
};

}  // namespace teff::detail

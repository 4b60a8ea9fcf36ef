// SPDX-License-Identifier: MIT
#include <algorithm>

#include "teff/engine/backward_pass.h"
#include "teff/engine/error.h"
#include "teff/engine/tensor_impl.h"

namespace teff {
namespace {

const void* key_of(const Tensor& tensor) {
  return tensor.is_leaf() ? static_cast<const void*>(tensor.impl().get()) : tensor.impl()->node.get();
}

/// The recorded calls behind the tensors, the earliest first.
std::vector<const Node*> calls_behind(std::span<const Tensor> tensors) {
  std::vector<const Node*> calls;
  std::unordered_set<const Node*> seen;
  const auto add = [&](const Tensor& tensor) {
    const Node* node = tensor.impl()->node.get();
    if (!tensor.is_leaf() && seen.insert(node).second) calls.push_back(node);
  };
  for (const Tensor& tensor : tensors) add(tensor);
  for (std::size_t i = 0; i < calls.size(); ++i) {
    const Node& node = *calls[i];
    for (const Tensor& input : node.inputs) {
      if (input.requires_grad()) add(input);
    }
  }
  std::sort(calls.begin(), calls.end(), [](const Node* a, const Node* b) { return a->sequence < b->sequence; });
  return calls;
}

}  // namespace

detail::BackwardTargets::BackwardTargets(const BackwardRequest& request) {
  for (const Tensor& input : request.inputs) {
    if (!input.defined()) {
      throw TypeError(std::string(request.function) + ": expected defined inputs, got an undefined one");
    }
    if (!input.requires_grad()) {
      throw Error(std::string(request.function) + ": expected inputs that require grad, got " + describe(input.type()) +
                  " as input " + std::to_string(places_.size()) + ", which does not");
    }
    const std::uint32_t result = input.is_leaf() ? 0 : input.impl()->result;
    const auto [first, last] = slots_of_.equal_range(key_of(input));
    const auto known =
        std::find_if(first, last, [&](const auto& slot) { return slots_[slot.second].result == result; });
    places_.push_back(known == last ? slots_.size() : known->second);
    if (known != last) continue;
    slots_of_.emplace(key_of(input), slots_.size());
    slots_.push_back({result, {}});
  }
  find_needed(request.outputs);
}

void detail::BackwardTargets::find_needed(std::span<const Tensor> outputs) {
  for (const Node* node : calls_behind(outputs)) {
    const bool any = std::any_of(node->inputs.begin(), node->inputs.end(),
                                 [&](const Tensor& input) { return input.requires_grad() && leads(input); });
    if (any) needed_.insert(node);
  }
}

Tensor* detail::BackwardTargets::leaf(const Tensor& tensor) {
  const auto found = slots_of_.find(tensor.impl().get());
  return found == slots_of_.end() ? nullptr : &slots_[found->second].gradient;
}

void detail::BackwardTargets::note(const Node& node) {
  const auto [first, last] = slots_of_.equal_range(&node);
  for (auto slot = first; slot != last; ++slot) {
    Slot& target = slots_[slot->second];
    target.gradient = node.result_at(target.result).grad;
  }
}

bool detail::BackwardTargets::leads(const Tensor& tensor) const {
  if (slots_of_.contains(key_of(tensor))) return true;
  return !tensor.is_leaf() && is_needed(*tensor.impl()->node);
}

}  // namespace teff

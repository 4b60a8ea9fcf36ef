// SPDX-License-Identifier: MIT
#include "teff/serialize/operators/folding.h"

#include <unordered_set>

#include "teff/engine/error.h"
#include "teff/engine/node.h"
#include "teff/engine/tensor_impl.h"

namespace teff::serialize {
namespace {

/// What the calls that were just recorded would take, until known tensors are met.
double work_of(const TensorList& results) {
  double work = 0;
  std::vector<const Node*> nodes;
  std::unordered_set<const Node*> seen;
  const auto visit = [&](const Tensor& tensor) {
    if (!tensor.defined()) return;
    const Node* node = tensor.impl()->node.get();
    if (node != nullptr && seen.insert(node).second) nodes.push_back(node);
  };
  for (const Tensor& result : results) visit(result);
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    std::vector<TensorType> types;
    for (const Tensor& input : nodes[i]->inputs) {
      visit(input);
      types.push_back(input.type());
      work += static_cast<double>(input.numel());
    }
    work += nodes[i]->op->flop(types, nodes[i]->result.type) + static_cast<double>(numel(nodes[i]->result.type.shape));
  }
  return work;
}

}  // namespace

bool is_constant(const Tensor& tensor) { return tensor.impl()->storage != nullptr && tensor.impl()->node == nullptr; }

/// A record holds them, those that the calls of a row read too, and there are many records.
void Folding::count_constants(const TensorList& results, const std::vector<Tensor>& inputs,
                              const std::function<bool(const Tensor&)>& is_named) {
  std::unordered_set<const void*> seen{nullptr};
  for (const Tensor& input : inputs) {
    if (!input.defined()) continue;
    seen.insert(input.impl()->node.get());
    seen.insert(input.id());
  }
  std::vector<const Node*> nodes;
  const auto visit = [&](const Tensor& tensor) {
    if (!tensor.defined()) return;
    const Node* node = tensor.impl()->node.get();
    if (node != nullptr && seen.insert(node).second) nodes.push_back(node);
    if (!is_constant(tensor) || is_named(tensor) || !seen.insert(tensor.id()).second) return;
    left_ -= static_cast<double>(tensor.numel());
  };
  for (const Tensor& result : results) visit(result);
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    for (const Tensor& input : nodes[i]->inputs) visit(input);
  }
  if (left_ >= 0) return;
  throw UnsupportedError("expected constants of at most 131072 elements that are computed, got more: fold them");
}

bool Folding::takes(const TensorList& results) {
  const double work = work_of(results);
  if (work > left_) return false;
  left_ -= work;
  return true;
}

}  // namespace teff::serialize

// SPDX-License-Identifier: MIT
#include <map>
#include <mutex>

#include "teff/engine/error.h"
#include "teff/engine/gradients/formulas.h"
#include "teff/engine/gradients/recorded_call.h"
#include "teff/engine/modes.h"
#include "teff/engine/node.h"
#include "teff/engine/process.h"

namespace teff {
namespace {

class Formulas {
 public:
  Formulas() {
    for (const auto table :
         {gradients::attention_formulas, gradients::composed_formulas, gradients::cumulative_formulas,
          gradients::loss_formulas, gradients::math_formulas, gradients::normalization_formulas,
          gradients::place_formulas, gradients::pointwise_formulas, gradients::pooling_formulas,
          gradients::product_formulas, gradients::reduction_formulas, gradients::shape_formulas}) {
      for (const gradients::FormulaEntry& entry : table()) set(entry.op, entry.formula);
    }
  }

  void set(std::string_view op, GradientFormula formula) {
    std::lock_guard lock(mutex_);
    by_name_.insert_or_assign(std::string(op), formula);
  }

  /// Null if there is none.
  GradientFormula find(std::string_view op) {
    std::lock_guard lock(mutex_);
    const auto place = by_name_.find(op);
    return place == by_name_.end() ? nullptr : place->second;
  }

 private:
  detail::ProcessMutex mutex_;
  std::map<std::string, GradientFormula, std::less<>> by_name_;
};

Formulas& formulas() {
  static Formulas* instance = new Formulas;  // never destroyed: see parallel.cpp
  return *instance;
}

}  // namespace

void register_gradient(std::string_view op, GradientFormula formula) { formulas().set(op, formula); }

Tensor RecordedCall::result(std::size_t i, std::size_t result) const {
  Tensor tensor = detail::alias(saved[i], saved[i].shape());
  if (node == nullptr || !is_grad_enabled()) return tensor;
  tensor.impl()->node = node;
  tensor.impl()->result = static_cast<std::uint32_t>(result);
  tensor.impl()->requires_grad = true;
  return tensor;
}

const TensorType& RecordedCall::result_type(std::size_t result) const { return node->result_at(result).type; }

TensorList detail::differentiate(const std::shared_ptr<Node>& node, std::span<const Tensor> grads,
                                 std::span<const bool> wanted) {
  const RecordedCall call{*node->op, node->inputs, node->saved, grads, wanted, node};
  if (const auto* own = dynamic_cast<const gradients::RecordedOp*>(node->op.get())) return own->gradients(call);
  const GradientFormula formula = formulas().find(node->op->name());
  if (formula == nullptr) {
    throw Error("create_graph: expected operations whose gradients can be recorded, got " +
                std::string(node->op->name()) +
                ", which has no second derivative; detach() what comes before it, or see register_gradient");
  }
  return formula(call);
}

}  // namespace teff

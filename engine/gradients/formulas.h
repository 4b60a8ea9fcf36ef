// SPDX-License-Identifier: MIT
#pragma once

// Private: gradients as operations, for second derivatives. An op's backward() computes with kernels, and leaves no
// record; here stands for each op how the same is said by functions that do. The formulas are found by the op's name
// and not through the op, so that only programs that ask for second derivatives have them in them: nobody but
// autograd::grad and autograd::backward refers to these tables. A formula comes with its sample in
// tests/support/op_samples.h: gradgradcheck goes over all of them.

#include <span>
#include <string_view>

#include "teff/engine/dict.h"
#include "teff/engine/gradient.h"
#include "teff/engine/ops.h"

namespace teff::gradients {

struct FormulaEntry {
  std::string_view op;
  GradientFormula formula;
};

std::span<const FormulaEntry> attention_formulas();
std::span<const FormulaEntry> composed_formulas();
std::span<const FormulaEntry> cumulative_formulas();
std::span<const FormulaEntry> loss_formulas();
std::span<const FormulaEntry> math_formulas();
std::span<const FormulaEntry> normalization_formulas();
std::span<const FormulaEntry> place_formulas();
std::span<const FormulaEntry> pointwise_formulas();
std::span<const FormulaEntry> pooling_formulas();
std::span<const FormulaEntry> product_formulas();
std::span<const FormulaEntry> reduction_formulas();
std::span<const FormulaEntry> shape_formulas();

/// An op of this folder, which knows how its gradients are recorded.
class RecordedOp : public Op {
 public:
  virtual TensorList gradients(const RecordedCall& call) const = 0;
  TensorList backward(const BackwardContext& context) const final;
  bool saves_input(std::size_t) const override { return false; }
};

/// For an op that is linear in its input `i`, and of one result: backward() is linear in the gradient, and what it does
/// to a gradient is undone by the op itself. So its gradient is recorded as one call, and all derivatives follow.
Tensor adjoint(const RecordedCall& call, std::size_t i = 0);
/// The same as a formula, for input 0; the others, if there are any, have no gradient.
TensorList linear(const RecordedCall& call);

/// Zeros of type `type` but for result[places[i]] = sum of x[i]; the places are int64, of x's shape, in the flattened
/// result.
Tensor put(const Tensor& x, const Tensor& places, const TensorType& type);

/// The sum over what was broadcast when a tensor of that shape was.
Tensor sum_to(const Tensor& x, const Shape& shape);
/// A condition as 0 and 1 of that dtype.
Tensor mask(const Tensor& condition, const Tensor& like);

inline const Tensor& x_of(const RecordedCall& call) { return call.inputs[0]; }
/// The gradient of what adds a constant, or nothing.
inline TensorList pass_on(const RecordedCall& call) { return {call.grad()}; }

// Options, as files have them.
inline double number(const RecordedCall& call, std::string_view name) {
  return call.op.attributes().at(name).as_float();
}
inline std::int64_t integer(const RecordedCall& call, std::string_view name) {
  return call.op.attributes().at(name).as_int();
}
inline bool flag(const RecordedCall& call, std::string_view name) { return call.op.attributes().at(name).as_bool(); }
inline IntList integers(const RecordedCall& call, std::string_view name) {
  return call.op.attributes().at(name).as_int_list();
}

}  // namespace teff::gradients

// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <initializer_list>
#include <optional>
#include <span>
#include <vector>

#include "teff/engine/hooks.h"
#include "teff/engine/modes.h"
#include "teff/engine/tensor.h"

namespace TEFF_EXPORT teff {

// Threads: several may call backward() at once on results of their own that share leaves, as in data-parallel training;
// what they add to a grad() is added one after the other, in any order, so that last bits may differ from run to run.
// One recorded computation belongs to one thread at a time: two must not call backward() on results that share
// operations. While a backward() runs nobody else may read or replace a grad() that it adds to.

/// Sees a leaf.
using GradientFunction = std::function<void(const Tensor& leaf)>;

/// loss.backward(), which calls the function for each leaf as soon as its grad() is complete, and then goes on with the
/// rest: for what can be done meanwhile. What the function throws comes out of backward.
void backward(const Tensor& loss, const GradientFunction& on_gradient);

namespace autograd {

struct GradOptions {
  /// By output, of its type; undefined for 1. Default: 1 for each, which must be tensors of one element.
  std::vector<Tensor> grad_outputs = {};
  /// Keeps what backward needs, so that it can be called again. Default: create_graph.
  std::optional<bool> retain_graph = {};
  /// Records how the gradients are computed, so that they have gradients themselves: for second derivatives, gradient
  /// penalties. Every operation on the way must know how; nearly all of Teff's do (register_gradient for your own).
  bool create_graph = false;
  /// Whether an input that the outputs do not depend on gives an undefined tensor instead of an error.
  bool allow_unused = false;
};

/// The sum of the outputs' derivatives with respect to each of the inputs, which may be leaves or results on the way:
/// torch.autograd.grad. Touches no grad(). Only what lies between outputs and inputs is computed.
/// @throws Error for an output or input that does not require grad, an unused input (see allow_unused), or, with
/// create_graph, for an operation that knows no second derivative; ShapeError for grad_outputs that do not fit.
std::vector<Tensor> grad(std::span<const Tensor> outputs, std::span<const Tensor> inputs,
                         const GradOptions& options = {});
inline std::vector<Tensor> grad(std::initializer_list<Tensor> outputs, std::initializer_list<Tensor> inputs,
                                const GradOptions& options = {}) {
  return grad(std::span<const Tensor>(outputs.begin(), outputs.size()),
              std::span<const Tensor>(inputs.begin(), inputs.size()), options);
}
inline std::vector<Tensor> grad(std::initializer_list<Tensor> outputs, std::span<const Tensor> inputs,
                                const GradOptions& options = {}) {
  return grad(std::span<const Tensor>(outputs.begin(), outputs.size()), inputs, options);
}

struct BackwardOptions {
  std::vector<Tensor> grad_tensors = {};  // as GradOptions::grad_outputs
  std::optional<bool> retain_graph = {};
  bool create_graph = false;
  std::vector<Tensor> inputs = {};  // what gets a gradient; none: all leaves
};

/// Adds to grad() of every leaf, or of the inputs, which need not be leaves, the sum of the outputs' derivatives:
/// torch.autograd.backward. With create_graph what is in a grad() is recorded; remove it in the end, or it keeps the
/// whole computation.
void backward(std::span<const Tensor> tensors, const BackwardOptions& options = {});
inline void backward(std::initializer_list<Tensor> tensors, const BackwardOptions& options = {}) {
  backward(std::span<const Tensor>(tensors.begin(), tensors.size()), options);
}

}  // namespace autograd
}  // namespace teff

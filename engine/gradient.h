// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

#include "teff/engine/op.h"

namespace TEFF_EXPORT teff {

struct Node;

/// A call whose gradients are asked for with create_graph: so that they have gradients themselves.
struct RecordedCall {
  const Op& op;
  std::span<const Tensor> inputs;  // as they were given; of those that saves_input() declines only shape and dtype
  std::span<const Tensor> saved;   // what forward kept; constants
  std::span<const Tensor> grads;   // by result; undefined where none came; at least one came
  std::span<const bool> wanted;    // by input
  const std::shared_ptr<Node>& node;

  /// Of an op of one result.
  const Tensor& grad() const { return grads[0]; }
  /// saved[i], if that is result `result` of the call, as the caller has it: a gradient of it goes on to the inputs.
  Tensor result(std::size_t i = 0, std::size_t result = 0) const;
  /// The type of a result.
  const TensorType& result_type(std::size_t result) const;
};

/// The gradients of the inputs, as Op::backward gives them, by functions of ops.h: what these record is what a second
/// derivative goes through.
using GradientFormula = TensorList (*)(const RecordedCall& call);

/// Tells how the gradients of an op of your own are recorded. Call it at the start of the program; safe from any
/// thread. The last formula of a name counts.
void register_gradient(std::string_view op, GradientFormula formula);

}  // namespace teff

// SPDX-License-Identifier: MIT
#include "teff/engine/gradients/formulas.h"

namespace teff::gradients {
namespace {

/// x with mean 0 and variance 1 over `dims`, and the way back of a gradient g of it.
struct Normalized {
  Tensor z, inverse_std;
  IntList dims;

  Normalized(const Tensor& x, const IntList& over, double eps) : dims(over) {
    const Tensor centred = x - mean(x, dims, true);
    inverse_std = 1 / sqrt(mean(centred * centred, dims, true) + eps);
    z = centred * inverse_std;
  }
  /// inverse_std * (g - mean(g) - z * mean(g * z))
  Tensor back(const Tensor& g) const { return inverse_std * (g - mean(g, dims, true) - z * mean(g * z, dims, true)); }
};

/// [C] for x [N, C, ...]
Tensor per_channel(const Tensor& values, std::size_t rank) {
  Shape shape(values.size(0));
  while (shape.size() + 1 < rank) shape.push_back(1);
  return view(values, shape);
}

/// All dimensions but one.
IntList others(std::size_t rank, std::size_t dim) {
  IntList dims;
  for (std::size_t i = 0; i < rank; ++i) {
    if (i != dim) dims.push_back(static_cast<std::int64_t>(i));
  }
  return dims;
}

TensorList zeros_for(const RecordedCall& call) {
  TensorList grads;
  for (const Tensor& input : call.inputs) grads.push_back(zeros(input.shape(), {.dtype = input.dtype()}));
  return grads;
}

TensorList batch_norm_grads(const RecordedCall& call) {
  const Tensor &x = call.inputs[0], &grad = call.grad();
  if (x.numel() == 0) return zeros_for(call);
  const bool has_statistics = flag(call, "has_running_stats"), has_weight = flag(call, "has_weight");
  const std::size_t weight = has_statistics ? 3 : 1, bias = weight + has_weight, rank = x.shape().size();
  const IntList rest = others(rank, 1);
  const Tensor g = has_weight ? grad * per_channel(call.inputs[weight], rank) : grad;
  TensorList grads(call.inputs.size());
  Tensor z;
  if (flag(call, "training") || !has_statistics) {
    const Normalized normalized(x, rest, number(call, "eps"));
    z = normalized.z;
    grads[0] = normalized.back(g);
  } else {
    const Tensor inverse_std = per_channel(call.saved[0], rank);
    z = (x - per_channel(call.inputs[1], rank)) * inverse_std;
    grads[0] = g * inverse_std;
  }
  if (has_weight) grads[weight] = sum(grad * z, rest);
  if (bias < grads.size()) grads[bias] = sum(grad, rest);
  return grads;
}

TensorList layer_norm_grads(const RecordedCall& call) {
  const Tensor &x = call.inputs[0], &grad = call.grad();
  if (x.numel() == 0) return zeros_for(call);
  const bool has_weight = flag(call, "has_weight");
  const std::size_t bias = has_weight ? 2 : 1, rank = x.shape().size();
  const Shape shape = integers(call, "normalized_shape");
  IntList dims;
  for (std::size_t i = rank - shape.size(); i < rank; ++i) dims.push_back(static_cast<std::int64_t>(i));
  const Normalized normalized(x, dims, number(call, "eps"));
  TensorList grads(call.inputs.size());
  grads[0] = normalized.back(has_weight ? grad * call.inputs[1] : grad);
  if (has_weight) grads[1] = sum_to(grad * normalized.z, shape);
  if (bias < grads.size()) grads[bias] = sum_to(grad, shape);
  return grads;
}

TensorList group_norm_grads(const RecordedCall& call) {
  const Tensor &x = call.inputs[0], &grad = call.grad();
  if (x.numel() == 0) return zeros_for(call);
  const bool has_weight = flag(call, "has_weight");
  const std::size_t bias = has_weight ? 2 : 1, rank = x.shape().size();
  const Shape groups{x.size(0), integer(call, "num_groups"), -1};
  const Normalized normalized(view(x, groups), 2, number(call, "eps"));
  TensorList grads(call.inputs.size());
  const Tensor g = has_weight ? grad * per_channel(call.inputs[1], rank) : grad;
  grads[0] = view(normalized.back(view(g, groups)), x.shape());
  const IntList rest = others(rank, 1);
  if (has_weight) grads[1] = sum(grad * view(normalized.z, x.shape()), rest);
  if (bias < grads.size()) grads[bias] = sum(grad, rest);
  return grads;
}

}  // namespace

std::span<const FormulaEntry> normalization_formulas() {
  static constexpr FormulaEntry kEntries[] = {
      {"batch_norm", batch_norm_grads},
      {"layer_norm", layer_norm_grads},
      {"group_norm", group_norm_grads},
  };
  return kEntries;
}

}  // namespace teff::gradients

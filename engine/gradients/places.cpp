// SPDX-License-Identifier: MIT
#include <cmath>

#include "teff/engine/gradients/formulas.h"
#include "teff/engine/ops/advanced_index.h"
#include "teff/engine/ops/products.h"

namespace teff::gradients {
namespace {

Tensor zeros_of(const TensorType& type) { return zeros(type.shape, {.dtype = type.dtype}); }

/// The gradient of what scatter writes: where it was read, and 0 for what the index does not reach.
Tensor source_grad(const RecordedCall& call) {
  const Tensor read = gather(call.grad(), integer(call, "dim"), call.inputs[1]);
  const Shape &shape = call.inputs[2].shape(), &reached = read.shape();
  if (shape == reached) return read;
  IntList padding;
  for (std::size_t d = shape.size(); d-- > 0;) {
    padding.push_back(0);
    padding.push_back(shape[d] - reached[d]);
  }
  return pad(read, padding);
}

TensorList scatter_grads(const RecordedCall& call) {
  TensorList grads(3);
  if (call.wanted[0]) grads[0] = scatter(call.grad(), integer(call, "dim"), call.inputs[1], 0);
  if (call.wanted[2]) grads[2] = source_grad(call);
  return grads;
}

TensorList scatter_add_grads(const RecordedCall& call) {
  TensorList grads(3);
  if (call.wanted[0]) grads[0] = call.grad();
  if (call.wanted[2]) grads[2] = source_grad(call);
  return grads;
}

TensorList index_put_grads(const RecordedCall& call) {
  const std::int64_t dim = integer(call, "dim");
  const std::span<const Tensor> indices = call.inputs.subspan(2);
  TensorList grads(call.inputs.size());
  if (call.wanted[0]) {
    grads[0] = flag(call, "accumulate")
                   ? call.grad()
                   : ops::index_put_at(call.grad(), dim, indices, zeros_of(call.inputs[1].type()), false);
  }
  if (call.wanted[1]) grads[1] = ops::index_at(call.grad(), dim, indices);
  return grads;
}

/// values = x[indices]
TensorList order_grads(const RecordedCall& call) {
  return {scatter(zeros_of(call.inputs[0].type()), integer(call, "dim"), call.saved[0], call.grad())};
}

TensorList bmm_grads(const RecordedCall& call) {
  const Tensor &a = call.inputs[0], &b = call.inputs[1], &grad = call.grad();
  const bool turn_a = flag(call, "transpose_a"), turn_b = flag(call, "transpose_b");
  TensorList grads(2);
  if (call.wanted[0]) {
    grads[0] = turn_a ? ops::batch_product(b, grad, turn_b, true) : ops::batch_product(grad, b, false, !turn_b);
  }
  if (call.wanted[1]) {
    grads[1] = turn_b ? ops::batch_product(grad, a, true, turn_a) : ops::batch_product(a, grad, !turn_a, false);
  }
  return grads;
}

/// The derivative of each distance d [B, P, R, 1] with respect to the differences [B, P, R, M]; 0 where d is.
Tensor slopes(const Tensor& apart, const Tensor& distance, double p) {
  const Tensor is_zero = mask(eq(distance, 0.0), distance), d = distance + is_zero;
  if (p == 0) return apart * 0.0;
  if (p == 2) return apart / d * (1.0 - is_zero);
  const Tensor sign = mask(gt(apart, 0.0), apart) - mask(lt(apart, 0.0), apart);
  if (p == 1) return sign;
  if (std::isinf(p)) return sign * mask(eq(abs(apart), distance), apart);
  const Tensor size = abs(apart) + mask(eq(apart, 0.0), apart);  // the sign is 0 there
  return sign * pow(size / d, p - 1) * (1.0 - is_zero);
}

/// D[b, i, j] = |X[b, i] - Y[b, j]|
TensorList cdist_grads(const RecordedCall& call) {
  const Tensor apart = unsqueeze(call.inputs[0], 2) - unsqueeze(call.inputs[1], 1);
  const Tensor parts = slopes(apart, unsqueeze(call.result(), 3), number(call, "p")) * unsqueeze(call.grad(), 3);
  TensorList grads(2);
  if (call.wanted[0]) grads[0] = sum(parts, 2);
  if (call.wanted[1]) grads[1] = neg(sum(parts, 1));
  return grads;
}

}  // namespace

std::span<const FormulaEntry> place_formulas() {
  static constexpr FormulaEntry kEntries[] = {
      {"flip", linear},           {"tril", linear},
      {"triu", linear},           {"diagonal", linear},
      {"diag_embed", linear},     {"unfold", linear},
      {"fold", linear},           {"gather", linear},
      {"scatter", scatter_grads}, {"scatter_add", scatter_add_grads},
      {"index", linear},          {"index_put", index_put_grads},
      {"sort", order_grads},      {"topk", order_grads},
      {"kthvalue", order_grads},  {"bmm", bmm_grads},
      {"cdist", cdist_grads},
  };
  return kEntries;
}

}  // namespace teff::gradients

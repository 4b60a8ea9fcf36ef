// SPDX-License-Identifier: MIT
#include <cmath>
#include <limits>

#include "teff/engine/gradients/formulas.h"

namespace teff::gradients {
namespace {

Tensor transposed(const Tensor& matrices) { return transpose(matrices, -2, -1); }

/// true where nobody may look, by a mask of bool or by the order of time; undefined if everybody sees everything.
Tensor hidden(const RecordedCall& call, std::int64_t queries, std::int64_t keys) {
  Tensor result;
  if (call.inputs.size() == 4 && call.inputs[3].dtype() == DType::bool_) result = logical_not(call.inputs[3]);
  if (!flag(call, "is_causal")) return result;
  const Tensor later = triu(ones({queries, keys}, {.dtype = DType::bool_}), 1);
  return result.defined() ? logical_or(result, later) : later;
}

/// P = softmax(Q K^T * scale + mask), Y = (P * noise) V: dV = (P * noise)^T dY, dP = dY V^T * noise,
/// dS = P * (dP - sum(dP * P)), dQ = dS K * scale, dK = dS^T Q * scale, and dS for the mask. Of all weights at once.
TensorList attention_grads(const RecordedCall& call) {
  const Tensor &query = call.inputs[0], &key = call.inputs[1], &value = call.inputs[2], &grad = call.grad();
  TensorList grads(call.inputs.size());
  if (query.numel() == 0 || key.numel() == 0 || value.numel() == 0) {
    for (std::size_t i = 0; i < grads.size(); ++i) {
      if (call.wanted[i]) grads[i] = zeros(call.inputs[i].shape(), {.dtype = grad.dtype()});
    }
    return grads;
  }
  const Dict options = call.op.attributes();
  const Value& given = options.at("scale");
  const double scale = given.is_none() ? 1 / std::sqrt(static_cast<double>(query.size(-1))) : given.as_float();
  const Tensor scaled = query * scale, unseen = hidden(call, query.size(-2), key.size(-2));
  Tensor scores = matmul(scaled, transposed(key));
  if (call.inputs.size() == 4 && call.inputs[3].dtype() != DType::bool_) scores = scores + call.inputs[3];
  if (unseen.defined()) scores = masked_fill(scores, unseen, -std::numeric_limits<double>::infinity());
  const Tensor p = softmax(scores, -1);
  const bool drops = !call.saved.empty();
  if (call.wanted[2]) grads[2] = matmul(transposed(drops ? p * call.saved[0] : p), grad);
  Tensor dp = matmul(grad, transposed(value));
  if (drops) dp = dp * call.saved[0];
  Tensor ds = p * (dp - sum(dp * p, -1, true));
  if (unseen.defined()) ds = masked_fill(ds, unseen, 0);
  if (call.wanted[0]) grads[0] = matmul(ds, key) * scale;
  if (call.wanted[1]) grads[1] = matmul(transposed(ds), scaled);
  if (grads.size() == 4 && call.wanted[3]) grads[3] = sum_to(ds, call.inputs[3].shape());
  return grads;
}

}  // namespace

std::span<const FormulaEntry> attention_formulas() {
  static constexpr FormulaEntry kEntries[] = {{"scaled_dot_product_attention", attention_grads}};
  return kEntries;
}

}  // namespace teff::gradients

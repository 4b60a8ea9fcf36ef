// SPDX-License-Identifier: MIT
#include "teff/engine/gradients/formulas.h"
#include "teff/engine/op_registry.h"

namespace teff::gradients {
namespace {

TensorList view_grads(const RecordedCall& call) { return {view(call.grad(), x_of(call).shape())}; }

TensorList expand_grads(const RecordedCall& call) { return {sum_to(call.grad(), x_of(call).shape())}; }

TensorList permute_grads(const RecordedCall& call) {
  const IntList dims = integers(call, "dims");
  IntList inverse = dims;
  for (std::size_t i = 0; i < dims.size(); ++i) {
    const std::int64_t dim = dims[i] < 0 ? dims[i] + static_cast<std::int64_t>(dims.size()) : dims[i];
    inverse[static_cast<std::size_t>(dim)] = static_cast<std::int64_t>(i);
  }
  return {permute(call.grad(), inverse)};
}

/// Each input gets its part; empty lists [0] had none.
TensorList cat_grads(const RecordedCall& call) {
  const std::int64_t dim = integer(call, "dim");
  TensorList grads(call.inputs.size());
  std::int64_t begin = 0;
  for (std::size_t i = 0; i < grads.size(); ++i) {
    const Tensor& input = call.inputs[i];
    if (input.shape() == Shape{0}) {
      grads[i] = zeros({0}, {.dtype = input.dtype()});
      continue;
    }
    const std::int64_t end = begin + input.size(dim);
    if (call.wanted[i]) grads[i] = slice(call.grad(), dim, begin, end);
    begin = end;
  }
  return grads;
}

/// The pieces' gradients put together, 0 where none came.
TensorList pieces_grads(const RecordedCall& call) {
  TensorList parts;
  for (std::size_t i = 0; i < call.grads.size(); ++i) {
    const TensorType& type = call.result_type(i);
    parts.push_back(call.grads[i].defined() ? call.grads[i] : zeros(type.shape, {.dtype = type.dtype}));
  }
  return {cat(std::span<const Tensor>(parts), integer(call, "dim"))};
}

/// Cropping what was padded, and padding what was cropped.
TensorList pad_grads(const RecordedCall& call) {
  if (call.op.attributes().at("mode").as_text() != to_string(PadMode::constant)) return linear(call);
  IntList back = integers(call, "padding");
  for (std::int64_t& amount : back) amount = -amount;
  return {pad(call.grad(), back)};
}

/// The row padding_idx gets none.
TensorList embedding_grads(const RecordedCall& call) {
  const Tensor& indices = call.inputs[0];
  const Dict options = call.op.attributes();
  const Value& padding = options.at("padding_idx");
  Tensor grad = call.grad();
  if (!padding.is_none()) {
    const std::int64_t rows = call.inputs[1].size(0);
    const std::int64_t row = padding.as_int() < 0 ? padding.as_int() + rows : padding.as_int();
    grad = grad * unsqueeze(mask(ne(indices, static_cast<double>(row)), grad), -1);
  }
  const auto plain = make_op("embedding", {});
  return {Tensor(), adjoint({*plain, call.inputs, call.saved, {&grad, 1}, call.wanted, call.node}, 1)};
}

}  // namespace

std::span<const FormulaEntry> shape_formulas() {
  static constexpr FormulaEntry kEntries[] = {
      {"view", view_grads},
      {"permute", permute_grads},
      {"expand", expand_grads},
      {"cat", cat_grads},
      {"slice", linear},
      {"select", linear},
      {"index_select", linear},
      {"split", pieces_grads},
      {"split_with_sizes", pieces_grads},
      {"pad", pad_grads},
      {"embedding", embedding_grads},
  };
  return kEntries;
}

}  // namespace teff::gradients

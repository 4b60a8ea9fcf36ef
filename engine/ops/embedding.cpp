// SPDX-License-Identifier: MIT
#include <cstring>

#include "teff/engine/kernels/elements/elements_kernels.h"
#include "teff/engine/ops.h"
#include "teff/engine/ops/checks.h"
#include "teff/engine/ops/dispatch.h"
#include "teff/engine/ops/op_tables.h"
#include "teff/engine/strided_copy.h"
#include "teff/engine/tensor_impl.h"

namespace teff {
namespace {

struct EmbeddingOptions {
  std::optional<std::int64_t> padding_idx;
  static void fields(auto& self, auto&& field) { field("padding_idx", self.padding_idx); }
};

/// Y[..., :] = W[index[...], :], dW[index[...], :] += dY[..., :] but for index = padding_idx
class Embedding : public OpWith<Embedding, EmbeddingOptions> {
 public:
  static constexpr std::string_view kName = "embedding";
  using OpWith::OpWith;
  Widening widening() const override { return Widening::none; }

  TensorType output_type(std::span<const TensorType> inputs) const override {
    detail::check_arity(kName, inputs, 2);
    if (inputs[0].dtype != DType::int64) {
      ops::fail<TypeError>(kName, "indices of int64, got ", to_string(inputs[0].dtype),
                           "; convert them with to(DType::int64)");
    }
    const bool is_half = inputs[1].dtype == DType::float16 || inputs[1].dtype == DType::bfloat16;
    if (!is_half) ops::check_computable(kName, inputs.subspan(1));
    const Shape& weight = inputs[1].shape;
    if (weight.size() != 2) ops::fail<ShapeError>(kName, "weight [V, D], got weight ", weight);
    const std::int64_t row = padding_row(weight[0]);
    if (options_.padding_idx && (row < 0 || row >= weight[0])) {
      ops::fail<IndexError>(kName, "padding_idx in [", -weight[0], ", ", weight[0], ") for weight ", weight, ", got ",
                            *options_.padding_idx);
    }
    Shape shape = inputs[0].shape;
    shape.push_back(weight[1]);
    return {ops::check_result(kName, shape), inputs[1].dtype};
  }

  Tensor forward(const ForwardContext& context) const override {
    const Tensor &indices = context.inputs[0], &weight = context.inputs[1];
    check_indices(indices, weight.shape());
    Tensor y = context.make_result();
    if (y.numel() == 0) return y;
    const std::size_t bytes = static_cast<std::size_t>(weight.size(1)) * size_of(weight.dtype());
    const auto* from = static_cast<const std::byte*>(weight.raw_data());
    auto* to = static_cast<std::byte*>(y.raw_data());
    for (const std::int64_t index : indices.span<std::int64_t>()) {
      std::memcpy(to, from + static_cast<std::size_t>(index) * bytes, bytes);
      to += bytes;
    }
    return y;
  }

  TensorList backward(const BackwardContext& context) const override {
    Tensor grad_weight = ops::new_zeros(context.inputs[1].type());
    if (context.grad.numel() == 0) return {Tensor(), grad_weight};
    const std::int64_t size = grad_weight.size(1), padding = padding_row(grad_weight.size(0));
    ops::visit_computable(grad_weight.dtype(), [&](auto zero) {
      using T = decltype(zero);
      const T* from = context.grad.data<T>();
      for (const std::int64_t index : context.inputs[0].span<std::int64_t>()) {
        if (index != padding)
          kernels::elementwise_kernels<T>().axpy(size, T(1), from, grad_weight.data<T>() + index * size);
        from += size;
      }
    });
    return {Tensor(), grad_weight};
  }

  bool saves_input(std::size_t i) const override { return i == 0; }

 private:
  /// padding_idx, counted from the front; -1 for none.
  std::int64_t padding_row(std::int64_t rows) const {
    if (!options_.padding_idx) return -1;
    return *options_.padding_idx < 0 ? *options_.padding_idx + rows : *options_.padding_idx;
  }

  static void check_indices(const Tensor& indices, const Shape& weight) {
    std::int64_t place = 0;
    for (const std::int64_t index : indices.span<std::int64_t>()) {
      if (index < 0 || index >= weight[0]) {
        ops::fail<IndexError>(kName, "indices in [0, ", weight[0], ") for weight ", weight, ", got ", index,
                              " at index ", place);
      }
      ++place;
    }
  }
};

}  // namespace

Tensor embedding(const Tensor& indices, const Tensor& weight, std::optional<std::int64_t> padding_idx) {
  return apply(Embedding({padding_idx}), {indices, weight});
}

std::span<const OpEntry> ops::embedding_ops() {
  static const OpEntry entries[] = {op_entry<Embedding>()};
  return entries;
}

}  // namespace teff

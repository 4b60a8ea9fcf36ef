// SPDX-License-Identifier: MIT
#include <vector>

#include "teff/engine/ops.h"
#include "teff/engine/ops/checks.h"
#include "teff/engine/ops/dispatch.h"
#include "teff/engine/ops/op_tables.h"
#include "teff/engine/strided_copy.h"
#include "teff/engine/tensor_impl.h"

namespace teff {
namespace {

struct EmbeddingBagFields {
  EmbeddingBagMode mode = EmbeddingBagMode::mean;
  bool include_last_offset = false;
  std::optional<std::int64_t> padding_idx;
  bool has_offsets = false, has_weights = false;
  static void fields(auto& self, auto&& field) {
    field("mode", self.mode);
    field("include_last_offset", self.include_last_offset);
    field("padding_idx", self.padding_idx);
    field("has_offsets", self.has_offsets);
    field("has_weights", self.has_weights);
  }
  std::size_t weights() const { return has_offsets ? 3 : 2; }
};

/// Y[b] = sum over i of bag b of w[i] * W[index[i]], divided by their number, or their maximum.
/// dW[index[i]] += w[i] * dY[b] (/ number), dw[i] = W[index[i]] . dY[b]; for maxima dW[the first largest] += dY[b].
/// Inputs: indices, W, offsets, w.
class EmbeddingBag : public OpWith<EmbeddingBag, EmbeddingBagFields> {
 public:
  static constexpr std::string_view kName = "embedding_bag";
  using OpWith::OpWith;

  TensorType output_type(std::span<const TensorType> inputs) const override {
    const EmbeddingBagFields& o = options_;
    detail::check_arity(kName, inputs, o.weights() + o.has_weights);
    const Shape &indices = inputs[0].shape, &weight = inputs[1].shape;
    for (const std::size_t i : {std::size_t{0}, std::size_t{2}}) {
      if (i == 2 && !o.has_offsets) continue;
      if (inputs[i].dtype == DType::int64) continue;
      ops::fail<TypeError>(kName, "indices and offsets of int64, got ", to_string(inputs[i].dtype),
                           "; convert them with to(DType::int64)");
    }
    ops::check_computable(kName, inputs.subspan(1, 1));
    if (weight.size() != 2) ops::fail<ShapeError>(kName, "weight [V, D], got weight ", weight);
    if (indices.size() != (o.has_offsets ? 1 : 2)) {
      ops::fail<ShapeError>(kName, "indices [B, n], or [n] with offsets, got indices ", indices,
                            o.has_offsets ? " with offsets" : " without offsets");
    }
    if (o.padding_idx && (*o.padding_idx < -weight[0] || *o.padding_idx >= weight[0])) {
      ops::fail<IndexError>(kName, "padding_idx in [", -weight[0], ", ", weight[0], ") for weight ", weight, ", got ",
                            *o.padding_idx);
    }
    if (o.has_weights) {
      if (o.mode != EmbeddingBagMode::sum) {
        ops::fail<ValueError>(kName, "per_sample_weights with mode sum only, got mode ", to_string(o.mode));
      }
      ops::check_one_dtype(kName, std::vector{inputs[1], inputs[o.weights()]});
      ops::check_matches(kName, "per_sample_weights", inputs[o.weights()].shape, indices, "indices", indices);
    }
    std::int64_t bags = indices[0];
    if (o.has_offsets) {
      const Shape& offsets = inputs[2].shape;
      if (offsets.size() != 1 || (o.include_last_offset && offsets[0] == 0)) {
        ops::fail<ShapeError>(kName, "offsets [B], with include_last_offset [B + 1], got offsets ", offsets);
      }
      bags = offsets[0] - o.include_last_offset;
    }
    return {ops::check_result(kName, {bags, weight[1]}), inputs[1].dtype};
  }

  Tensor forward(const ForwardContext& context) const override {
    const Tensor& weight = context.inputs[1];
    const Tensor y = context.make_result();
    detail::fill(y, 0);
    const std::int64_t size = weight.size(1);
    ops::visit_computable(y.dtype(), [&](auto zero) {
      using T = decltype(zero);
      const T* const weights = options_.has_weights ? context.inputs[options_.weights()].data<T>() : nullptr;
      T* to = y.data<T>();
      for (std::int64_t b = 0; b < y.size(0); ++b, to += size) {
        std::int64_t seen = 0;
        for_each(context.inputs, y.size(0), b, [&](std::int64_t i, std::int64_t row) {
          const T* from = weight.data<T>() + row * size;
          const T factor = weights == nullptr ? T(1) : weights[i];
          const bool first = seen++ == 0;
          for (std::int64_t d = 0; d < size; ++d) {
            if (options_.mode != EmbeddingBagMode::max) {
              to[d] += factor * from[d];
            } else if (first || from[d] > to[d] || (from[d] != from[d] && to[d] == to[d])) {
              to[d] = from[d];
            }
          }
        });
        if (options_.mode != EmbeddingBagMode::mean || seen == 0) continue;
        for (std::int64_t d = 0; d < size; ++d) to[d] /= static_cast<T>(seen);
      }
    });
    return y;
  }

  TensorList backward(const BackwardContext& context) const override {
    const Tensor& weight = context.inputs[1];
    TensorList grads(context.inputs.size());
    grads[1] = ops::new_zeros(weight.type());
    if (options_.has_weights) grads.back() = ops::new_zeros(context.inputs.back().type());
    ops::visit_computable(weight.dtype(), [&](auto zero) {
      using T = decltype(zero);
      for (std::int64_t b = 0; b < context.grad.size(0); ++b) {
        if (options_.mode == EmbeddingBagMode::max) {
          add_maxima<T>(context, b, grads[1].data<T>());
        } else {
          add_sums<T>(context, b, grads);
        }
      }
    });
    if (!context.wanted[1]) grads[1] = Tensor();
    return grads;
  }

  double flop(std::span<const TensorType> inputs, const TensorType&) const override {
    return static_cast<double>(numel(inputs[0].shape)) * static_cast<double>(inputs[1].shape[1]);
  }

 private:
  template <class T>
  void add_sums(const BackwardContext& context, std::int64_t b, const TensorList& grads) const {
    const std::int64_t size = context.grad.size(1), bags = context.grad.size(0);
    const T* const grad = context.grad.data<T>() + b * size;
    std::int64_t count = 0;
    for_each(context.inputs, bags, b, [&](std::int64_t, std::int64_t) { ++count; });
    for_each(context.inputs, bags, b, [&](std::int64_t i, std::int64_t row) {
      T* const to = grads[1].data<T>() + row * size;
      const T* const from = context.inputs[1].data<T>() + row * size;
      T factor = options_.mode == EmbeddingBagMode::mean ? T(1) / static_cast<T>(count) : T(1);
      if (options_.has_weights) factor = context.inputs.back().data<T>()[i];
      T product = 0;
      for (std::int64_t d = 0; d < size; ++d) {
        to[d] += factor * grad[d];
        product += from[d] * grad[d];
      }
      if (options_.has_weights) grads.back().data<T>()[i] = product;
    });
  }

  template <class T>
  void add_maxima(const BackwardContext& context, std::int64_t b, T* to) const {
    const std::int64_t size = context.grad.size(1);
    const T *const grad = context.grad.data<T>() + b * size, *const from = context.inputs[1].data<T>();
    std::vector<std::int64_t> best(static_cast<std::size_t>(size), -1);
    for_each(context.inputs, context.grad.size(0), b, [&](std::int64_t, std::int64_t row) {
      for (std::int64_t d = 0; d < size; ++d) {
        std::int64_t& place = best[static_cast<std::size_t>(d)];
        const T value = from[row * size + d];
        if (place < 0 || value > from[place] || (value != value && from[place] == from[place])) place = row * size + d;
      }
    });
    for (std::int64_t d = 0; d < size; ++d) {
      if (best[static_cast<std::size_t>(d)] >= 0) to[best[static_cast<std::size_t>(d)]] += grad[d];
    }
  }

  /// Calls function(i, row) for each index i of bag b that counts.
  template <class Function>
  void for_each(std::span<const Tensor> inputs, std::int64_t bags, std::int64_t b, const Function& function) const {
    const Tensor &indices = inputs[0], &weight = inputs[1];
    const std::int64_t rows = weight.size(0), count = indices.numel();
    std::int64_t begin = 0, end = count;
    if (!options_.has_offsets) {
      begin = b * indices.size(1);
      end = begin + indices.size(1);
    } else {
      const std::int64_t* offsets = inputs[2].data<std::int64_t>();
      begin = offsets[b];
      if (b + 1 < bags || options_.include_last_offset) end = offsets[b + 1];
      if (begin < 0 || begin > end || end > count || (b == 0 && begin != 0)) {
        ops::fail<ValueError>(kName, "offsets that begin with 0, do not fall and end by ", count, ", got ", begin,
                              " before ", end);
      }
    }
    const std::int64_t padding =
        options_.padding_idx ? (*options_.padding_idx + rows) % (rows > 0 ? rows : 1) : std::int64_t{-1};
    const std::int64_t* index = indices.data<std::int64_t>();
    for (std::int64_t i = begin; i < end; ++i) {
      if (index[i] < 0 || index[i] >= rows) {
        ops::fail<IndexError>(kName, "indices in [0, ", rows, ") for weight ", weight.shape(), ", got ", index[i],
                              " at index ", i);
      }
      if (index[i] != padding) function(i, index[i]);
    }
  }
};

}  // namespace

Tensor embedding_bag(const Tensor& indices, const Tensor& weight, const EmbeddingBagFuncOptions& options) {
  TensorList inputs{indices, weight};
  if (options.offsets.defined()) inputs.push_back(options.offsets);
  if (options.per_sample_weights.defined()) inputs.push_back(options.per_sample_weights);
  const EmbeddingBagFields fields{options.mode, options.include_last_offset, options.padding_idx,
                                  options.offsets.defined(), options.per_sample_weights.defined()};
  return teff::apply(EmbeddingBag(fields), inputs);
}

std::string_view to_string(EmbeddingBagMode mode) {
  return mode == EmbeddingBagMode::sum ? "sum" : mode == EmbeddingBagMode::mean ? "mean" : "max";
}

void from_string(std::string_view name, EmbeddingBagMode& mode) {
  for (const EmbeddingBagMode known : {EmbeddingBagMode::sum, EmbeddingBagMode::mean, EmbeddingBagMode::max}) {
    if (to_string(known) != name) continue;
    mode = known;
    return;
  }
  ops::fail<ValueError>("embedding_bag mode", "\"sum\", \"mean\" or \"max\", got \"", name, '"');
}

std::span<const OpEntry> ops::embedding_bag_ops() {
  static const OpEntry entries[] = {op_entry<EmbeddingBag>()};
  return entries;
}

}  // namespace teff

// SPDX-License-Identifier: MIT
#include "teff/engine/ops/advanced_index.h"

#include <algorithm>
#include <cstring>

#include "teff/engine/kernels/isa/workspace.h"
#include "teff/engine/ops/broadcast.h"
#include "teff/engine/ops/checks.h"
#include "teff/engine/ops/op_tables.h"
#include "teff/engine/ops/repeated.h"
#include "teff/engine/ops/rows.h"
#include "teff/engine/strided_copy.h"
#include "teff/engine/tensor_impl.h"

namespace teff {
namespace {

/// x as [outer, size, inner], the middle being `count` dimensions from `dim` on.
ops::Split split_at(const Shape& shape, std::size_t dim, std::size_t count) {
  ops::Split s(shape, dim);
  s.inner = 1;
  for (std::size_t d = dim + 1; d < shape.size(); ++d) (d < dim + count ? s.size : s.inner) *= shape[d];
  return s;
}

Shape broadcast_of(std::string_view op, std::span<const TensorType> indices) {
  Shape shape = indices[0].shape;
  for (const TensorType& index : indices.subspan(1)) shape = ops::broadcast_shape(op, shape, index.shape);
  return shape;
}

/// The same of tensors: no list of types, which takes memory.
Shape broadcast_of(std::string_view op, std::span<const Tensor> indices) {
  Shape shape = indices[0].shape();
  for (const Tensor& index : indices.subspan(1)) shape = ops::broadcast_shape(op, shape, index.shape());
  return shape;
}

std::vector<TensorType> types_of(std::span<const Tensor> tensors) {
  std::vector<TensorType> types;
  for (const Tensor& tensor : tensors) types.push_back(tensor.type());
  return types;
}

/// Where the indices point: places in the middle of the split, checked.
class Places {
 public:
  Places(std::string_view op, const Shape& x, std::int64_t dim, std::span<const Tensor> indices)
      : split(split_at(x, ops::check_real_dim(op, dim, x), indices.size())),
        shape(broadcast_of(op, indices)),
        count(numel(shape)),
        places_(static_cast<std::size_t>(count)) {
    std::fill_n(places_.data(), count, 0);
    if (count == 0) return;
    const std::size_t first = ops::check_real_dim(op, dim, x);
    for (std::size_t i = 0; i < indices.size(); ++i) add(op, x, first + i, indices[i]);
  }

  const std::int64_t* data() { return places_.data(); }

  const ops::Split split;
  const Shape shape;  // of all indices together
  const std::int64_t count;

 private:
  /// Place = place * size + index
  void add(std::string_view op, const Shape& x, std::size_t dim, const Tensor& index) {
    const std::int64_t size = x[dim];
    ops::check_indices(op, index, -size, dim, x);
    const ops::Repeated all(index, shape);
    const auto* const values = static_cast<const std::int64_t*>(all.data());
    std::int64_t* places = places_.data();
    for (std::int64_t i = 0; i < count; ++i) {
      places[i] = places[i] * size + values[i] + (values[i] < 0 ? size : 0);
    }
  }

  kernels::Workspace<std::int64_t> places_;
};

struct IndexOptions {
  std::int64_t dim = 0;
  static void fields(auto& self, auto&& field) { field("dim", self.dim); }
};

/// Y = X[..., indices, ...], dX[..., indices, ...] += dY
class Index : public OpWith<Index, IndexOptions> {
 public:
  static constexpr std::string_view kName = "index";
  using OpWith::OpWith;

  TensorType output_type(std::span<const TensorType> inputs) const override {
    ops::check_arity(kName, inputs, 2, 1 + kMaxRank);
    return {ops::index_shape(kName, inputs[0].shape, options_.dim, inputs.subspan(1)), inputs[0].dtype};
  }

  Tensor forward(const ForwardContext& context) const override {
    const Tensor& x = context.inputs[0];
    Places places(kName, x.shape(), options_.dim, context.inputs.subspan(1));
    Tensor y = context.make_result();
    ops::take_rows(places.split, places.data(), places.count, x, y);
    return y;
  }

  TensorList backward(const BackwardContext& context) const override {
    TensorList grads(context.inputs.size());
    grads[0] = ops::new_zeros(context.inputs[0].type());
    Places places(kName, grads[0].shape(), options_.dim, context.inputs.subspan(1));
    ops::add_rows(places.split, places.data(), places.count, context.grad, grads[0]);
    return grads;
  }

  bool saves_input(std::size_t i) const override { return i > 0; }
};

struct IndexPutOptions {
  std::int64_t dim = 0;
  bool accumulate = false;
  static void fields(auto& self, auto&& field) {
    field("dim", self.dim);
    field("accumulate", self.accumulate);
  }
};

/// Y = X but Y[..., indices, ...] = V, or += V; dX = dY but for 0 there, or dY; dV = dY[..., indices, ...]
class IndexPut : public OpWith<IndexPut, IndexPutOptions> {
 public:
  static constexpr std::string_view kName = "index_put";
  using OpWith::OpWith;

  TensorType output_type(std::span<const TensorType> inputs) const override {
    ops::check_arity(kName, inputs, 3, 2 + kMaxRank);
    const Shape shape = ops::index_shape(kName, inputs[0].shape, options_.dim, inputs.subspan(2));
    ops::check_matches(kName, "values", inputs[1].shape, shape, "input", inputs[0].shape);
    options_.accumulate ? ops::check_numeric(kName, inputs.first(2)) : ops::check_one_dtype(kName, inputs.first(2));
    return inputs[0];
  }

  Tensor forward(const ForwardContext& context) const override {
    const Tensor& x = context.inputs[0];
    Places places(kName, x.shape(), options_.dim, context.inputs.subspan(2));
    Tensor y = context.make_result();
    if (y.nbytes() > 0) std::memcpy(y.raw_data(), x.raw_data(), y.nbytes());
    write(places, context.inputs[1], y);
    return y;
  }

  TensorList backward(const BackwardContext& context) const override {
    TensorList grads(context.inputs.size());
    Places places(kName, context.grad.shape(), options_.dim, context.inputs.subspan(2));
    const TensorType values = context.inputs[1].type();
    if (context.wanted[0]) {
      grads[0] = options_.accumulate ? context.grad : context.grad.clone();
      if (!options_.accumulate) {
        ops::put_rows(places.split, places.data(), places.count, ops::new_zeros(values), grads[0]);
      }
    }
    if (context.wanted[1]) {
      grads[1] = detail::make_tensor(values);
      ops::take_rows(places.split, places.data(), places.count, context.grad, grads[1]);
    }
    return grads;
  }

  bool saves_input(std::size_t i) const override { return i > 1; }

  void write(Places& places, const Tensor& values, const Tensor& y) const {
    const auto& function = options_.accumulate ? ops::add_rows : ops::put_rows;
    function(places.split, places.data(), places.count, values, y);
  }
};

TensorList with_indices(std::initializer_list<Tensor> first, std::span<const Tensor> indices) {
  TensorList inputs(first.begin(), first.end());
  inputs.insert(inputs.end(), indices.begin(), indices.end());
  return inputs;
}

}  // namespace

Shape ops::index_shape(std::string_view op, const Shape& x, std::int64_t dim, std::span<const TensorType> indices) {
  const std::size_t first = ops::check_real_dim(op, dim, x);
  if (first + indices.size() > x.size()) {
    ops::fail<ShapeError>(op, "at most ", x.size() - first, " tensors of indices from dimension ", first, " of input ",
                          x, " on, got ", indices.size());
  }
  for (const TensorType& index : indices) {
    if (index.dtype != DType::int64) {
      ops::fail<TypeError>(op, "indices of int64, got ", detail::describe(index),
                           "; convert them with to(DType::int64), a mask with nonzero");
    }
  }
  const Shape middle = broadcast_of(op, indices);
  Shape shape = IntList(std::span(x.begin(), first));
  for (const std::int64_t size : middle) shape.push_back(size);
  for (std::size_t d = first + indices.size(); d < x.size(); ++d) shape.push_back(x[d]);
  return ops::check_result(op, shape);
}

Tensor ops::index_at(const Tensor& x, std::int64_t dim, std::span<const Tensor> indices) {
  return teff::apply(Index({dim}), with_indices({x}, indices));
}

Tensor ops::index_put_at(const Tensor& x, std::int64_t dim, std::span<const Tensor> indices, const Tensor& values,
                         bool accumulate) {
  return teff::apply(IndexPut({dim, accumulate}), with_indices({x, values}, indices));
}

void ops::index_put_into(const char* function, const Tensor& x, std::int64_t dim, std::span<const Tensor> indices,
                         const Tensor& values, bool accumulate) {
  detail::check_in_place(function, x);
  const IndexPut op({dim, accumulate});
  op.output_type(types_of(with_indices({x, values}, indices)));
  Places places(function, x.shape(), dim, indices);
  const Tensor source = values.shares_memory_with(x) ? values.clone() : values;
  detail::begin_in_place(function, x);
  op.write(places, source, x);
}

std::span<const OpEntry> ops::advanced_index_ops() {
  static const OpEntry entries[] = {op_entry<Index>(), op_entry<IndexPut>()};
  return entries;
}

}  // namespace teff

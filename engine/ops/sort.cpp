// SPDX-License-Identifier: MIT
#include <algorithm>

#include "teff/engine/error_text.h"
#include "teff/engine/indexing_ops.h"
#include "teff/engine/kernels/isa/tuning.h"
#include "teff/engine/kernels/isa/workspace.h"
#include "teff/engine/ops.h"
#include "teff/engine/ops/checks.h"
#include "teff/engine/ops/dispatch.h"
#include "teff/engine/ops/op_tables.h"
#include "teff/engine/ops/rows.h"
#include "teff/engine/ops/sort_rows.h"
#include "teff/engine/parallel.h"
#include "teff/engine/strided_copy.h"
#include "teff/engine/tensor_impl.h"

namespace teff {
namespace {

/// values = x[indices] along a dimension, of which `count` are left; dX[indices] = d values, and 0 elsewhere.
/// Derived::count(size) checks, and Derived::order(row, count, order, step) finds the indices.
template <class Derived, class Options>
class OrderOp : public OpWith<Derived, Options, MultiOp> {
 public:
  using OpWith<Derived, Options, MultiOp>::OpWith;

  std::vector<TensorType> output_types(std::span<const TensorType> inputs) const override {
    detail::check_arity(Derived::kName, inputs, 1);
    Shape shape = inputs[0].shape;
    const std::size_t dim = place_of(shape);
    const std::int64_t size = shape.empty() ? 1 : shape[dim], count = self().count(size, shape);
    if (size >= ops::kMaxSorted) ops::fail<ShapeError>(Derived::kName, "less than 2^32 in a row, got input ", shape);
    if (!shape.empty()) shape[dim] = count;
    return {{shape, inputs[0].dtype}, {shape, DType::int64}};
  }

  void forward_all(const MultiForwardContext& context) const override {
    const Tensor &x = context.inputs[0], &values = context.make_result(0), &indices = context.make_result(1);
    if (values.numel() > 0) find(split(x.shape()), x, values, indices);
    context.save(indices);
  }

  TensorList backward_all(const MultiBackwardContext& context) const override {
    const Tensor &grad = context.grads[0], &indices = context.saved[0];
    Tensor grad_x = ops::new_zeros(context.inputs[0].type());
    if (grad.numel() == 0) return {grad_x};
    const ops::Split s = split(grad_x.shape());
    const std::int64_t count = self().count(s.size, grad_x.shape());
    const std::int64_t* places = indices.data<std::int64_t>();
    ops::visit_computable(grad_x.dtype(), [&](auto zero) {
      using T = decltype(zero);
      const T* from = grad.data<T>();
      T* to = grad_x.data<T>();
      for (std::int64_t o = 0; o < s.outer; ++o, to += s.size * s.inner) {
        for (std::int64_t i = 0; i < count * s.inner; ++i) to[*places++ * s.inner + i % s.inner] = *from++;
      }
    });
    return {grad_x};
  }

  bool saves_input(std::size_t) const override { return false; }

  double flop(std::span<const TensorType> inputs, const TensorType&) const override {
    return 16.0 * static_cast<double>(numel(inputs[0].shape));
  }

 private:
  const Derived& self() const { return static_cast<const Derived&>(*this); }
  std::size_t place_of(const Shape& shape) const { return ops::check_dim(Derived::kName, this->options_.dim, shape); }
  ops::Split split(const Shape& shape) const { return {shape, place_of(shape)}; }

  void find(const ops::Split& s, const Tensor& x, const Tensor& values, const Tensor& indices) const {
    const std::size_t bytes = size_of(x.dtype());
    const std::int64_t count = self().count(s.size, x.shape());
    const auto* const from = static_cast<const std::byte*>(x.raw_data());
    const std::int64_t grain = std::max<std::int64_t>(1, kernels::kGrain / (16 * s.size));
    parallel_ranges(s.outer * s.inner, grain, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t row = begin; row < end; ++row) {
        const std::int64_t o = row / s.inner, i = row % s.inner;
        const std::int64_t first = o * s.size * s.inner + i, result = o * count * s.inner + i;
        std::int64_t* const order = indices.data<std::int64_t>() + result;
        const std::byte* const data = from + static_cast<std::size_t>(first) * bytes;
        self().order({data, x.dtype(), s.size, s.inner}, count, order, s.inner);
        ops::visit_width(bytes, [&](auto* word) {
          const auto* const words = reinterpret_cast<const std::remove_pointer_t<decltype(word)>*>(data);
          auto* const to = static_cast<decltype(word)>(values.raw_data()) + result;
          for (std::int64_t j = 0; j < count; ++j) to[j * s.inner] = words[order[j * s.inner] * s.inner];
        });
      }
    });
  }
};

struct SortOptions {
  std::int64_t dim = -1;
  bool descending = false;
  static void fields(auto& self, auto&& field) {
    field("dim", self.dim);
    field("descending", self.descending);
  }
};

class Sort : public OrderOp<Sort, SortOptions> {
 public:
  static constexpr std::string_view kName = "sort";
  using OrderOp::OrderOp;
  std::int64_t count(std::int64_t size, const Shape&) const { return size; }
  void order(const ops::SortedRow& row, std::int64_t, std::int64_t* order, std::int64_t step) const {
    ops::sort_row(row, options_.descending, order, step);
  }
};

struct TopkOptions {
  std::int64_t k = 1;
  std::int64_t dim = -1;
  bool largest = true;
  static void fields(auto& self, auto&& field) {
    field("k", self.k);
    field("dim", self.dim);
    field("largest", self.largest);
  }
};

class Topk : public OrderOp<Topk, TopkOptions> {
 public:
  static constexpr std::string_view kName = "topk";
  using OrderOp::OrderOp;
  std::int64_t count(std::int64_t size, const Shape& shape) const {
    if (options_.k < 0 || options_.k > size) {
      ops::fail<ValueError>(kName, "k in [0, ", size, "] for dimension ", options_.dim, " of input ", shape, ", got ",
                            options_.k);
    }
    return options_.k;
  }
  void order(const ops::SortedRow& row, std::int64_t count, std::int64_t* order, std::int64_t step) const {
    ops::select_row(row, options_.largest, count, order, step);
  }
};

struct KthvalueOptions {
  std::int64_t k = 1;
  std::int64_t dim = -1;
  static void fields(auto& self, auto&& field) {
    field("k", self.k);
    field("dim", self.dim);
  }
};

/// With the dimension, of size 1.
class Kthvalue : public OrderOp<Kthvalue, KthvalueOptions> {
 public:
  static constexpr std::string_view kName = "kthvalue";
  using OrderOp::OrderOp;
  std::int64_t count(std::int64_t size, const Shape& shape) const {
    if (options_.k >= 1 && options_.k <= size) return 1;
    ops::fail<ValueError>(kName, "k in [1, ", size, "] for dimension ", options_.dim, " of input ", shape, ", got ",
                          options_.k);
  }
  void order(const ops::SortedRow& row, std::int64_t, std::int64_t* order, std::int64_t) const {
    kernels::Workspace<std::int64_t> first(static_cast<std::size_t>(options_.k));
    ops::select_row(row, false, options_.k, first.data(), 1);
    *order = first.data()[options_.k - 1];
  }
};

ValuesAndIndices both(const TensorList& results) { return {results[0], results[1]}; }

}  // namespace

ValuesAndIndices sort(const Tensor& x, Integer dim, bool descending) {
  return both(apply_all(Sort({dim, descending}), {x}));
}

Tensor argsort(const Tensor& x, Integer dim, bool descending) { return sort(x, dim, descending).indices; }

ValuesAndIndices topk(const Tensor& x, Integer k, Integer dim, bool largest) {
  return both(apply_all(Topk({k, dim, largest}), {x}));
}

ValuesAndIndices kthvalue(const Tensor& x, Integer k, Integer dim, bool keepdim) {
  const ValuesAndIndices found = both(apply_all(Kthvalue({k, dim}), {x}));
  if (keepdim) return found;
  return {squeeze(found.values, dim), squeeze(found.indices, dim)};
}

ValuesAndIndices Tensor::sort(Integer dim, bool descending) const { return teff::sort(*this, dim, descending); }
Tensor Tensor::argsort(Integer dim, bool descending) const { return teff::argsort(*this, dim, descending); }
ValuesAndIndices Tensor::topk(Integer k, Integer dim, bool largest) const { return teff::topk(*this, k, dim, largest); }
ValuesAndIndices Tensor::kthvalue(Integer k, Integer dim, bool keepdim) const {
  return teff::kthvalue(*this, k, dim, keepdim);
}

std::span<const OpEntry> ops::sort_ops() {
  static const OpEntry entries[] = {op_entry<Sort>(), op_entry<Topk>(), op_entry<Kthvalue>()};
  return entries;
}

}  // namespace teff

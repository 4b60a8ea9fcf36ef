// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>

#include "teff/engine/error_text.h"
#include "teff/engine/indexing_ops.h"
#include "teff/engine/kernels/isa/tuning.h"
#include "teff/engine/modes.h"
#include "teff/engine/ops.h"
#include "teff/engine/ops/checks.h"
#include "teff/engine/ops/dispatch.h"
#include "teff/engine/ops/op_tables.h"
#include "teff/engine/ops/rows.h"
#include "teff/engine/parallel.h"
#include "teff/engine/strided_copy.h"
#include "teff/engine/tensor_impl.h"

namespace teff {
namespace {

/// The way through a tensor of indices: element i of it stands for the element of `whole` (x) at its own place, but for
/// dimension `dim`, where the index says the place; and for the element of `part` at its own place.
class Along {
 public:
  Along(const Shape& index, const Shape& whole, const Shape& part, std::size_t dim) : rank_(index.size()), dim_(dim) {
    const ops::Strides whole_strides = ops::contiguous_strides(whole), part_strides = ops::contiguous_strides(part);
    for (std::size_t d = 0; d < rank_; ++d) dims_[d] = {index[d], d == dim ? 0 : whole_strides[d], part_strides[d]};
    if (rank_ == 0) dims_[rank_++] = {1, 0, 0};
    if (!index.empty()) size_ = whole[dim], stride_ = whole_strides[dim];
    for (std::size_t d = 0; d < dim; ++d) outer_ *= dims_[d].size;
    for (std::size_t d = dim; d < rank_; ++d) inner_ *= dims_[d].size;
  }

  /// Calls function(places in whole, in part) of all indices. Those that may fall on one element of `whole` are taken
  /// in their order, by one thread, if `ordered`. @returns Whether all were in [0, size): those of a line that were
  /// not are passed over.
  template <class Function>
  bool for_each(const std::int64_t* index, bool ordered, const Function& function) const {
    if (outer_ * inner_ == 0) return true;
    std::atomic<bool> all_good = true;
    const Dim& last = dims_[rank_ - 1];
    const std::int64_t lines = outer_ * inner_ / last.size;
    const std::int64_t unit = ordered && dim_ + 1 < rank_ ? inner_ / last.size : 1;  // lines that stay together
    const std::int64_t grain = std::max<std::int64_t>(1, kernels::kGrain / (unit * last.size));
    parallel_ranges(lines / unit, grain, [&](std::int64_t begin, std::int64_t end) {
      std::array<std::int64_t, kMaxRank> at{};
      std::int64_t whole = 0, part = 0;
      start(begin * unit, at, whole, part);
      for (std::int64_t line = begin * unit; line < end * unit; ++line) {
        const std::int64_t* const values = index + line * last.size;
        if (!ops::are_indices(values, last.size, 0, size_)) {
          all_good = false;
        } else if (stride_ == 1 && last.whole == 0 && last.part == 1) {
          for (std::int64_t i = 0; i < last.size; ++i) function(whole + values[i], part + i);
        } else {
          for (std::int64_t i = 0; i < last.size; ++i) {
            function(whole + values[i] * stride_ + i * last.whole, part + i * last.part);
          }
        }
        next(at, whole, part);
      }
    });
    return all_good;
  }

 private:
  struct Dim {
    std::int64_t size, whole, part;  // strides
  };

  void start(std::int64_t line, std::array<std::int64_t, kMaxRank>& at, std::int64_t& whole, std::int64_t& part) const {
    for (std::size_t d = rank_ - 1; d-- > 0; line /= dims_[d].size) {
      at[d] = line % dims_[d].size;
      whole += at[d] * dims_[d].whole;
      part += at[d] * dims_[d].part;
    }
  }
  void next(std::array<std::int64_t, kMaxRank>& at, std::int64_t& whole, std::int64_t& part) const {
    for (std::size_t d = rank_ - 1; d-- > 0;) {
      whole += dims_[d].whole;
      part += dims_[d].part;
      if (++at[d] < dims_[d].size) return;
      whole -= dims_[d].size * dims_[d].whole;
      part -= dims_[d].size * dims_[d].part;
      at[d] = 0;
    }
  }

  std::array<Dim, kMaxRank> dims_;
  std::size_t rank_, dim_;
  std::int64_t size_ = 1, stride_ = 1, outer_ = 1, inner_ = 1;
};

enum class Combine { put, add, multiply };

/// part[i] = whole[index[i]]. @returns Whether all indices were good.
bool take(const Along& along, const std::int64_t* index, const Tensor& whole, const Tensor& part) {
  return ops::visit_width(size_of(part.dtype()), [&](auto* word) {
    const auto* const from = static_cast<decltype(word)>(whole.raw_data());
    auto* const to = static_cast<decltype(word)>(part.raw_data());
    return along.for_each(index, false, [=](std::int64_t place, std::int64_t i) { to[i] = from[place]; });
  });
}

/// whole[index[i]] = part[i], or the sum or product of both, in the order of i. @returns Whether all indices were good.
bool give(const Along& along, const std::int64_t* index, Combine combine, const Tensor& part, const Tensor& whole) {
  if (combine == Combine::put) {
    return ops::visit_width(size_of(part.dtype()), [&](auto* word) {
      const auto* const from = static_cast<decltype(word)>(part.raw_data());
      auto* const to = static_cast<decltype(word)>(whole.raw_data());
      return along.for_each(index, true, [=](std::int64_t place, std::int64_t i) { to[place] = from[i]; });
    });
  }
  return ops::visit_numeric(whole.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const T* const from = part.data<T>();
    T* const to = whole.data<T>();
    return along.for_each(index, true, [=](std::int64_t place, std::int64_t i) {
      to[place] = static_cast<T>(combine == Combine::add ? to[place] + from[i] : to[place] * from[i]);
    });
  });
}

/// The index is int64, has as many dimensions as x and is nowhere larger but at `dim`; nowhere larger than `source`.
std::size_t check_index(std::string_view op, std::int64_t dim, const Shape& x, const TensorType& index,
                        const Shape* source) {
  const std::size_t place = ops::check_dim(op, dim, x);
  if (index.dtype != DType::int64) {
    ops::fail<TypeError>(op, "indices of int64, got ", to_string(index.dtype), "; convert them with to(DType::int64)");
  }
  bool fits = index.shape.size() == x.size() && (source == nullptr || source->size() == x.size());
  for (std::size_t d = 0; fits && d < x.size(); ++d) {
    fits = (d == place || index.shape[d] <= x[d]) && (source == nullptr || index.shape[d] <= (*source)[d]);
  }
  if (fits || (numel(index.shape) == 0 && source == nullptr && index.shape.size() == x.size())) return place;
  if (source == nullptr) {
    ops::fail<ShapeError>(op, "an index of as many dimensions as input ", x, ", none larger but for dimension ", place,
                          ", got index ", index.shape);
  }
  ops::fail<ShapeError>(op, "an index of as many dimensions as input ", x, " and source ", *source,
                        ", none larger than the source's or, but for dimension ", place, ", the input's, got index ",
                        index.shape);
}

struct AlongOptions {
  std::int64_t dim = 0;
  static void fields(auto& self, auto&& field) { field("dim", self.dim); }
};

/// Y[i][j] = X[index[i][j]][j] for dim = 0; dX[index[i][j]][j] += dY[i][j]
class Gather : public OpWith<Gather, AlongOptions> {
 public:
  static constexpr std::string_view kName = "gather";
  using OpWith::OpWith;

  TensorType output_type(std::span<const TensorType> inputs) const override {
    detail::check_arity(kName, inputs, 2);
    check_index(kName, options_.dim, inputs[0].shape, inputs[1], nullptr);
    return {inputs[1].shape, inputs[0].dtype};
  }

  Tensor forward(const ForwardContext& context) const override {
    const Tensor &x = context.inputs[0], &index = context.inputs[1];
    const std::size_t dim = ops::check_dim(kName, options_.dim, x.shape());
    Tensor y = context.make_result();
    if (y.numel() == 0) return y;
    if (!take({index.shape(), x.shape(), y.shape(), dim}, index.data<std::int64_t>(), x, y)) {
      ops::check_indices(kName, index, 0, dim, x.shape());
    }
    return y;
  }

  TensorList backward(const BackwardContext& context) const override {
    const Tensor &index = context.inputs[1], &grad = context.grad;
    Tensor grad_x = ops::new_zeros(context.inputs[0].type());
    if (grad.numel() == 0) return {grad_x, Tensor()};
    const std::size_t dim = ops::check_dim(kName, options_.dim, grad_x.shape());
    give({index.shape(), grad_x.shape(), grad.shape(), dim}, index.data<std::int64_t>(), Combine::add, grad, grad_x);
    return {grad_x, Tensor()};
  }

  bool saves_input(std::size_t i) const override { return i == 1; }
};

/// Y = X but Y[index[i][j]][j] = S[i][j] for dim = 0, or += S; dX = dY but for 0 there, or dY; dS = dY there
template <class Derived, Combine kCombine>
class ScatterOp : public OpWith<Derived, AlongOptions> {
 public:
  using OpWith<Derived, AlongOptions>::OpWith;

  TensorType output_type(std::span<const TensorType> inputs) const override {
    detail::check_arity(Derived::kName, inputs, 3);
    const TensorType values[] = {inputs[0], inputs[2]};
    kCombine == Combine::put ? ops::check_one_dtype(Derived::kName, values)
                             : ops::check_numeric(Derived::kName, values);
    check_index(Derived::kName, this->options_.dim, inputs[0].shape, inputs[1], &inputs[2].shape);
    return inputs[0];
  }

  Tensor forward(const ForwardContext& context) const override {
    const Tensor& x = context.inputs[0];
    Tensor y = context.make_result();
    if (y.nbytes() > 0) std::memcpy(y.raw_data(), x.raw_data(), y.nbytes());
    if (!write(context.inputs[1], context.inputs[2], y)) {
      ops::check_indices(Derived::kName, context.inputs[1], 0, dim(x.shape()), x.shape());
    }
    return y;
  }

  TensorList backward(const BackwardContext& context) const override {
    const Tensor &index = context.inputs[1], &grad = context.grad;
    const std::int64_t* places = index.data<std::int64_t>();
    TensorList grads(3);
    if (context.wanted[0]) {
      grads[0] = kCombine == Combine::put ? grad.clone() : grad;
      if (kCombine == Combine::put && index.numel() > 0) {
        give({index.shape(), grad.shape(), index.shape(), dim(grad.shape())}, places, Combine::put,
             ops::new_zeros({index.shape(), grad.dtype()}), grads[0]);
      }
    }
    if (context.wanted[2]) {
      grads[2] = ops::new_zeros(context.inputs[2].type());
      if (index.numel() > 0) {
        take({index.shape(), grad.shape(), grads[2].shape(), dim(grad.shape())}, places, grad, grads[2]);
      }
    }
    return grads;
  }

  bool saves_input(std::size_t i) const override { return i == 1; }

  bool write(const Tensor& index, const Tensor& source, const Tensor& y) const {
    if (index.numel() == 0) return true;
    return give({index.shape(), y.shape(), source.shape(), dim(y.shape())}, index.data<std::int64_t>(), kCombine,
                source, y);
  }

  /// The same in place.
  static void write_in_place(const char* function, const Tensor& x, std::int64_t dim, const Tensor& index,
                             const Tensor& source) {
    detail::check_in_place(function, x);
    const Derived op(AlongOptions{dim});
    const TensorType types[] = {x.type(), index.type(), source.type()};
    op.output_type(types);
    ops::check_indices(function, index, 0, op.dim(x.shape()), x.shape());
    const Tensor values = source.shares_memory_with(x) ? source.clone() : source;
    detail::begin_in_place(function, x);
    op.write(index, values, x);
  }

 private:
  std::size_t dim(const Shape& shape) const { return ops::check_dim(Derived::kName, this->options_.dim, shape); }
};

class Scatter : public ScatterOp<Scatter, Combine::put> {
 public:
  static constexpr std::string_view kName = "scatter";
  using ScatterOp::ScatterOp;
};

class ScatterAdd : public ScatterOp<ScatterAdd, Combine::add> {
 public:
  static constexpr std::string_view kName = "scatter_add";
  using ScatterOp::ScatterOp;
};

/// Products, in place only. (PyTorch has no gradient of it, either.)
class ScatterMultiply : public ScatterOp<ScatterMultiply, Combine::multiply> {
 public:
  static constexpr std::string_view kName = "scatter_";
  using ScatterOp::ScatterOp;
};

/// `value` as a source for places of x.
Tensor spread(const char* function, const Tensor& x, const Tensor& index, double value) {
  return detail::with_name(function,
                           [&] { return teff::expand(full({}, value, {.dtype = x.dtype()}), index.shape()); });
}

}  // namespace

Tensor gather(const Tensor& x, Integer dim, const Tensor& index) { return apply(Gather({dim}), {x, index}); }

Tensor scatter(const Tensor& x, Integer dim, const Tensor& index, const Tensor& source) {
  return apply(Scatter({dim}), {x, index, source});
}

Tensor scatter(const Tensor& x, Integer dim, const Tensor& index, double value) {
  return scatter(x, dim, index, spread("scatter", x, index, value));
}

Tensor scatter_add(const Tensor& x, Integer dim, const Tensor& index, const Tensor& source) {
  return apply(ScatterAdd({dim}), {x, index, source});
}

Tensor Tensor::gather(Integer dim, const Tensor& index) const { return teff::gather(*this, dim, index); }
Tensor Tensor::scatter(Integer dim, const Tensor& index, const Tensor& source) const {
  return teff::scatter(*this, dim, index, source);
}
Tensor Tensor::scatter(Integer dim, const Tensor& index, double value) const {
  return teff::scatter(*this, dim, index, value);
}
Tensor Tensor::scatter_add(Integer dim, const Tensor& index, const Tensor& source) const {
  return teff::scatter_add(*this, dim, index, source);
}

const Tensor& Tensor::scatter_(Integer dim, const Tensor& index, const Tensor& source, std::string_view reduce) const {
  if (reduce.empty()) {
    Scatter::write_in_place("scatter_", *this, dim, index, source);
  } else if (reduce == "add") {
    ScatterAdd::write_in_place("scatter_", *this, dim, index, source);
  } else if (reduce == "multiply") {
    ScatterMultiply::write_in_place("scatter_", *this, dim, index, source);
  } else {
    ops::fail<ValueError>("scatter_", "reduce \"add\" or \"multiply\", got \"", reduce, '"');
  }
  return *this;
}

const Tensor& Tensor::scatter_(Integer dim, const Tensor& index, double value, std::string_view reduce) const {
  detail::check_in_place("scatter_", *this);
  const NoGradGuard no_grad;
  return scatter_(dim, index, spread("scatter_", *this, index, value), reduce);
}

const Tensor& Tensor::scatter_add_(Integer dim, const Tensor& index, const Tensor& source) const {
  ScatterAdd::write_in_place("scatter_add_", *this, dim, index, source);
  return *this;
}

std::span<const OpEntry> ops::gather_ops() {
  static const OpEntry entries[] = {op_entry<Gather>(), op_entry<Scatter>(), op_entry<ScatterAdd>()};
  return entries;
}

}  // namespace teff

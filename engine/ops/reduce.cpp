// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>

#include "teff/engine/convert.h"
#include "teff/engine/kernels/isa/workspace.h"
#include "teff/engine/kernels/rows/rows_kernels.h"
#include "teff/engine/ops.h"
#include "teff/engine/ops/arithmetic.h"
#include "teff/engine/ops/broadcast.h"
#include "teff/engine/ops/checks.h"
#include "teff/engine/ops/dispatch.h"
#include "teff/engine/ops/op_tables.h"
#include "teff/engine/ops/split.h"
#include "teff/engine/tensor_impl.h"

namespace teff {
namespace {

using kernels::Binary;

enum class Reducer { sum, max, min };

/// Which dimensions of a tensor go.
using Mask = std::array<bool, kMaxRank>;

// --- the loops

/// Reduces the middle of [outer, reduced, inner].
template <class T>
using Kernel = void (*)(std::int64_t outer, std::int64_t reduced, std::int64_t inner, const T* x, T* y);

template <Reducer kReducer>
void reduce_integers(std::int64_t outer, std::int64_t reduced, std::int64_t inner, const std::int64_t* x,
                     std::int64_t* y) {
  for (std::int64_t o = 0; o < outer; ++o, x += reduced * inner, y += inner) {
    std::copy(x, x + inner, y);
    for (std::int64_t i = inner; i < reduced * inner; ++i) {
      std::int64_t& result = y[i % inner];
      if constexpr (kReducer == Reducer::sum) {
        result = static_cast<std::int64_t>(static_cast<std::uint64_t>(result) + static_cast<std::uint64_t>(x[i]));
      } else {
        result = kReducer == Reducer::max ? std::max(result, x[i]) : std::min(result, x[i]);
      }
    }
  }
}

template <Reducer kReducer, class T>
Kernel<T> kernel_for() {
  if constexpr (std::is_same_v<T, std::int64_t>) {
    return reduce_integers<kReducer>;
  } else {
    const auto& table = kernels::reduce_kernels<T>();
    return kReducer == Reducer::sum ? table.sum : kReducer == Reducer::max ? table.max : table.min;
  }
}

/// The dimensions of a tensor, neighbours of one kind joined: kept and reduced ones alternate.
class Groups {
 public:
  Groups(const Shape& shape, const Mask& mask) {
    for (std::size_t i = 0; i < shape.size(); ++i) add(shape[i], mask[i]);
  }

  /// The number of the last reduced group, or -1.
  int last_reduced() const {
    int i = count_ - 1;
    while (i >= 0 && !reduced_[static_cast<std::size_t>(i)]) --i;
    return i;
  }
  std::int64_t size(int begin, int end) const {
    std::int64_t product = 1;
    for (int i = begin; i < end; ++i) product *= sizes_[static_cast<std::size_t>(i)];
    return product;
  }
  Groups without(int group) const {
    Groups result;
    for (int i = 0; i < count_; ++i) {
      if (i != group) result.add(sizes_[static_cast<std::size_t>(i)], reduced_[static_cast<std::size_t>(i)]);
    }
    return result;
  }
  int count() const { return count_; }

 private:
  Groups() = default;
  void add(std::int64_t size, bool reduced) {
    if (size == 1) return;
    const auto last = static_cast<std::size_t>(count_ - 1);
    if (count_ > 0 && reduced_[last] == reduced) {
      sizes_[last] *= size;
    } else {
      sizes_[last + 1] = size;
      reduced_[last + 1] = reduced;
      ++count_;
    }
  }

  std::array<std::int64_t, kMaxRank> sizes_{};
  std::array<bool, kMaxRank> reduced_{};
  int count_ = 0;
};

/// One group after the other, the last first, with scratch memory in between. x has elements.
template <class T>
void reduce_groups(const Groups& groups, Kernel<T> kernel, const T* x, T* y) {
  const int last = groups.last_reduced();
  if (last < 0) {
    std::copy(x, x + groups.size(0, groups.count()), y);
    return;
  }
  const std::int64_t outer = groups.size(0, last), inner = groups.size(last + 1, groups.count());
  const Groups rest = groups.without(last);
  const std::int64_t reduced = groups.size(last, last + 1);
  if (rest.last_reduced() < 0) return kernel(outer, reduced, inner, x, y);
  kernels::Workspace<T> between(static_cast<std::size_t>(outer * inner));
  kernel(outer, reduced, inner, x, between.data());
  reduce_groups<T>(rest, kernel, between.data(), y);
}

/// y is x without the dimensions of the mask.
template <Reducer kReducer>
void reduce(const Tensor& x, const Mask& mask, const Tensor& y) {
  if (x.numel() == 0) return detail::fill(y, 0);  // a maximum of nothing was refused
  ops::visit_numeric(x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    reduce_groups<T>(Groups(x.shape(), mask), kernel_for<kReducer, T>(), x.data<T>(), y.data<T>());
  });
}

/// The same with the elements of x as int64.
void sum_as_int64(const Tensor& x, const Mask& mask, const Tensor& y) {
  if (x.numel() == 0) return detail::fill(y, 0);
  kernels::Workspace<std::int64_t> converted(static_cast<std::size_t>(x.numel()));
  visit_dtype(x.dtype(), [&](auto zero) {
    const auto elements = x.span<decltype(zero)>();
    std::transform(elements.begin(), elements.end(), converted.data(), convert<std::int64_t, decltype(zero)>);
  });
  reduce_groups<std::int64_t>(Groups(x.shape(), mask), reduce_integers<Reducer::sum>, converted.data(),
                              y.data<std::int64_t>());
}

// --- the operations

struct ReduceOptions {
  IntList dims;
  bool keepdim = false;
  static void fields(auto& self, auto&& field) {
    field("dims", self.dims);
    field("keepdim", self.keepdim);
  }
};

Mask mask_of(std::string_view op, const IntList& dims, const Shape& shape) {
  Mask mask{};
  if (dims.empty()) mask.fill(true);
  for (const std::int64_t dim : dims) {
    bool& place = mask[ops::check_dim(op, dim, shape)];
    if (place) ops::fail<ValueError>(op, "every dimension once, got dims ", dims, " for input ", shape);
    place = true;
  }
  return mask;
}

Shape reduced_shape(const Shape& shape, const Mask& mask, bool keepdim) {
  Shape result;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (!mask[i]) result.push_back(shape[i]);
    if (mask[i] && keepdim) result.push_back(1);
  }
  return result;
}

/// For operations that have no result for no elements.
void check_not_empty(std::string_view op, const Shape& shape, const Mask& mask) {
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (!mask[i] || shape[i] != 0) continue;
    ops::fail<ShapeError>(op, "at least one element to choose from, got input ", shape, " and dimension ", i,
                          " to reduce");
  }
}

template <class Derived>
class ReduceOp : public OpWith<Derived, ReduceOptions> {
 public:
  using OpWith<Derived, ReduceOptions>::OpWith;

  TensorType output_type(std::span<const TensorType> inputs) const override {
    detail::check_arity(Derived::kName, inputs, 1);
    const DType dtype = Derived::output_dtype(inputs);
    return {reduced_shape(inputs[0].shape, mask(inputs[0].shape), this->options_.keepdim), dtype};
  }

 protected:
  Mask mask(const Shape& shape) const { return mask_of(Derived::kName, this->options_.dims, shape); }
  Shape kept(const Shape& shape) const { return reduced_shape(shape, mask(shape), true); }
  /// The result's gradient for all that was reduced: of shape `shape`.
  Tensor repeated(const Tensor& grad, const Shape& shape) const {
    Tensor result = detail::make_tensor({shape, grad.dtype()});
    ops::broadcast_to(detail::alias(grad, kept(shape)), result);
    return result;
  }
};

/// dX = dY, repeated
class Sum : public ReduceOp<Sum> {
 public:
  static constexpr std::string_view kName = "sum";
  using ReduceOp::ReduceOp;

  static DType output_dtype(std::span<const TensorType> inputs) {
    if (!is_floating_point(inputs[0].dtype) && inputs[0].dtype != DType::uint64) return DType::int64;
    ops::check_computable(kName, inputs);
    return inputs[0].dtype;
  }
  Tensor forward(const ForwardContext& context) const override {
    const Tensor& x = context.inputs[0];
    Tensor y = context.make_result();
    if (x.dtype() == y.dtype()) {
      reduce<Reducer::sum>(x, mask(x.shape()), y);
    } else {
      sum_as_int64(x, mask(x.shape()), y);
    }
    return y;
  }
  TensorList backward(const BackwardContext& context) const override {
    const Shape& shape = context.inputs[0].shape();
    return {repeated(context.grad, shape)};
  }
  bool saves_input(std::size_t) const override { return false; }
};

/// y = sum(x) / n, dX = dY / n, repeated
class Mean : public ReduceOp<Mean> {
 public:
  static constexpr std::string_view kName = "mean";
  using ReduceOp::ReduceOp;

  static DType output_dtype(std::span<const TensorType> inputs) {
    ops::check_computable(kName, inputs);
    return inputs[0].dtype;
  }
  Tensor forward(const ForwardContext& context) const override {
    const Tensor& x = context.inputs[0];
    Tensor y = context.make_result();
    reduce<Reducer::sum>(x, mask(x.shape()), y);
    ops::compute(Binary::div, y, count(x.shape()), y);
    return y;
  }
  TensorList backward(const BackwardContext& context) const override {
    const Shape& shape = context.inputs[0].shape();
    const Tensor share = div(context.grad, count(shape));
    return {repeated(share, shape)};
  }
  bool saves_input(std::size_t) const override { return false; }

 private:
  double count(const Shape& shape) const {
    const Mask reduced = mask(shape);
    double product = 1;
    for (std::size_t i = 0; i < shape.size(); ++i) product *= reduced[i] ? static_cast<double>(shape[i]) : 1;
    return product;
  }
};

/// 1 where x is y (as numbers, or both NaN), else 0; of the shape of x, to which y is repeated.
Tensor equality(const Tensor& x, const Tensor& y) {
  Tensor result = detail::make_tensor(x.type());
  ops::visit_computable(x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const T *x_data = x.data<T>(), *y_data = y.data<T>();
    T* out = result.data<T>();
    ops::Broadcast(x.shape(), x.shape(), y.shape()).for_each_run([=](const ops::BroadcastRun& r) {
      for (std::int64_t i = 0; i < r.count; ++i) {
        const T u = x_data[r.a_begin + i * r.a_step], v = y_data[r.b_begin + i * r.b_step];
        out[r.out_begin + i] = u == v || (u != u && v != v) ? T{1} : T{0};
      }
    });
  });
  return result;
}

/// dX = [x = y] * dY / number of x equal to y
template <class Derived, Reducer kReducer>
class Extremum : public ReduceOp<Derived> {
 public:
  using ReduceOp<Derived>::ReduceOp;

  static DType output_dtype(std::span<const TensorType> inputs) {
    ops::check_numeric(Derived::kName, inputs);
    return inputs[0].dtype;
  }
  TensorType output_type(std::span<const TensorType> inputs) const override {
    const TensorType type = ReduceOp<Derived>::output_type(inputs);
    check_not_empty(Derived::kName, inputs[0].shape, this->mask(inputs[0].shape));
    return type;
  }
  Tensor forward(const ForwardContext& context) const override {
    const Tensor& x = context.inputs[0];
    Tensor y = context.make_result();
    reduce<kReducer>(x, this->mask(x.shape()), y);
    context.save(y);
    return y;
  }
  Widening widening() const override { return Widening::bools; }
  TensorList backward(const BackwardContext& context) const override {
    const Tensor& x = context.inputs[0];
    const Shape kept = this->kept(x.shape());
    const Tensor equal = equality(x, detail::alias(context.saved[0], kept));
    const Tensor share = div(detail::alias(context.grad, kept), ops::sum_to(equal, kept));
    return {mul(equal, share)};
  }
};

class Max : public Extremum<Max, Reducer::max> {
 public:
  static constexpr std::string_view kName = "max";
  using Extremum::Extremum;
};

class Min : public Extremum<Min, Reducer::min> {
 public:
  static constexpr std::string_view kName = "min";
  using Extremum::Extremum;
};

struct ArgmaxOptions {
  std::optional<std::int64_t> dim;
  bool keepdim = false;
  static void fields(auto& self, auto&& field) {
    field("dim", self.dim);
    field("keepdim", self.keepdim);
  }
};

void argmax_integers(const ops::Split& split, const std::int64_t* x, std::int64_t* y) {
  for (std::int64_t o = 0; o < split.outer; ++o, x += split.size * split.inner) {
    for (std::int64_t i = 0; i < split.inner; ++i) {
      std::int64_t best = 0;
      for (std::int64_t r = 1; r < split.size; ++r) {
        if (x[r * split.inner + i] > x[best * split.inner + i]) best = r;
      }
      *y++ = best;
    }
  }
}

class Argmax : public OpWith<Argmax, ArgmaxOptions> {
 public:
  static constexpr std::string_view kName = "argmax";
  using OpWith::OpWith;

  TensorType output_type(std::span<const TensorType> inputs) const override {
    detail::check_arity(kName, inputs, 1);
    ops::check_numeric(kName, inputs);
    const Shape& shape = inputs[0].shape;
    const Mask mask = mask_of(kName, options_.dim ? IntList(*options_.dim) : IntList(), shape);
    check_not_empty(kName, shape, mask);
    return {reduced_shape(shape, mask, options_.keepdim), DType::int64};
  }
  Tensor forward(const ForwardContext& context) const override {
    const Tensor& x = context.inputs[0];
    Tensor y = context.make_result();
    const ops::Split s = split(x.shape());
    if (x.dtype() == DType::int64) {
      argmax_integers(s, x.data<std::int64_t>(), y.data<std::int64_t>());
    } else if (y.numel() > 0) {
      ops::visit_computable(x.dtype(), [&](auto zero) {
        using T = decltype(zero);
        kernels::reduce_kernels<T>().argmax(s.outer, s.size, s.inner, x.data<T>(), y.data<std::int64_t>());
      });
    }
    return y;
  }
  TensorList backward(const BackwardContext&) const override { return TensorList(1); }
  bool differentiable() const override { return false; }
  bool saves_input(std::size_t) const override { return false; }

 private:
  ops::Split split(const Shape& shape) const {
    if (!options_.dim) return {IntList(numel(shape)), 0};
    return {shape, ops::check_dim(kName, *options_.dim, shape)};
  }
};

}  // namespace

Tensor ops::sum_to(const Tensor& x, const Shape& shape) {
  if (x.shape() == shape) return x;
  Mask mask{};
  const std::size_t in_front = x.shape().size() - shape.size();
  for (std::size_t i = 0; i < x.shape().size(); ++i) {
    mask[i] = i < in_front || (shape[i - in_front] == 1 && x.shape()[i] != 1);
  }
  const Tensor result = detail::make_tensor({shape, x.dtype()});
  reduce<Reducer::sum>(x, mask, result);
  return result;
}

Tensor sum(const Tensor& x, const IntList& dims, bool keepdim) { return apply(Sum({dims, keepdim}), {x}); }
Tensor mean(const Tensor& x, const IntList& dims, bool keepdim) { return apply(Mean({dims, keepdim}), {x}); }
Tensor amax(const Tensor& x, const IntList& dims, bool keepdim) { return apply(Max({dims, keepdim}), {x}); }
Tensor amin(const Tensor& x, const IntList& dims, bool keepdim) { return apply(Min({dims, keepdim}), {x}); }

Tensor argmax(const Tensor& x, std::optional<Integer> dim, bool keepdim) {
  const bool is_whole = x.defined() && !is_floating_point(x.dtype()) && x.dtype() != DType::bool_;
  return apply(Argmax({dim, keepdim}), {is_whole ? x.to(DType::int64) : x});
}

std::span<const OpEntry> ops::reduce_ops() {
  static const OpEntry entries[] = {op_entry<Sum>(), op_entry<Mean>(), op_entry<Max>(), op_entry<Min>(),
                                    op_entry<Argmax>()};
  return entries;
}

}  // namespace teff

// SPDX-License-Identifier: MIT
#include <algorithm>

#include "teff/engine/ops.h"
#include "teff/engine/ops/checks.h"
#include "teff/engine/ops/op_tables.h"
#include "teff/engine/ops/rows.h"
#include "teff/engine/ops/split.h"
#include "teff/engine/strided_copy.h"
#include "teff/engine/tensor_impl.h"

namespace teff {
namespace {

/// Ops whose result is a box of the input, Derived::layout(input's shape, result's shape), and shares elements with it
/// if Derived::shares(input's shape), where it is a part of dimension 0. What is outside gets no gradient.
template <class Derived, class Options>
class BoxOp : public OpWith<Derived, Options> {
 public:
  using OpWith<Derived, Options>::OpWith;

  Tensor forward(const ForwardContext& context) const override {
    const Tensor& x = context.inputs[0];
    const TensorType& type = context.output;
    const ops::StridedCopy copy = derived().layout(x.shape(), type.shape);
    if (derived().shares(x.shape())) return detail::alias(x, type.shape, numel(type.shape) == 0 ? 0 : copy.from_begin);
    Tensor y = context.make_result();
    ops::strided_copy(copy, x, y);
    return y;
  }

  TensorList backward(const BackwardContext& context) const override {
    Tensor grad_x = ops::new_zeros(context.inputs[0].type());
    ops::strided_copy(derived().layout(grad_x.shape(), context.grad.shape()).reversed(), context.grad, grad_x);
    return {grad_x};
  }
  bool saves_input(std::size_t) const override { return false; }
  bool is_view(std::span<const TensorType> inputs) const override { return derived().shares(inputs[0].shape); }

 private:
  const Derived& derived() const { return static_cast<const Derived&>(*this); }
};

struct SliceOptions {
  std::int64_t dim = 0;
  std::int64_t start = 0;
  std::optional<std::int64_t> end;
  std::int64_t step = 1;
  static void fields(auto& self, auto&& field) {
    field("dim", self.dim);
    field("start", self.start);
    field("end", self.end);
    field("step", self.step);
  }
};

/// Python's slice of a dimension; the rest gets no gradient.
class Slice : public BoxOp<Slice, SliceOptions> {
 public:
  static constexpr std::string_view kName = "slice";
  using BoxOp::BoxOp;
  Widening widening() const override { return Widening::none; }

  TensorType output_type(std::span<const TensorType> inputs) const override {
    detail::check_arity(kName, inputs, 1);
    const std::size_t dim = ops::check_real_dim(kName, options_.dim, inputs[0].shape);
    if (options_.step < 1) ops::fail<ValueError>(kName, "a step of at least 1, got ", options_.step);
    TensorType result = inputs[0];
    const std::int64_t size = result.shape[dim], begin = place(options_.start, size);
    const std::int64_t end = std::max(begin, options_.end ? place(*options_.end, size) : size);
    result.shape[dim] = end == begin ? 0 : (end - begin - 1) / options_.step + 1;
    return result;
  }

  bool shares(const Shape& whole) const { return options_.step == 1 && dim(whole) == 0; }

  ops::StridedCopy layout(const Shape& whole, const Shape& part) const {
    const std::size_t d = dim(whole);
    const ops::Strides strides = ops::contiguous_strides(whole);
    ops::StridedCopy copy{part, strides, ops::contiguous_strides(part), place(options_.start, whole[d]) * strides[d]};
    if (part[d] > 1) copy.from_strides[d] *= options_.step;  // else never taken, and it may be huge
    return copy;
  }

 private:
  std::size_t dim(const Shape& shape) const { return ops::check_dim(kName, options_.dim, shape); }

  /// A bound as Python takes it: from the end if negative, and clamped.
  static std::int64_t place(std::int64_t bound, std::int64_t size) {
    return std::clamp<std::int64_t>(bound < 0 ? bound + size : bound, 0, size);
  }
};

struct SelectOptions {
  std::int64_t dim = 0;
  std::int64_t index = 0;
  static void fields(auto& self, auto&& field) {
    field("dim", self.dim);
    field("index", self.index);
  }
};

/// One entry of a dimension, which goes; the others get no gradient.
class Select : public BoxOp<Select, SelectOptions> {
 public:
  static constexpr std::string_view kName = "select";
  using BoxOp::BoxOp;
  Widening widening() const override { return Widening::none; }

  TensorType output_type(std::span<const TensorType> inputs) const override {
    detail::check_arity(kName, inputs, 1);
    TensorType result = inputs[0];
    const std::size_t dim = ops::check_real_dim(kName, options_.dim, result.shape);
    const std::int64_t size = result.shape[dim];
    if (options_.index < -size || options_.index >= size) {
      ops::fail<IndexError>(kName, "an index in [", -size, ", ", size, ") for dimension ", dim, " of input ",
                            result.shape, ", got ", options_.index);
    }
    result.shape.erase(dim);
    return result;
  }

  bool shares(const Shape& whole) const { return dim(whole) == 0; }

  ops::StridedCopy layout(const Shape& whole, const Shape&) const {
    const std::size_t d = dim(whole);
    const std::int64_t index = options_.index < 0 ? options_.index + whole[d] : options_.index;
    const ops::Strides strides = ops::contiguous_strides(whole);
    Shape part = whole;
    part[d] = 1;
    return {part, strides, ops::contiguous_strides(part), index * strides[d]};
  }

 private:
  std::size_t dim(const Shape& shape) const { return ops::check_dim(kName, options_.dim, shape); }
};

struct IndexSelectOptions {
  std::int64_t dim = 0;
  static void fields(auto& self, auto&& field) { field("dim", self.dim); }
};

/// Entries of a dimension by their numbers; each adds its gradient to where it came from.
class IndexSelect : public OpWith<IndexSelect, IndexSelectOptions> {
 public:
  static constexpr std::string_view kName = "index_select";
  using OpWith::OpWith;
  Widening widening() const override { return Widening::none; }

  TensorType output_type(std::span<const TensorType> inputs) const override {
    detail::check_arity(kName, inputs, 2);
    TensorType result = inputs[0];
    const std::size_t dim = ops::check_real_dim(kName, options_.dim, result.shape);
    if (inputs[1].dtype != DType::int64 || inputs[1].shape.size() != 1) {
      ops::fail<TypeError>(kName, "index int64 [n], got index ", detail::describe(inputs[1]));
    }
    result.shape[dim] = inputs[1].shape[0];
    ops::check_result(kName, result.shape);
    return result;
  }

  Tensor forward(const ForwardContext& context) const override {
    const Tensor &x = context.inputs[0], &index = context.inputs[1];
    const ops::Split s = split(x.shape());
    if (!ops::are_indices(index.data<std::int64_t>(), index.numel(), 0, s.size)) refuse(index, s.size, x.shape());
    Tensor y = context.make_result();
    ops::take_rows(s, index.data<std::int64_t>(), index.numel(), x, y);
    return y;
  }

  TensorList backward(const BackwardContext& context) const override {
    Tensor grad_x = ops::new_zeros(context.inputs[0].type());
    const Tensor& index = context.inputs[1];
    ops::add_rows(split(grad_x.shape()), index.data<std::int64_t>(), index.numel(), context.grad, grad_x);
    return {grad_x, Tensor()};
  }

  bool saves_input(std::size_t i) const override { return i == 1; }

 private:
  ops::Split split(const Shape& shape) const { return {shape, ops::check_dim(kName, options_.dim, shape)}; }

  [[noreturn]] static void refuse(const Tensor& index, std::int64_t size, const Shape& input) {
    std::int64_t i = 0;
    const std::int64_t* places = index.data<std::int64_t>();
    while (places[i] >= 0 && places[i] < size) ++i;
    ops::fail<IndexError>(kName, "indices in [0, ", size, ") for input ", input, ", got ", places[i], " at index ", i);
  }
};

}  // namespace

Tensor slice(const Tensor& x, Integer dim, Integer start, std::optional<Integer> end, Integer step) {
  return apply(Slice({dim, start, end, step}), {x});
}

Tensor select(const Tensor& x, Integer dim, Integer index) { return apply(Select({dim, index}), {x}); }

Tensor index_select(const Tensor& x, Integer dim, const Tensor& index) { return apply(IndexSelect({dim}), {x, index}); }

std::span<const OpEntry> ops::indexing_ops() {
  static const OpEntry entries[] = {op_entry<Slice>(), op_entry<Select>(), op_entry<IndexSelect>()};
  return entries;
}

}  // namespace teff

// SPDX-License-Identifier: MIT
#include "teff/engine/error_text.h"
#include "teff/engine/ops.h"
#include "teff/engine/ops/broadcast.h"
#include "teff/engine/ops/checks.h"
#include "teff/engine/ops/op_tables.h"
#include "teff/engine/strided_copy.h"
#include "teff/engine/tensor_impl.h"

namespace teff {
namespace {

struct ShapeOptions {
  Shape shape;
  static void fields(auto& self, auto&& field) { field("shape", self.shape); }
};

/// The same elements under another shape. The option is what the caller asked for, with -1.
class View : public OpWith<View, ShapeOptions> {
 public:
  static constexpr std::string_view kName = "view";
  using OpWith::OpWith;
  Widening widening() const override { return Widening::none; }

  TensorType output_type(std::span<const TensorType> inputs) const override {
    detail::check_arity(kName, inputs, 1);
    const std::int64_t count = numel(inputs[0].shape);
    Shape shape = options_.shape;
    std::int64_t* open = nullptr;  // the size that is -1
    for (std::int64_t& size : shape) {
      if (size < -1 || (size == -1 && open != nullptr)) refuse(count);
      if (size == -1) open = &size;
    }
    if (open != nullptr) {
      *open = 1;
      const std::int64_t others = checked_numel(shape, count);
      if (others == 0 && count == 0) {
        ops::fail<ShapeError>(kName, "a shape for 0 elements whose other sizes are not 0, so that -1 can be told, got ",
                              options_.shape);
      }
      if (others == 0 || count % others != 0) refuse(count);
      *open = count / others;
    }
    if (checked_numel(shape, count) != count) refuse(count);
    return {shape, inputs[0].dtype};
  }

  Tensor forward(const ForwardContext& context) const override {
    return detail::alias(context.inputs[0], context.output.shape);
  }
  TensorList backward(const BackwardContext& context) const override {
    return {detail::alias(context.grad, context.inputs[0].shape())};
  }
  bool saves_input(std::size_t) const override { return false; }
  bool is_view(std::span<const TensorType>) const override { return true; }

 private:
  [[noreturn]] void refuse(std::int64_t count) const {
    ops::fail<ShapeError>(kName, "a shape for ", count, " elements, got ", options_.shape);
  }
  std::int64_t checked_numel(const Shape& shape, std::int64_t count) const {
    try {
      return numel(shape);
    } catch (const ShapeError&) {  // too many
      refuse(count);
    }
  }
};

struct PermuteOptions {
  IntList dims;
  static void fields(auto& self, auto&& field) { field("dims", self.dims); }
};

/// Y's dimension i is X's dimension dims[i].
class Permute : public OpWith<Permute, PermuteOptions> {
 public:
  static constexpr std::string_view kName = "permute";
  using OpWith::OpWith;
  Widening widening() const override { return Widening::none; }

  TensorType output_type(std::span<const TensorType> inputs) const override {
    detail::check_arity(kName, inputs, 1);
    const Shape& shape = inputs[0].shape;
    const IntList order = dims(shape);
    Shape result;
    for (const std::int64_t dim : order) result.push_back(shape[static_cast<std::size_t>(dim)]);
    return {result, inputs[0].dtype};
  }
  Tensor forward(const ForwardContext& context) const override {
    Tensor y = context.make_result();
    permute(context.inputs[0], dims(context.inputs[0].shape()), y);
    return y;
  }
  TensorList backward(const BackwardContext& context) const override {
    const Shape& shape = context.inputs[0].shape();
    const IntList order = dims(shape);
    IntList inverse = order;
    for (std::size_t i = 0; i < order.size(); ++i) {
      inverse[static_cast<std::size_t>(order[i])] = static_cast<std::int64_t>(i);
    }
    Tensor grad_x = detail::make_tensor(context.inputs[0].type());
    permute(context.grad, inverse, grad_x);
    return {grad_x};
  }
  bool saves_input(std::size_t) const override { return false; }

 private:
  /// The option, counted from the front.
  IntList dims(const Shape& shape) const {
    IntList order;
    for (const std::int64_t dim : options_.dims) {
      const bool in_range =
          dim >= -static_cast<std::int64_t>(shape.size()) && dim < static_cast<std::int64_t>(shape.size());
      const std::int64_t place = dim < 0 ? dim + static_cast<std::int64_t>(shape.size()) : dim;
      if (!in_range || order.contains(place)) refuse(shape);
      order.push_back(place);
    }
    if (order.size() != shape.size()) refuse(shape);
    return order;
  }
  [[noreturn]] void refuse(const Shape& shape) const {
    ops::fail<ShapeError>(kName, "every dimension of input ", shape, " once, got dims ", options_.dims);
  }
  static void permute(const Tensor& x, const IntList& order, const Tensor& y) {
    const ops::Strides strides = ops::contiguous_strides(x.shape());
    ops::StridedCopy copy{y.shape(), {}, ops::contiguous_strides(y.shape())};
    for (std::size_t i = 0; i < order.size(); ++i) copy.from_strides[i] = strides[static_cast<std::size_t>(order[i])];
    ops::strided_copy(copy, x, y);
  }
};

/// Y = X repeated, dX = sum of dY over the copies. The option is what the caller asked for, with -1.
class Expand : public OpWith<Expand, ShapeOptions> {
 public:
  static constexpr std::string_view kName = "expand";
  using OpWith::OpWith;
  Widening widening() const override { return Widening::none; }

  TensorType output_type(std::span<const TensorType> inputs) const override {
    detail::check_arity(kName, inputs, 1);
    const Shape& from = inputs[0].shape;
    Shape shape = options_.shape;
    if (shape.size() < from.size()) refuse(from);
    const std::size_t in_front = shape.size() - from.size();
    for (std::size_t i = 0; i < shape.size(); ++i) {
      const bool is_new = i < in_front;
      if (shape[i] < (is_new ? 0 : -1)) refuse(from);
      if (is_new) continue;
      const std::int64_t size = from[i - in_front];
      if (shape[i] == -1) shape[i] = size;
      if (size != 1 && size != shape[i]) refuse(from);
    }
    return {ops::check_result(kName, shape), inputs[0].dtype};
  }
  Tensor forward(const ForwardContext& context) const override {
    Tensor y = context.make_result();
    ops::broadcast_to(context.inputs[0], y);
    return y;
  }
  TensorList backward(const BackwardContext& context) const override {
    return {ops::sum_to(context.grad, context.inputs[0].shape())};
  }
  bool saves_input(std::size_t) const override { return false; }

 private:
  [[noreturn]] void refuse(const Shape& from) const {
    ops::fail<ShapeError>(kName, "a shape that repeats sizes of 1 of input ", from,
                          " and keeps the others (or -1), got ", options_.shape);
  }
};

}  // namespace

Tensor view(const Tensor& x, const Shape& shape) { return apply(View({shape}), {x}); }

namespace {

const Shape& shape_of(std::string_view function, const Tensor& x) {
  return detail::with_name(function, [&]() -> const Shape& { return x.shape(); });
}

}  // namespace

Tensor flatten(const Tensor& x, Integer start_dim, Integer end_dim) {
  const Shape& shape = shape_of("flatten", x);
  const std::size_t start = ops::check_dim("flatten", start_dim, shape),
                    end = ops::check_dim("flatten", end_dim, shape);
  if (start > end) {
    ops::fail<ValueError>("flatten", "start_dim not after end_dim, got ", start_dim, " and ", end_dim, " for input ",
                          shape);
  }
  Shape result, joined;
  for (std::size_t i = 0; i < start; ++i) result.push_back(shape[i]);
  for (std::size_t i = start; i <= end && i < shape.size(); ++i) joined.push_back(shape[i]);
  result.push_back(numel(joined));
  for (std::size_t i = end + 1; i < shape.size(); ++i) result.push_back(shape[i]);
  return view(x, result);
}

Tensor squeeze(const Tensor& x, std::optional<Integer> dim) {
  const Shape& shape = shape_of("squeeze", x);
  const std::size_t only = dim ? ops::check_dim("squeeze", *dim, shape) : 0;
  Shape result;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] != 1 || (dim && i != only)) result.push_back(shape[i]);
  }
  return view(x, result);
}

Tensor unsqueeze(const Tensor& x, Integer dim) {
  Shape shape = shape_of("unsqueeze", x);
  const auto rank = static_cast<std::int64_t>(shape.size());
  if (dim < -rank - 1 || dim > rank) {
    ops::fail<IndexError>("unsqueeze", "a dimension in [", -rank - 1, ", ", rank + 1, ") for input ", shape, ", got ",
                          dim);
  }
  shape.insert(static_cast<std::size_t>(dim < 0 ? dim + rank + 1 : std::int64_t{dim}), 1);
  return view(x, shape);
}

Tensor permute(const Tensor& x, const IntList& dims) { return apply(Permute({dims}), {x}); }

Tensor transpose(const Tensor& x, Integer dim0, Integer dim1) {
  const Shape& shape = shape_of("transpose", x);
  const std::size_t first = ops::check_dim("transpose", dim0, shape);
  const std::size_t second = ops::check_dim("transpose", dim1, shape);
  IntList order;
  for (std::size_t i = 0; i < shape.size(); ++i) order.push_back(static_cast<std::int64_t>(i));
  if (!order.empty()) std::swap(order[first], order[second]);
  return permute(x, order);
}

Tensor expand(const Tensor& x, const Shape& shape) { return apply(Expand({shape}), {x}); }

std::span<const OpEntry> ops::reshape_ops() {
  static const OpEntry entries[] = {op_entry<View>(), op_entry<Permute>(), op_entry<Expand>()};
  return entries;
}

}  // namespace teff

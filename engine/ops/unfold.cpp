// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cstring>

#include "teff/engine/error_text.h"
#include "teff/engine/indexing_ops.h"
#include "teff/engine/kernels/isa/tuning.h"
#include "teff/engine/ops.h"
#include "teff/engine/ops/checks.h"
#include "teff/engine/ops/dispatch.h"
#include "teff/engine/ops/op_tables.h"
#include "teff/engine/ops/split.h"
#include "teff/engine/parallel.h"
#include "teff/engine/strided_copy.h"
#include "teff/engine/tensor_impl.h"

namespace teff {
namespace {

/// Windows of a dimension.
struct Windows {
  std::int64_t size, step, dilation;

  void check(std::string_view op) const {
    const auto check_one = [&](const char* option, std::int64_t value, std::int64_t least) {
      if (value >= least && value < ops::kMaxOption) return;
      ops::fail<ValueError>(op, option, " of at least ", least, " and below 2^31, got ", value);
    };
    check_one("a size", size, 0);
    check_one("a step", step, 1);
    check_one("a dilation", dilation, 1);
  }
  /// How many fit a dimension; 0 or less if none does.
  std::int64_t count(std::int64_t whole) const {
    const std::int64_t room = whole - dilation * (std::max<std::int64_t>(size, 1) - 1) - (size > 0 ? 1 : 0);
    return room < 0 ? 0 : room / step + 1;
  }
};

/// parts [outer, windows, inner, size] are those of whole [outer, n, inner].
ops::StridedCopy layout(const Windows& windows, const Shape& whole, const Shape& parts, std::size_t dim) {
  const ops::Strides strides = ops::contiguous_strides(whole);
  ops::StridedCopy copy{parts, strides, ops::contiguous_strides(parts)};
  copy.from_strides[whole.size()] = parts.back() > 1 ? windows.dilation * strides[dim] : 0;
  if (parts[dim] > 1) copy.from_strides[dim] *= windows.step;
  return copy;
}

/// whole = the sum of the parts at their places, in the order of the windows.
void add_parts(const Windows& windows, const Tensor& parts, const Tensor& whole, std::size_t dim) {
  if (whole.nbytes() > 0) std::memset(whole.raw_data(), 0, whole.nbytes());
  if (parts.numel() == 0) return;
  const ops::Split s(whole.shape(), dim);
  const std::int64_t count = parts.shape()[dim];
  ops::visit_numeric(whole.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const T* const from = parts.data<T>();
    T* const to = whole.data<T>();
    const std::int64_t block = count * s.inner * windows.size;
    parallel_ranges(s.outer, std::max<std::int64_t>(1, kernels::kGrain / block), [&](std::int64_t a, std::int64_t b) {
      for (std::int64_t o = a; o < b; ++o) {
        const T* part = from + o * block;
        for (std::int64_t w = 0; w < count; ++w) {
          T* const first = to + (o * s.size + w * windows.step) * s.inner;
          for (std::int64_t i = 0; i < s.inner; ++i) {
            for (std::int64_t k = 0; k < windows.size; ++k) {
              T& sum = first[k * windows.dilation * s.inner + i];
              sum = static_cast<T>(sum + *part++);
            }
          }
        }
      }
    });
  });
}

struct UnfoldFields {
  std::int64_t dim = 0;
  std::int64_t size = 1;
  std::int64_t step = 1;
  std::int64_t dilation = 1;
  static void fields(auto& self, auto&& field) {
    field("dim", self.dim);
    field("size", self.size);
    field("step", self.step);
    field("dilation", self.dilation);
  }
};

/// Windows of a dimension, whose elements become the last one; each adds its gradient to where it came from.
class Unfold : public OpWith<Unfold, UnfoldFields> {
 public:
  static constexpr std::string_view kName = "unfold";
  using OpWith::OpWith;

  TensorType output_type(std::span<const TensorType> inputs) const override {
    detail::check_arity(kName, inputs, 1);
    windows().check(kName);
    Shape shape = inputs[0].shape;
    const std::size_t dim = place_of(shape);
    const std::int64_t size = shape.empty() ? 1 : shape[dim], count = windows().count(size);
    if (count == 0) {
      ops::fail<ShapeError>(kName, "windows not larger than dimension ", options_.dim, " of input ", shape,
                            ", got size ", options_.size, " with dilation ", options_.dilation);
    }
    if (!shape.empty()) shape[dim] = count;
    shape.push_back(options_.size);
    return {ops::check_result(kName, shape), inputs[0].dtype};
  }
  Tensor forward(const ForwardContext& context) const override {
    const Tensor& x = context.inputs[0];
    Tensor y = context.make_result();
    const Shape whole = x.dim() == 0 ? Shape{1} : x.shape(), parts = x.dim() == 0 ? Shape{1, options_.size} : y.shape();
    ops::strided_copy(layout(windows(), whole, parts, place_of(whole)), x, y);
    return y;
  }
  TensorList backward(const BackwardContext& context) const override {
    Tensor grad_x = detail::make_tensor(context.inputs[0].type());
    if (grad_x.dim() == 0) return {sum(context.grad)};
    add_parts(windows(), context.grad, grad_x, place_of(grad_x.shape()));
    return {grad_x};
  }
  bool saves_input(std::size_t) const override { return false; }

 private:
  Windows windows() const { return {options_.size, options_.step, options_.dilation}; }
  std::size_t place_of(const Shape& shape) const { return ops::check_dim(kName, options_.dim, shape); }
};

struct FoldFields {
  std::int64_t dim = 0;
  std::int64_t output_size = 1;
  std::int64_t step = 1;
  std::int64_t dilation = 1;
  static void fields(auto& self, auto&& field) {
    field("dim", self.dim);
    field("output_size", self.output_size);
    field("step", self.step);
    field("dilation", self.dilation);
  }
};

/// The transpose of unfold: windows [..., n, ..., size] are added at their places of a dimension of output_size.
class Fold : public OpWith<Fold, FoldFields> {
 public:
  static constexpr std::string_view kName = "fold";
  using OpWith::OpWith;

  TensorType output_type(std::span<const TensorType> inputs) const override {
    detail::check_arity(kName, inputs, 1);
    ops::check_numeric(kName, inputs);
    Shape shape = inputs[0].shape;
    if (shape.size() < 2) ops::fail<ShapeError>(kName, "windows [..., n, ..., size], got input ", shape);
    windows(shape).check(kName);
    if (options_.output_size < 0)
      ops::fail<ValueError>(kName, "an output_size of at least 0, got ", options_.output_size);
    const std::int64_t count = windows(shape).count(options_.output_size);
    shape.erase(shape.size() - 1);
    const std::size_t dim = ops::check_dim(kName, options_.dim, shape);
    if (shape[dim] != count || count == 0) {
      ops::fail<ShapeError>(kName, "as many windows as a size of ", options_.output_size, " has, ", count, ", got ",
                            shape[dim], " from input ", inputs[0].shape);
    }
    shape[dim] = options_.output_size;
    return {ops::check_result(kName, shape), inputs[0].dtype};
  }
  Tensor forward(const ForwardContext& context) const override {
    const Tensor& x = context.inputs[0];
    Tensor y = context.make_result();
    add_parts(windows(x.shape()), x, y, ops::check_dim(kName, options_.dim, y.shape()));
    return y;
  }
  TensorList backward(const BackwardContext& context) const override {
    Tensor grad_x = detail::make_tensor(context.inputs[0].type());
    const Shape& whole = context.grad.shape();
    ops::strided_copy(
        layout(windows(grad_x.shape()), whole, grad_x.shape(), ops::check_dim(kName, options_.dim, whole)),
        context.grad, grad_x);
    return {grad_x};
  }
  double flop(std::span<const TensorType> inputs, const TensorType& output) const override {
    return static_cast<double>(numel(inputs[0].shape)) + static_cast<double>(numel(output.shape));
  }
  bool saves_input(std::size_t) const override { return false; }

 private:
  Windows windows(const Shape& parts) const { return {parts.back(), options_.step, options_.dilation}; }
};

Tensor unfold_dim(const Tensor& x, std::int64_t dim, std::int64_t size, std::int64_t step, std::int64_t dilation) {
  return apply(Unfold({dim, size, step, dilation}), {x});
}

Tensor fold_dim(const Tensor& x, std::int64_t dim, std::int64_t size, std::int64_t step, std::int64_t dilation) {
  return apply(Fold({dim, size, step, dilation}), {x});
}

}  // namespace

Tensor unfold(const Tensor& x, Integer dim, Integer size, Integer step) { return unfold_dim(x, dim, size, step, 1); }
Tensor Tensor::unfold(Integer dim, Integer size, Integer step) const { return teff::unfold(*this, dim, size, step); }

Tensor unfold(const Tensor& x, const Pair& kernel_size, const UnfoldFuncOptions& o) {
  return detail::with_name("unfold", [&] {
    if (x.dim() == 3) return squeeze(unfold(unsqueeze(x, 0), kernel_size, o), 0);
    if (x.dim() != 4) ops::fail<ShapeError>("unfold", "images [N, C, H, W] or [C, H, W], got input ", x.shape());
    ops::check_pair("unfold", "padding", o.padding, 0);
    const Pair &p = o.padding, &k = kernel_size;
    Tensor y = p == Pair(0) ? x : pad(x, {p.width, p.width, p.height, p.height});
    y = unfold_dim(y, 2, k.height, o.stride.height, o.dilation.height);
    y = permute(unfold_dim(y, 3, k.width, o.stride.width, o.dilation.width), {0, 1, 4, 5, 2, 3});
    return flatten(flatten(y, 4, 5), 1, 3);
  });
}

Tensor fold(const Tensor& x, const Pair& output_size, const Pair& kernel_size, const UnfoldFuncOptions& o) {
  return detail::with_name("fold", [&] {
    if (x.dim() == 2) return squeeze(fold(unsqueeze(x, 0), output_size, kernel_size, o), 0);
    const Pair &p = o.padding, &k = kernel_size;
    ops::check_pair("fold", "output_size", output_size, 1);
    ops::check_pair("fold", "kernel_size", k, 1);
    ops::check_pair("fold", "stride", o.stride, 1);
    ops::check_pair("fold", "padding", p, 0);
    ops::check_pair("fold", "dilation", o.dilation, 1);
    const Pair padded{output_size.height + 2 * p.height, output_size.width + 2 * p.width};
    const std::int64_t rows = Windows{k.height, o.stride.height, o.dilation.height}.count(padded.height),
                       columns = Windows{k.width, o.stride.width, o.dilation.width}.count(padded.width);
    const bool is_batch = x.dim() == 3;
    if (!is_batch || x.size(1) % (k.height * k.width) != 0 || x.size(2) != rows * columns) {
      ops::fail<ShapeError>("fold", "[N, C * ", k.height * k.width, ", ", rows * columns, "] (", rows, " x ", columns,
                            " places of the kernel), got input ", x.shape());
    }
    const std::int64_t channels = x.size(1) / (k.height * k.width);
    Tensor y = view(x, {x.size(0), channels, k.height, k.width, rows, columns});
    y = fold_dim(permute(y, {0, 1, 4, 5, 2, 3}), 3, padded.width, o.stride.width, o.dilation.width);
    y = fold_dim(y, 2, padded.height, o.stride.height, o.dilation.height);
    return p == Pair(0) ? y : pad(y, {-p.width, -p.width, -p.height, -p.height});
  });
}

std::span<const OpEntry> ops::unfold_ops() {
  static const OpEntry entries[] = {op_entry<Unfold>(), op_entry<Fold>()};
  return entries;
}

}  // namespace teff

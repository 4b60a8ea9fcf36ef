// SPDX-License-Identifier: MIT

// Sums and products along lines: cumsum, cumprod, prod. Computed in double or int64, a line at a time.

#include <algorithm>
#include <cstdint>
#include <functional>
#include <numeric>

#include "teff/engine/kernels/isa/tuning.h"
#include "teff/engine/kernels/isa/workspace.h"
#include "teff/engine/ops.h"
#include "teff/engine/ops/checks.h"
#include "teff/engine/ops/dispatch.h"
#include "teff/engine/ops/op_tables.h"
#include "teff/engine/ops/split.h"
#include "teff/engine/parallel.h"
#include "teff/engine/tensor_impl.h"

namespace teff {
namespace {

// Of a line x of n numbers: y, and from the gradient g of y that of x. No number has the value of another type.

using Forward = void (*)(std::int64_t n, const double* x, double* y);
using ForwardWhole = void (*)(std::int64_t n, const std::int64_t* x, std::int64_t* y);
using Backward = void (*)(std::int64_t n, const double* x, const double* g, double* grad_x);

std::int64_t wrapped_sum(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}
std::int64_t wrapped_product(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) * static_cast<std::uint64_t>(b));
}

void cumsum_of(std::int64_t n, const double* x, double* y) { std::partial_sum(x, x + n, y); }
void cumsum_whole(std::int64_t n, const std::int64_t* x, std::int64_t* y) {
  std::partial_sum(x, x + n, y, wrapped_sum);
}
/// dx[i] = sum of g[k] for k >= i
void cumsum_backward(std::int64_t n, const double*, const double* g, double* grad_x) {
  double sum = 0;
  for (std::int64_t i = n; i-- > 0;) grad_x[i] = sum += g[i];
}

void cumprod_of(std::int64_t n, const double* x, double* y) {
  std::partial_sum(x, x + n, y, std::multiplies<double>());
}
void cumprod_whole(std::int64_t n, const std::int64_t* x, std::int64_t* y) {
  std::partial_sum(x, x + n, y, wrapped_product);
}
/// dx[i] = sum over k >= i of g[k] * product of x[j] for j <= k but i
///       = (x[0] ... x[i - 1]) * t[i], where t[i] = g[i] + x[i + 1] * t[i + 1]
void cumprod_backward(std::int64_t n, const double* x, const double* g, double* grad_x) {
  double tail = 0;
  for (std::int64_t i = n; i-- > 0;) {
    tail = g[i] + (i + 1 < n ? x[i + 1] * tail : 0);
    grad_x[i] = tail;
  }
  double before = 1;
  for (std::int64_t i = 0; i < n; before *= x[i++]) grad_x[i] *= before;
}

void prod_of(std::int64_t n, const double* x, double* y) {
  *y = std::accumulate(x, x + n, 1.0, std::multiplies<double>());
}
void prod_whole(std::int64_t n, const std::int64_t* x, std::int64_t* y) {
  *y = std::accumulate(x, x + n, std::int64_t{1}, wrapped_product);
}
/// dx[i] = g * product of all others
void prod_backward(std::int64_t n, const double* x, const double* g, double* grad_x) {
  double after = *g;
  for (std::int64_t i = n; i-- > 0; after *= x[i]) grad_x[i] = after;
  double before = 1;
  for (std::int64_t i = 0; i < n; before *= x[i++]) grad_x[i] *= before;
}

/// Where a line of `size` elements begins in an array of [outer, size, inner], for line `index` of [outer, inner].
std::int64_t begin_of(const ops::Split& s, std::int64_t index, std::int64_t size) {
  return index / s.inner * size * s.inner + index % s.inner;
}

/// Calls function(begin in what has lines of s.size, begin in what has lines of `size`, scratch of 3 lines) for each.
template <class Wide, class Function>
void for_each_line(const ops::Split& s, std::int64_t size, const Function& function) {
  const std::int64_t grain = std::max<std::int64_t>(1, kernels::kGrain / 8 / std::max<std::int64_t>(1, s.size));
  parallel_ranges(s.outer * s.inner, grain, [&](std::int64_t begin, std::int64_t end) {
    kernels::Workspace<Wide> lines(3 * static_cast<std::size_t>(s.size) + 3);
    for (std::int64_t i = begin; i < end; ++i) function(begin_of(s, i, s.size), begin_of(s, i, size), lines.data());
  });
}

template <class From, class To>
void gather(std::int64_t n, std::int64_t stride, const From* from, To* to) {
  for (std::int64_t i = 0; i < n; ++i) to[i] = static_cast<To>(from[i * stride]);
}
template <class From, class To>
void scatter(std::int64_t n, std::int64_t stride, const From* from, To* to) {
  for (std::int64_t i = 0; i < n; ++i) to[i * stride] = static_cast<To>(from[i]);
}

/// y has lines of `size` elements.
template <class T, class Wide>
void compute_lines(const ops::Split& s, std::int64_t size, const Tensor& x, const Tensor& y,
                   void (*function)(std::int64_t, const Wide*, Wide*)) {
  const T* from = x.data<T>();
  T* to = y.data<T>();
  for_each_line<Wide>(s, size, [&](std::int64_t x_begin, std::int64_t y_begin, Wide* lines) {
    Wide* const line = lines + s.size;
    gather(s.size, s.inner, from + x_begin, lines);
    function(s.size, lines, line);
    scatter(size, s.inner, line, to + y_begin);
  });
}

template <class T>
void backward_lines(const ops::Split& s, std::int64_t size, const BackwardContext& context, bool reads_x,
                    const Tensor& grad_x, Backward function) {
  const T *x = reads_x ? context.inputs[0].data<T>() : nullptr, *grad = context.grad.data<T>();
  T* to = grad_x.data<T>();
  for_each_line<double>(s, size, [&](std::int64_t x_begin, std::int64_t y_begin, double* lines) {
    double *const g = lines + s.size, *const result = g + std::max(s.size, size);
    if (reads_x) gather(s.size, s.inner, x + x_begin, lines);
    gather(size, s.inner, grad + y_begin, g);
    function(s.size, lines, g, result);
    scatter(s.size, s.inner, result, to + x_begin);
  });
}

/// What Prod and the cumulative ones share: Derived says which functions, and where the line is.
template <class Derived, class Options>
class LineOp : public OpWith<Derived, Options> {
 public:
  using OpWith<Derived, Options>::OpWith;

  Tensor forward(const ForwardContext& context) const override {
    const Tensor& x = context.inputs[0];
    Tensor y = context.make_result();
    const ops::Split s = self().split(x.shape());
    const std::int64_t size = Derived::kIsReduction ? 1 : s.size;
    if (y.numel() == 0) return y;
    if (x.dtype() == DType::int64) {
      compute_lines<std::int64_t>(s, size, x, y, Derived::kWhole);
    } else {
      ops::visit_computable(x.dtype(),
                            [&](auto zero) { compute_lines<decltype(zero)>(s, size, x, y, Derived::kForward); });
    }
    return y;
  }

  TensorList backward(const BackwardContext& context) const override {
    const Tensor& x = context.inputs[0];
    Tensor grad_x = detail::make_tensor(x.type());
    const ops::Split s = self().split(x.shape());
    if (x.numel() == 0) return {grad_x};
    ops::visit_computable(x.dtype(), [&](auto zero) {
      backward_lines<decltype(zero)>(s, Derived::kIsReduction ? 1 : s.size, context, this->saves_input(0), grad_x,
                                     Derived::kBackward);
    });
    return {grad_x};
  }

  double flop(std::span<const TensorType> inputs, const TensorType&) const override {
    return static_cast<double>(numel(inputs[0].shape));
  }

 private:
  const Derived& self() const { return static_cast<const Derived&>(*this); }
};

struct CumulativeOptions {
  std::int64_t dim = 0;
  static void fields(auto& self, auto&& field) { field("dim", self.dim); }
};

template <class Derived>
class Cumulative : public LineOp<Derived, CumulativeOptions> {
 public:
  static constexpr bool kIsReduction = false;
  using LineOp<Derived, CumulativeOptions>::LineOp;

  TensorType output_type(std::span<const TensorType> inputs) const override {
    detail::check_arity(Derived::kName, inputs, 1);
    ops::check_numeric(Derived::kName, inputs);
    static_cast<void>(split(inputs[0].shape));
    return inputs[0];
  }
  ops::Split split(const Shape& shape) const {
    return {shape, ops::check_dim(Derived::kName, this->options_.dim, shape)};
  }
};

class Cumsum : public Cumulative<Cumsum> {
 public:
  static constexpr std::string_view kName = "cumsum";
  static constexpr Forward kForward = cumsum_of;
  static constexpr ForwardWhole kWhole = cumsum_whole;
  static constexpr Backward kBackward = cumsum_backward;
  using Cumulative::Cumulative;
  bool saves_input(std::size_t) const override { return false; }
};

class Cumprod : public Cumulative<Cumprod> {
 public:
  static constexpr std::string_view kName = "cumprod";
  static constexpr Forward kForward = cumprod_of;
  static constexpr ForwardWhole kWhole = cumprod_whole;
  static constexpr Backward kBackward = cumprod_backward;
  using Cumulative::Cumulative;
};

struct ProdOptions {
  std::optional<std::int64_t> dim;
  bool keepdim = false;
  static void fields(auto& self, auto&& field) {
    field("dim", self.dim);
    field("keepdim", self.keepdim);
  }
};

class Prod : public LineOp<Prod, ProdOptions> {
 public:
  static constexpr std::string_view kName = "prod";
  static constexpr bool kIsReduction = true;
  static constexpr Forward kForward = prod_of;
  static constexpr ForwardWhole kWhole = prod_whole;
  static constexpr Backward kBackward = prod_backward;
  using LineOp::LineOp;

  TensorType output_type(std::span<const TensorType> inputs) const override {
    detail::check_arity(kName, inputs, 1);
    ops::check_numeric(kName, inputs);
    Shape shape = inputs[0].shape;
    std::size_t i = options_.dim ? ops::check_dim(kName, *options_.dim, shape) : 0;
    for (std::size_t left = options_.dim ? std::min<std::size_t>(1, shape.size()) : shape.size(); left > 0; --left) {
      shape[i] = 1;
      if (options_.keepdim) {
        ++i;
      } else {
        shape.erase(i);
      }
    }
    return {shape, inputs[0].dtype};
  }
  ops::Split split(const Shape& shape) const {
    if (!options_.dim) return {IntList(numel(shape)), 0};
    return {shape, ops::check_dim(kName, *options_.dim, shape)};
  }
};

/// As of sums, the results of whole numbers and bool are int64.
Tensor summable(const Tensor& x) { return x.defined() && !is_floating_point(x.dtype()) ? x.to(DType::int64) : x; }

}  // namespace

Tensor cumsum(const Tensor& x, Integer dim) { return apply(Cumsum({dim}), {summable(x)}); }
Tensor cumprod(const Tensor& x, Integer dim) { return apply(Cumprod({dim}), {summable(x)}); }
Tensor prod(const Tensor& x) { return apply(Prod(), {summable(x)}); }
Tensor prod(const Tensor& x, Integer dim, bool keepdim) { return apply(Prod({dim, keepdim}), {summable(x)}); }

std::span<const OpEntry> ops::cumulative_ops() {
  static const OpEntry entries[] = {op_entry<Cumsum>(), op_entry<Cumprod>(), op_entry<Prod>()};
  return entries;
}

}  // namespace teff

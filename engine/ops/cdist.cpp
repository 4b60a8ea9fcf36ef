// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>

#include "teff/engine/error_text.h"
#include "teff/engine/kernels/gemm/gemm_kernels.h"
#include "teff/engine/kernels/isa/tuning.h"
#include "teff/engine/kernels/isa/workspace.h"
#include "teff/engine/linalg_ops.h"
#include "teff/engine/ops.h"
#include "teff/engine/ops/broadcast.h"
#include "teff/engine/ops/checks.h"
#include "teff/engine/ops/dispatch.h"
#include "teff/engine/ops/op_tables.h"
#include "teff/engine/parallel.h"
#include "teff/engine/strided_copy.h"
#include "teff/engine/tensor_impl.h"

namespace teff {
namespace {

struct CdistOptions {
  double p = 2;
  static void fields(auto& self, auto&& field) { field("p", self.p); }
};

template <class T>
T distance(const T* a, const T* b, std::int64_t size, double p) {
  T sum = 0;
  if (p == 2) {
    for (std::int64_t i = 0; i < size; ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
    return std::sqrt(sum);
  }
  if (p == 1) {
    for (std::int64_t i = 0; i < size; ++i) sum += std::abs(a[i] - b[i]);
    return sum;
  }
  if (p == 0) {
    for (std::int64_t i = 0; i < size; ++i) sum += a[i] != b[i] ? T(1) : T(0);
    return sum;
  }
  if (std::isinf(p)) {
    for (std::int64_t i = 0; i < size; ++i) {
      const T apart = std::abs(a[i] - b[i]);
      sum = apart > sum || apart != apart ? apart : sum;
    }
    return sum;
  }
  for (std::int64_t i = 0; i < size; ++i) sum += std::pow(std::abs(a[i] - b[i]), static_cast<T>(p));
  return std::pow(sum, static_cast<T>(1 / p));
}

/// The derivative of a distance d with respect to a value that is `apart` from its counterpart.
template <class T>
T slope(T apart, T d, double p) {
  const T sign = apart > 0 ? T(1) : apart < 0 ? T(-1) : T(0);
  if (p == 0 || d == 0) return 0;
  if (p == 1) return sign;
  if (p == 2) return apart / d;
  if (std::isinf(p)) return std::abs(apart) == d ? sign : T(0);
  return sign * std::pow(std::abs(apart) / d, static_cast<T>(p - 1));
}

/// D[b, i, j] = |X[b, i] - Y[b, j]|, dX[b, i] = the sum over j of the slopes times dD, dY likewise with the other sign
class Cdist : public OpWith<Cdist, CdistOptions> {
 public:
  static constexpr std::string_view kName = "cdist";
  using OpWith::OpWith;

  TensorType output_type(std::span<const TensorType> inputs) const override {
    detail::check_arity(kName, inputs, 2);
    ops::check_computable(kName, inputs);
    const Shape &x = inputs[0].shape, &y = inputs[1].shape;
    if (x.size() != 3 || y.size() != 3 || x[0] != y[0] || x[2] != y[2]) {
      ops::fail<ShapeError>(kName, "[B, P, M] and [B, R, M] (or without B), got ", x, " and ", y);
    }
    if (!(options_.p >= 0)) ops::fail<ValueError>(kName, "p >= 0, got ", options_.p);
    ops::check_work(kName, {x[0], x[1], y[1], x[2]});
    return {ops::check_result(kName, {x[0], x[1], y[1]}), inputs[0].dtype};
  }

  Tensor forward(const ForwardContext& context) const override {
    const Tensor &x = context.inputs[0], &y = context.inputs[1];
    Tensor result = context.make_result();
    const std::int64_t rows = x.size(1), others = y.size(1), size = x.size(2);
    if (result.numel() > 0) {
      ops::visit_computable(result.dtype(), [&](auto zero) {
        using T = decltype(zero);
        for (std::int64_t b = 0; b < x.size(0); ++b) {
          find<T>(x.data<T>() + b * rows * size, y.data<T>() + b * others * size, {rows, others, size},
                  result.data<T>() + b * rows * others);
        }
      });
    }
    if (context.recording()) context.save(result);
    return result;
  }

  TensorList backward(const BackwardContext& context) const override {
    const Tensor &x = context.inputs[0], &y = context.inputs[1], &distances = context.saved[0];
    TensorList grads(2);
    for (const std::size_t i : {0, 1}) {
      if (context.wanted[i]) grads[i] = ops::new_zeros(context.inputs[i].type());
    }
    const std::int64_t rows = x.size(1), others = y.size(1), size = x.size(2);
    ops::visit_computable(x.dtype(), [&](auto zero) {
      using T = decltype(zero);
      parallel_ranges(x.size(0), 1, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t pair = begin * rows * others; pair < end * rows * others; ++pair) {
          const std::int64_t i = pair / others, j = i / rows * others + pair % others;
          const T d = distances.data<T>()[pair], grad = context.grad.data<T>()[pair];
          const T *const a = x.data<T>() + i * size, *const b = y.data<T>() + j * size;
          T* const to_a = grads[0].defined() ? grads[0].data<T>() + i * size : nullptr;
          T* const to_b = grads[1].defined() ? grads[1].data<T>() + j * size : nullptr;
          for (std::int64_t k = 0; k < size; ++k) {
            const T part = slope(a[k] - b[k], d, options_.p) * grad;
            if (to_a != nullptr) to_a[k] += part;
            if (to_b != nullptr) to_b[k] -= part;
          }
        }
      });
    });
    return grads;
  }

  double flop(std::span<const TensorType> inputs, const TensorType& output) const override {
    const double each = options_.p == 0 || options_.p == 1 || options_.p == 2 || std::isinf(options_.p) ? 3 : 50;
    return each * static_cast<double>(numel(output.shape)) * static_cast<double>(inputs[0].shape[2]);
  }

 private:
  struct Sizes {
    std::int64_t rows, others, size;
  };

  template <class T>
  void find(const T* x, const T* y, const Sizes& s, T* result) const {
    if (options_.p == 2 && s.size > 0 && (s.rows > 25 || s.others > 25)) return find_by_product(x, y, s, result);
    const std::int64_t work = std::max<std::int64_t>(1, s.others * s.size);
    parallel_ranges(s.rows, std::max<std::int64_t>(1, kernels::kGrain / work), [&](std::int64_t a, std::int64_t b) {
      for (std::int64_t i = a; i < b; ++i) {
        for (std::int64_t j = 0; j < s.others; ++j) {
          result[i * s.others + j] = distance(x + i * s.size, y + j * s.size, s.size, options_.p);
        }
      }
    });
  }

  /// |x|^2 + |y|^2 - 2 x y, but where that loses digits.
  template <class T>
  void find_by_product(const T* x, const T* y, const Sizes& s, T* result) const {
    constexpr T kLost = T(0.01);  // of |x|^2 + |y|^2: two of the decimal digits
    kernels::gemm_kernels<T>().gemm({.m = s.rows,
                                     .n = s.others,
                                     .k = s.size,
                                     .a = x,
                                     .lda = s.size,
                                     .transpose_a = false,
                                     .b = y,
                                     .ldb = s.size,
                                     .transpose_b = true,
                                     .c = result,
                                     .ldc = s.others});
    const auto squares = [&](const T* rows, std::int64_t count, T* to) {
      for (std::int64_t i = 0; i < count; ++i) {
        T sum = 0;
        for (std::int64_t k = 0; k < s.size; ++k) sum += rows[i * s.size + k] * rows[i * s.size + k];
        to[i] = sum;
      }
    };
    kernels::Workspace<T> of_x(static_cast<std::size_t>(s.rows)), of_y(static_cast<std::size_t>(s.others));
    squares(x, s.rows, of_x.data());
    squares(y, s.others, of_y.data());
    parallel_ranges(s.rows, std::max<std::int64_t>(1, kernels::kGrain / s.others), [&](std::int64_t a, std::int64_t b) {
      for (std::int64_t i = a; i < b; ++i) {
        T* const to = result + i * s.others;
        for (std::int64_t j = 0; j < s.others; ++j) {
          const T sum = of_x.data()[i] + of_y.data()[j], square = sum - 2 * to[j];
          to[j] = square > kLost * sum ? std::sqrt(square) : distance(x + i * s.size, y + j * s.size, s.size, 2.0);
        }
      }
    });
  }
};

}  // namespace

namespace {

/// Batches of any dimensions, broadcast, as one.
Tensor joined(const Tensor& x, const Shape& batch) {
  Shape shape = batch;
  shape.push_back(x.size(-2));
  shape.push_back(x.size(-1));
  return view(x.shape() == shape ? x : expand(x, shape), {numel(batch), x.size(-2), x.size(-1)});
}

}  // namespace

Tensor cdist(const Tensor& x, const Tensor& y, double p) {
  return detail::with_name("cdist", [&] {
    if (x.dim() < 2 || y.dim() < 2) {
      ops::fail<ShapeError>("cdist", "[..., P, M] and [..., R, M], got ", x.shape(), " and ", y.shape());
    }
    if (x.dim() == 3 && y.dim() == 3 && x.size(0) == y.size(0)) return apply(Cdist({p}), {x, y});
    const auto batch_of = [](const Tensor& t) { return IntList(std::span(t.shape().begin(), t.shape().size() - 2)); };
    Shape shape = ops::broadcast_shape("cdist", batch_of(x), batch_of(y));
    const Tensor distances = apply(Cdist({p}), {joined(x, shape), joined(y, shape)});
    shape.push_back(x.size(-2));
    shape.push_back(y.size(-2));
    return view(distances, shape);
  });
}

std::span<const OpEntry> ops::cdist_ops() {
  static const OpEntry entries[] = {op_entry<Cdist>()};
  return entries;
}

}  // namespace teff

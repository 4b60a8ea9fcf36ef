// SPDX-License-Identifier: MIT
#include <cmath>
#include <vector>

#include "teff/engine/convert.h"
#include "teff/engine/creation_ops.h"
#include "teff/engine/error_text.h"
#include "teff/engine/modes.h"
#include "teff/engine/ops.h"
#include "teff/engine/ops/checks.h"
#include "teff/engine/tensor_impl.h"

namespace teff {
namespace {

/// `steps` values by value(T, i), computed in double for whole numbers.
template <class Value>
Tensor spaced(const char* function, std::int64_t steps, const TensorOptions& options, const Value& value) {
  if (steps < 0) ops::fail<ValueError>(function, "steps >= 0, got ", steps);
  if (options.dtype == DType::bool_) ops::fail<TypeError>(function, "a dtype of numbers, got bool");
  Tensor result = detail::with_name(function, [&] { return detail::make_tensor({{steps}, options.dtype}); });
  visit_dtype(options.dtype, [&](auto zero) {
    using T = decltype(zero);
    using Computed = std::conditional_t<std::is_same_v<T, float>, float, double>;
    for (std::int64_t i = 0; i < steps; ++i) result.data<T>()[i] = convert<T>(value(Computed{}, i));
  });
  if (options.requires_grad) result.requires_grad_();
  return result;
}

/// As PyTorch: the first half counted from the start, the second from the end.
template <class T>
T at(double start, double end, std::int64_t steps, std::int64_t i) {
  const T first = static_cast<T>(start), last = static_cast<T>(end);
  if (steps == 1) return first;
  const T step = (last - first) / static_cast<T>(steps - 1);
  return i < steps / 2 ? first + step * static_cast<T>(i) : last - step * static_cast<T>(steps - 1 - i);
}

TensorType type_of(const char* function, const Tensor& other, std::optional<DType> dtype) {
  const TensorType type = detail::with_name(function, [&] { return other.type(); });
  return {type.shape, dtype.value_or(type.dtype)};
}

}  // namespace

Tensor linspace(double start, double end, Integer steps, const TensorOptions& options) {
  return spaced("linspace", steps, options,
                [&](auto zero, std::int64_t i) { return at<decltype(zero)>(start, end, steps, i); });
}

Tensor logspace(double start, double end, Integer steps, double base, const TensorOptions& options) {
  return spaced("logspace", steps, options, [&](auto zero, std::int64_t i) {
    return std::pow(static_cast<decltype(zero)>(base), at<decltype(zero)>(start, end, steps, i));
  });
}

Tensor eye(Integer n, Integer m, const TensorOptions& options) {
  const Tensor result = detail::with_name("eye", [&] { return zeros({n, m}, {.dtype = options.dtype}); });
  visit_dtype(options.dtype, [&](auto zero) {
    using T = decltype(zero);
    for (std::int64_t i = 0; i < std::min<std::int64_t>(n, m); ++i) result.data<T>()[i * (m + 1)] = convert<T>(1);
  });
  if (options.requires_grad) result.requires_grad_();
  return result;
}

Tensor empty_like(const Tensor& other, std::optional<DType> dtype) {
  const TensorType type = type_of("empty_like", other, dtype);
  return empty(type.shape, {.dtype = type.dtype});
}

Tensor full_like(const Tensor& other, double value, std::optional<DType> dtype) {
  const TensorType type = type_of("full_like", other, dtype);
  return full(type.shape, value, {.dtype = type.dtype});
}

Tensor rand_like(const Tensor& other, std::optional<DType> dtype) {
  const TensorType type = type_of("rand_like", other, dtype);
  return rand(type.shape, {.dtype = type.dtype});
}

Tensor randn_like(const Tensor& other, std::optional<DType> dtype) {
  const TensorType type = type_of("randn_like", other, dtype);
  return randn(type.shape, {.dtype = type.dtype});
}

Tensor randint_like(const Tensor& other, Integer low, Integer high, std::optional<DType> dtype) {
  const TensorType type = type_of("randint_like", other, dtype);
  return detail::with_name("randint_like", [&] { return randint(low, high, type.shape).to(type.dtype); });
}

Tensor multinomial(const Tensor& weights, Integer n, bool replacement) {
  return multinomial(weights, n, replacement, default_generator());
}

Tensor multinomial(const Tensor& weights, Integer n, bool replacement, Generator& generator) {
  const TensorType type = type_of("multinomial", weights, {});
  if (is_capturing()) throw Error("multinomial: expected no weights to be read while a graph is captured");
  if ((type.shape.size() != 1 && type.shape.size() != 2) || !is_computable(type.dtype)) {
    ops::fail<ShapeError>("multinomial", "weights [C] or [N, C] of float32 or float64, got ", detail::describe(type));
  }
  const NoGradGuard no_grad;
  const Tensor values = weights.detach().to(DType::float64);
  const auto size = static_cast<std::size_t>(type.shape.back());
  const std::int64_t rows = type.shape.size() == 2 ? type.shape[0] : 1;
  const auto row = [&](std::int64_t i) {
    return std::span<const double>(values.data<double>() + static_cast<std::size_t>(i) * size, size);
  };
  for (std::int64_t i = 0; i < rows; ++i) check_multinomial(row(i), n, replacement);
  Tensor result = detail::make_tensor({type.shape.size() == 2 ? Shape{rows, n} : Shape{n}, DType::int64});
  for (std::int64_t i = 0; i < rows; ++i) {
    multinomial(result.data<std::int64_t>() + i * n, n, row(i), replacement, generator);
  }
  return result;
}

Tensor Tensor::multinomial(Integer n, bool replacement) const { return teff::multinomial(*this, n, replacement); }

}  // namespace teff

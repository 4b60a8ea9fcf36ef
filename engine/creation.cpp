// SPDX-License-Identifier: MIT
#include <cmath>
#include <cstring>
#include <mutex>
#include <numeric>

#include "teff/engine/convert.h"
#include "teff/engine/error.h"
#include "teff/engine/random.h"
#include "teff/engine/tensor.h"
#include "teff/engine/tensor_impl.h"

namespace teff {
namespace {

Tensor with_grad(Tensor tensor, const TensorOptions& options) {
  if (options.requires_grad) tensor.requires_grad_();
  return tensor;
}

/// Random values are drawn in a type that computes, then converted.
template <class Draw>
Tensor drawn(const Shape& shape, const TensorOptions& options, const char* function, Draw&& draw) {
  if (!is_computable(options.dtype)) {
    throw TypeError(std::string(function) + ": expected dtype float32 or float64, got " +
                    std::string(to_string(options.dtype)));
  }
  Tensor result = detail::make_tensor({shape, options.dtype});
  if (options.dtype == DType::float32) {
    draw(result.data<float>(), result.numel());
  } else {
    draw(result.data<double>(), result.numel());
  }
  return with_grad(std::move(result), options);
}

}  // namespace

Tensor empty(const Shape& shape, const TensorOptions& options) {
  return with_grad(detail::make_tensor({shape, options.dtype}), options);
}

Tensor full(const Shape& shape, double value, const TensorOptions& options) {
  Tensor result = detail::make_tensor({shape, options.dtype});
  detail::fill(result, value);
  return with_grad(std::move(result), options);
}

Tensor zeros(const Shape& shape, const TensorOptions& options) { return full(shape, 0, options); }

Tensor ones(const Shape& shape, const TensorOptions& options) { return full(shape, 1, options); }

Tensor zeros_like(const Tensor& other) { return zeros(other.shape(), {.dtype = other.dtype()}); }

Tensor ones_like(const Tensor& other) { return ones(other.shape(), {.dtype = other.dtype()}); }

Tensor eye(std::int64_t n, const TensorOptions& options) {
  Tensor result = zeros({n, n}, {.dtype = options.dtype});
  visit_dtype(options.dtype, [&](auto zero) {
    using T = decltype(zero);
    T* values = result.data<T>();
    for (std::int64_t i = 0; i < n; ++i) values[i * (n + 1)] = convert<T>(1);
  });
  return with_grad(std::move(result), options);
}

Tensor arange(std::int64_t end) { return arange(0, static_cast<double>(end)); }

Tensor arange(double start, double end, double step, const TensorOptions& options) {
  if (!std::isfinite(start) || !std::isfinite(end) || !std::isfinite(step) || step == 0 || (end - start) / step < 0) {
    throw ValueError("arange: expected finite numbers with a step from start towards end, got start " +
                     std::to_string(start) + ", end " + std::to_string(end) + ", step " + std::to_string(step));
  }
  const double count = std::ceil((end - start) / step);
  if (count > 0x1p48) throw ShapeError("arange: expected at most 2^48 values, got " + std::to_string(count));
  Tensor result = detail::make_tensor({{static_cast<std::int64_t>(count)}, options.dtype});
  visit_dtype(options.dtype, [&](auto zero) {
    using T = decltype(zero);
    std::int64_t i = 0;
    for (T& value : result.span<T>()) value = convert<T>(start + step * static_cast<double>(i++));
  });
  return with_grad(std::move(result), options);
}

template <class T>
Tensor tensor(std::span<const T> values, const Shape& shape) {
  if (numel(shape) != static_cast<std::int64_t>(values.size())) {
    throw ShapeError("tensor: expected " + std::to_string(numel(shape)) + " values for shape " + to_string(shape) +
                     ", got " + std::to_string(values.size()));
  }
  Tensor result = detail::make_tensor({shape, dtype_of<T>});
  if (!values.empty()) std::memcpy(result.raw_data(), values.data(), values.size_bytes());
  return result;
}

template <class T>
Tensor tensor(std::initializer_list<std::initializer_list<T>> rows) {
  const std::size_t columns = rows.size() == 0 ? 0 : rows.begin()->size();
  Tensor result =
      detail::make_tensor({{static_cast<std::int64_t>(rows.size()), static_cast<std::int64_t>(columns)}, dtype_of<T>});
  T* out = result.data<T>();
  for (const std::initializer_list<T>& row : rows) {
    if (row.size() != columns) {
      throw ShapeError("tensor: expected rows of " + std::to_string(columns) + " values, got one of " +
                       std::to_string(row.size()));
    }
    out = std::copy(row.begin(), row.end(), out);
  }
  return result;
}

#define TEFF_INSTANTIATE(T)                                          \
  template Tensor tensor<T>(std::span<const T>, const Shape& shape); \
  template Tensor tensor<T>(std::initializer_list<std::initializer_list<T>>);
TEFF_INSTANTIATE(float)
TEFF_INSTANTIATE(double)
TEFF_INSTANTIATE(std::int64_t)
TEFF_INSTANTIATE(std::int32_t)
TEFF_INSTANTIATE(std::int16_t)
TEFF_INSTANTIATE(std::int8_t)
TEFF_INSTANTIATE(std::uint8_t)
TEFF_INSTANTIATE(bool)
TEFF_INSTANTIATE(Half)
TEFF_INSTANTIATE(BFloat16)
#undef TEFF_INSTANTIATE

Tensor rand(const Shape& shape, const TensorOptions& options) { return rand(shape, default_generator(), options); }

Tensor rand(const Shape& shape, Generator& generator, const TensorOptions& options) {
  return drawn(shape, options, "rand", [&](auto* out, std::int64_t n) { uniform_(out, n, 0, 1, generator); });
}

Tensor randn(const Shape& shape, const TensorOptions& options) { return randn(shape, default_generator(), options); }

Tensor randn(const Shape& shape, Generator& generator, const TensorOptions& options) {
  return drawn(shape, options, "randn", [&](auto* out, std::int64_t n) { normal_(out, n, 0, 1, generator); });
}

Tensor randint(std::int64_t low, std::int64_t high, const Shape& shape) {
  return randint(low, high, shape, default_generator());
}

Tensor randint(std::int64_t low, std::int64_t high, const Shape& shape, Generator& generator) {
  Tensor result = detail::make_tensor({shape, DType::int64});
  random_(result.data<std::int64_t>(), result.numel(), low, high, generator);
  return result;
}

Tensor randperm(std::int64_t n) { return randperm(n, default_generator()); }

Tensor randperm(std::int64_t n, Generator& generator) {
  Tensor result = detail::make_tensor({{n}, DType::int64});
  randperm(result.data<std::int64_t>(), n, generator);
  return result;
}

}  // namespace teff

// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <type_traits>
#include <utility>

#include "teff/engine/convert.h"
#include "teff/engine/error.h"
#include "teff/engine/error_text.h"
#include "teff/engine/random.h"
#include "teff/engine/tensor.h"
#include "teff/engine/tensor_impl.h"

namespace teff {
namespace {

using detail::with_name;

/// An uninitialised tensor, for `function`.
Tensor made_for(const char* function, const TensorType& type) {
  return with_name(function, [&] { return detail::make_tensor(type); });
}

/// A number stands for all elements, so it must not become another one silently, but for its fraction.
template <class Number>
Tensor filled(const char* function, const Shape& shape, Number value, const TensorOptions& options) {
  Tensor result = made_for(function, {shape, options.dtype});
  detail::check_fill(function, value, options.dtype);
  if constexpr (std::is_integral_v<Number>) {
    detail::fill_whole(result, value);
  } else {
    detail::fill(result, value);
  }
  if (options.requires_grad) result.requires_grad_();
  return result;
}

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
  Tensor result = made_for(function, {shape, options.dtype});
  if (options.dtype == DType::float32) {
    draw(result.data<float>(), result.numel());
  } else {
    draw(result.data<double>(), result.numel());
  }
  return with_grad(std::move(result), options);
}

}  // namespace

Tensor empty(const Shape& shape, const TensorOptions& options) {
  return with_grad(made_for("empty", {shape, options.dtype}), options);
}

Tensor full(const Shape& shape, double value, const TensorOptions& options) {
  return filled("full", shape, value, options);
}

Tensor detail::full_of(const Shape& shape, Integer value, const TensorOptions& options) {
  return filled("full", shape, static_cast<std::int64_t>(value), options);
}

Tensor zeros(const Shape& shape, const TensorOptions& options) { return filled("zeros", shape, 0.0, options); }

Tensor ones(const Shape& shape, const TensorOptions& options) { return filled("ones", shape, 1.0, options); }

Tensor zeros_like(const Tensor& other) {
  const TensorType type = with_name("zeros_like", [&] { return other.type(); });
  return zeros(type.shape, {.dtype = type.dtype});
}

Tensor ones_like(const Tensor& other) {
  const TensorType type = with_name("ones_like", [&] { return other.type(); });
  return ones(type.shape, {.dtype = type.dtype});
}

Tensor eye(Integer n, const TensorOptions& options) {
  Tensor result = filled("eye", {n, n}, 0.0, {.dtype = options.dtype});
  visit_dtype(options.dtype, [&](auto zero) {
    using T = decltype(zero);
    T* values = result.data<T>();
    for (std::int64_t i = 0; i < n; ++i) values[i * (n + 1)] = convert<T>(1);
  });
  return with_grad(std::move(result), options);
}

namespace {

/// start, start + step, ..., `count` of them, by value(i).
template <class Value>
Tensor sequence(double count, DType dtype, const Value& value) {
  if (count > 0x1p48) throw ShapeError("arange: expected at most 2^48 values, got " + std::to_string(count));
  if (dtype == DType::bool_) throw TypeError("arange: expected a dtype of numbers, got bool");
  Tensor result = detail::make_tensor({Shape{static_cast<std::int64_t>(count)}, dtype});
  visit_dtype(dtype, [&](auto zero) {
    using T = decltype(zero);
    std::int64_t i = 0;
    for (T& element : result.span<T>()) {
      const auto exact = value(i++);
      element = convert<T>(exact);
      if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool> && std::is_integral_v<decltype(value(0))>) {
        if (!std::in_range<T>(exact)) {
          throw ValueError("arange: expected numbers in the range of " + std::string(to_string(dtype)) + ", got " +
                           std::to_string(exact));
        }
      }
    }
  });
  return result;
}

[[noreturn]] void refuse_range(const std::string& start, const std::string& end, const std::string& step) {
  throw ValueError("arange: expected finite numbers with a step from start towards end, got start " + start + ", end " +
                   end + ", step " + step);
}

}  // namespace

Tensor detail::arange_of_whole(std::int64_t start, std::int64_t end, std::int64_t step, std::optional<DType> dtype) {
  if (step == 0 || (end != start && (end > start) != (step > 0))) {
    refuse_range(std::to_string(start), std::to_string(end), std::to_string(step));
  }
  // Unsigned: the distance between two numbers may be 2^64 - 1.
  const auto first = static_cast<std::uint64_t>(start), last = static_cast<std::uint64_t>(end);
  const std::uint64_t distance = step > 0 ? last - first : first - last;
  const std::uint64_t size = step > 0 ? static_cast<std::uint64_t>(step) : 0 - static_cast<std::uint64_t>(step);
  const std::uint64_t count = distance == 0 ? 0 : (distance - 1) / size + 1;
  return sequence(static_cast<double>(count), dtype.value_or(DType::int64), [=](std::int64_t i) {
    return static_cast<std::int64_t>(first + static_cast<std::uint64_t>(step) * static_cast<std::uint64_t>(i));
  });
}

Tensor detail::arange_of_any(double start, double end, double step, std::optional<DType> dtype) {
  const double count = std::ceil((end - start) / step);
  if (!std::isfinite(start) || !std::isfinite(end) || !std::isfinite(step) || step == 0 || (end - start) / step < 0) {
    refuse_range(std::to_string(start), std::to_string(end), std::to_string(step));
  }
  const DType type = dtype.value_or(DType::float32);
  const bool are_whole = std::trunc(start) == start && std::trunc(step) == step && std::abs(start) < 0x1p53 &&
                         std::abs(step) < 0x1p53 && std::abs(end) < 0x1p53;
  if (is_floating_point(type) || !are_whole) {
    if (!is_floating_point(type)) {
      throw ValueError("arange: expected whole numbers below 2^53 for " + std::string(to_string(type)) +
                       ", got start " + std::to_string(start) + ", end " + std::to_string(end) + ", step " +
                       std::to_string(step));
    }
    return sequence(count, type, [=](std::int64_t i) { return start + step * static_cast<double>(i); });
  }
  return sequence(count, type, [=](std::int64_t i) {
    return static_cast<std::int64_t>(start) + static_cast<std::int64_t>(step) * i;
  });
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

template <>
Tensor tensor<detail::AnyNumber>(std::span<const detail::AnyNumber> values, const Shape& shape) {
  using Kind = detail::AnyNumber::Kind;
  const auto any = [&](Kind kind) {
    return std::any_of(values.begin(), values.end(), [=](const detail::AnyNumber& n) { return n.kind == kind; });
  };
  const auto of = [&](auto zero, const auto& element) {
    const std::unique_ptr<decltype(zero)[]> converted(new decltype(zero)[values.size()]);
    std::transform(values.begin(), values.end(), converted.get(), element);
    return tensor<decltype(zero)>(std::span<const decltype(zero)>(converted.get(), values.size()), shape);
  };
  if (values.empty() || any(Kind::fraction)) {
    return of(float{}, [](const detail::AnyNumber& n) {
      return n.kind == Kind::fraction ? static_cast<float>(n.fraction) : static_cast<float>(n.whole);
    });
  }
  if (any(Kind::whole)) return of(std::int64_t{}, [](const detail::AnyNumber& n) { return n.whole; });
  return of(bool{}, [](const detail::AnyNumber& n) { return n.whole != 0; });
}

void detail::refuse_value(std::int64_t value, std::size_t bytes, bool is_signed) {
  throw ValueError("tensor: expected whole numbers of " + std::to_string(8 * bytes) + " bits" +
                   (is_signed ? "" : " without a sign") + ", got " + std::to_string(value));
}

void detail::refuse_rows(const Shape& first, const Shape& other) {
  if (first.size() == 1 && other.size() == 1) {
    throw ShapeError("tensor: expected rows of " + std::to_string(first[0]) + " values, got one of " +
                     std::to_string(other[0]));
  }
  throw ShapeError("tensor: expected parts of equal shape, got " + to_string(first) + " and " + to_string(other));
}

#define TEFF_INSTANTIATE(T) template Tensor tensor<T>(std::span<const T>, const Shape& shape);
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
TEFF_INSTANTIATE(std::uint16_t)
TEFF_INSTANTIATE(std::uint32_t)
TEFF_INSTANTIATE(std::uint64_t)
TEFF_INSTANTIATE(Float8E4M3FN)
TEFF_INSTANTIATE(Float8E5M2)
#undef TEFF_INSTANTIATE

Tensor rand(const Shape& shape, const TensorOptions& options) { return rand(shape, default_generator(), options); }

Tensor rand(const Shape& shape, Generator& generator, const TensorOptions& options) {
  return drawn(shape, options, "rand", [&](auto* out, std::int64_t n) { uniform_(out, n, 0, 1, generator); });
}

Tensor randn(const Shape& shape, const TensorOptions& options) { return randn(shape, default_generator(), options); }

Tensor randn(const Shape& shape, Generator& generator, const TensorOptions& options) {
  return drawn(shape, options, "randn", [&](auto* out, std::int64_t n) { normal_(out, n, 0, 1, generator); });
}

Tensor randint(Integer low, Integer high, const Shape& shape) { return randint(low, high, shape, default_generator()); }

Tensor randint(Integer low, Integer high, const Shape& shape, Generator& generator) {
  Tensor result = made_for("randint", {shape, DType::int64});
  with_name("randint", [&] { random_(result.data<std::int64_t>(), result.numel(), low, high, generator); });
  return result;
}

Tensor randperm(Integer n) { return randperm(n, default_generator()); }

Tensor randperm(Integer n, Generator& generator) {
  Tensor result = made_for("randperm", {{n}, DType::int64});
  randperm(result.data<std::int64_t>(), n, generator);
  return result;
}

}  // namespace teff

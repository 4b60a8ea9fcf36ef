// SPDX-License-Identifier: MIT
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

#include "teff/engine/autograd.h"
#include "teff/engine/convert.h"
#include "teff/engine/error_text.h"
#include "teff/engine/graph.h"
#include "teff/engine/ops.h"
#include "teff/engine/ops/checks.h"
#include "teff/engine/random.h"
#include "teff/engine/tensor.h"
#include "teff/engine/tensor_impl.h"

namespace teff {
namespace {

/// Draws into a float32 or float64 tensor.
template <class Draw>
void draw_into(const char* function, const Tensor& tensor, Draw&& draw) {
  detail::check_in_place(function, tensor);
  if (!is_computable(tensor.dtype())) {
    throw TypeError(std::string(function) + ": expected a tensor of dtype float32 or float64, got " +
                    detail::describe(tensor.type()));
  }
  if (tensor.dtype() == DType::float32) {
    draw(tensor.data<float>(), tensor.numel());
  } else {
    draw(tensor.data<double>(), tensor.numel());
  }
  detail::begin_in_place(function, tensor);  // if the numbers were refused nothing has changed
}

/// Reading a value while capturing would freeze it into the graph.
void check_read(const char* function, const Tensor& tensor, bool is_one) {
  const std::string name = function;
  if (!tensor.defined()) throw TypeError(name + ": expected a defined tensor, got an undefined one");
  if (is_one && tensor.numel() != 1) {
    throw ShapeError(name + ": expected a tensor of one element, got " + detail::describe(tensor.type()));
  }
  if (is_capturing()) {
    throw Error(name + ": expected no value to be read while a graph is captured: what depends on it would be frozen; "
                       "compute with tensors instead");
  }
}

}  // namespace

void detail::check_readable(const Tensor& tensor) { check_read("tolist", tensor, false); }

template <class T>
T Tensor::item_as() const {
  check_read("item", *this, true);
  return visit_dtype(dtype(), [&](auto zero) { return convert<T>(*data<decltype(zero)>()); });
}

template float Tensor::item_as() const;
template double Tensor::item_as() const;
template Half Tensor::item_as() const;
template BFloat16 Tensor::item_as() const;
template Float8E4M3FN Tensor::item_as() const;
template Float8E5M2 Tensor::item_as() const;
template bool Tensor::item_as() const;
template std::int8_t Tensor::item_as() const;
template std::int16_t Tensor::item_as() const;
template std::int32_t Tensor::item_as() const;
template std::int64_t Tensor::item_as() const;
template std::uint8_t Tensor::item_as() const;
template std::uint16_t Tensor::item_as() const;
template std::uint32_t Tensor::item_as() const;
template std::uint64_t Tensor::item_as() const;

namespace {

/// What is to be written over the elements of `target`: of its shape.
Tensor spread(const char* function, const Tensor& source, const Tensor& target) {
  if (!source.defined()) {
    throw TypeError(std::string(function) + ": expected defined tensors, got an undefined one as source");
  }
  if (source.shape() == target.shape()) return source;
  const NoGradGuard no_grad;
  return detail::with_name(function, [&] { return expand(source, target.shape()); });
}

void write(const char* function, const Tensor& values, const Tensor& target) {
  const void* source = values.raw_data();  // throws if there are none
  detail::begin_in_place(function, target);
  if (values.dtype() == target.dtype()) {
    if (target.nbytes() > 0) std::memmove(target.raw_data(), source, target.nbytes());
    return;
  }
  convert_elements(source, values.dtype(), target.raw_data(), target.dtype(), target.numel());
}

template <class Number>
void fill_converted(const Tensor& tensor, Number value) {
  visit_dtype(tensor.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const T converted = convert<T>(value);
    for (T& element : tensor.span<T>()) element = converted;
  });
}

template <class Number>
void fill_all(const char* function, const Tensor& tensor, Number value) {
  detail::check_in_place(function, tensor);
  detail::check_fill(function, value, tensor.dtype());
  detail::begin_in_place(function, tensor);
  fill_converted(tensor, value);
}

std::string text_of(double value) { return ops::text(value); }
std::string text_of(std::int64_t value) { return std::to_string(value); }

template <class Number>
void check_number(const char* function, Number value, DType dtype) {
  visit_dtype(dtype, [&](auto zero) {
    using T = decltype(zero);
    if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) {
      bool fits;
      if constexpr (std::is_integral_v<Number>) {
        fits = std::in_range<T>(value);
      } else {  // 2^digits is the first value above the range, and a double exactly
        const double whole = std::trunc(value), limit = std::ldexp(1.0, std::numeric_limits<T>::digits);
        fits = whole < limit && whole >= (std::is_signed_v<T> ? -limit : 0.0);
      }
      if (!fits) {
        throw ValueError(std::string(function) + ": expected a value in the range of " + std::string(to_string(dtype)) +
                         ", got " + text_of(value));
      }
    }
  });
}

}  // namespace

const Tensor& Tensor::copy_(const Tensor& source) const {
  detail::check_in_place("copy_", *this);
  write("copy_", spread("copy_", source, *this), *this);
  return *this;
}

void detail::assign(const char* function, const Tensor& values, const Tensor& target) {
  write(function, spread(function, values, target), target);
}

void detail::fill(const Tensor& tensor, double value) { fill_converted(tensor, value); }
void detail::fill_whole(const Tensor& tensor, std::int64_t value) { fill_converted(tensor, value); }
void detail::check_fill(const char* function, double value, DType dtype) { check_number(function, value, dtype); }
void detail::check_fill(const char* function, std::int64_t value, DType dtype) { check_number(function, value, dtype); }

const Tensor& Tensor::fill_(double value) const {
  fill_all("fill_", *this, value);
  return *this;
}

const Tensor& Tensor::fill_with(Integer value) const {
  fill_all("fill_", *this, static_cast<std::int64_t>(value));
  return *this;
}

const Tensor& Tensor::zero_() const {
  fill_all("zero_", *this, 0.0);
  return *this;
}

const Tensor& Tensor::uniform_(double from, double to) const { return uniform_(from, to, default_generator()); }

const Tensor& Tensor::uniform_(double from, double to, Generator& generator) const {
  draw_into("uniform_", *this, [&](auto* out, std::int64_t n) { teff::uniform_(out, n, from, to, generator); });
  return *this;
}

const Tensor& Tensor::normal_(double mean, double std) const { return normal_(mean, std, default_generator()); }

const Tensor& Tensor::normal_(double mean, double std, Generator& generator) const {
  draw_into("normal_", *this, [&](auto* out, std::int64_t n) { teff::normal_(out, n, mean, std, generator); });
  return *this;
}

const Tensor& Tensor::bernoulli_(double p) const { return bernoulli_(p, default_generator()); }

const Tensor& Tensor::bernoulli_(double p, Generator& generator) const {
  draw_into("bernoulli_", *this, [&](auto* out, std::int64_t n) { teff::bernoulli_(out, n, p, generator); });
  return *this;
}

}  // namespace teff

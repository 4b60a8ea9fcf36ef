// SPDX-License-Identifier: MIT
#include <cstring>

#include "teff/engine/autograd.h"
#include "teff/engine/convert.h"
#include "teff/engine/graph.h"
#include "teff/engine/ops.h"
#include "teff/engine/random.h"
#include "teff/engine/tensor.h"
#include "teff/engine/tensor_impl.h"

namespace teff {
namespace {

template <class To, class From>
void convert_all(const From* from, To* to, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) to[i] = convert<To>(from[i]);
}

/// Draws into a float32 or float64 tensor.
template <class Draw>
void draw_into(const char* function, const Tensor& tensor, Draw&& draw) {
  if (!is_computable(tensor.dtype())) {
    throw TypeError(std::string(function) + ": expected a tensor of dtype float32 or float64, got " +
                    detail::describe(tensor.type()));
  }
  detail::begin_in_place(function, tensor);
  if (tensor.dtype() == DType::float32) {
    draw(tensor.data<float>(), tensor.numel());
  } else {
    draw(tensor.data<double>(), tensor.numel());
  }
}

/// Reading a value while capturing would freeze it into the graph.
void check_item(const Tensor& tensor) {
  if (tensor.numel() != 1) {
    throw ShapeError("item: expected a tensor of one element, got " + detail::describe(tensor.type()));
  }
  if (is_capturing()) {
    throw Error("item: expected no value to be read while a graph is captured: what depends on it would be frozen; "
                "compute with tensors instead");
  }
}

}  // namespace

double Tensor::item_as_double() const {
  check_item(*this);
  return visit_dtype(dtype(), [&](auto zero) { return convert<double>(*data<decltype(zero)>()); });
}

std::int64_t Tensor::item_as_int64() const {
  check_item(*this);
  return visit_dtype(dtype(), [&](auto zero) { return convert<std::int64_t>(*data<decltype(zero)>()); });
}

const Tensor& Tensor::copy_(const Tensor& source) const {
  detail::begin_in_place("copy_", *this);
  if (source.shape() != shape()) {
    NoGradGuard no_grad;
    return copy_(expand(source, shape()));
  }
  if (source.dtype() == dtype()) {
    if (nbytes() > 0) std::memmove(raw_data(), source.raw_data(), nbytes());
    return *this;
  }
  visit_dtype(dtype(), [&](auto to) {
    visit_dtype(source.dtype(),
                [&](auto from) { convert_all(source.data<decltype(from)>(), data<decltype(to)>(), numel()); });
  });
  return *this;
}

void detail::fill(const Tensor& tensor, double value) {
  visit_dtype(tensor.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const T converted = convert<T>(value);
    for (T& element : tensor.span<T>()) element = converted;
  });
}

const Tensor& Tensor::fill_(double value) const {
  detail::begin_in_place("fill_", *this);
  detail::fill(*this, value);
  return *this;
}

const Tensor& Tensor::add_(const Tensor& other, double alpha) const {
  detail::begin_in_place("add_", *this);
  NoGradGuard no_grad;
  return copy_(add(*this, alpha == 1 ? other : mul(other, alpha)));
}

const Tensor& Tensor::mul_(const Tensor& other) const {
  detail::begin_in_place("mul_", *this);
  NoGradGuard no_grad;
  return copy_(mul(*this, other));
}

const Tensor& Tensor::mul_(double factor) const {
  detail::begin_in_place("mul_", *this);
  NoGradGuard no_grad;
  return copy_(mul(*this, factor));
}

const Tensor& Tensor::div_(const Tensor& other) const {
  detail::begin_in_place("div_", *this);
  NoGradGuard no_grad;
  return copy_(div(*this, other));
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

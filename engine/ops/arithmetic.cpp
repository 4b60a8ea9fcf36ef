// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cstdint>
#include <type_traits>

#include "teff/engine/ops/arithmetic.h"
#include "teff/engine/ops/broadcast.h"
#include "teff/engine/ops/dispatch.h"
#include "teff/engine/tensor_impl.h"

namespace teff::ops {
namespace {

using kernels::Binary;

/// Integers wrap around, as in PyTorch.
template <class Function>
void map_integers(std::int64_t n, const std::int64_t* a, int a_step, const std::int64_t* b, int b_step,
                  std::int64_t* out, Function function) {
  for (std::int64_t i = 0; i < n; ++i) {
    out[i] = static_cast<std::int64_t>(
        function(static_cast<std::uint64_t>(a[i * a_step]), static_cast<std::uint64_t>(b[i * b_step])));
  }
}

void run(Binary op, std::int64_t n, const std::int64_t* a, int a_step, const std::int64_t* b, int b_step,
         std::int64_t* out) {
  const auto map = [=](auto function) { map_integers(n, a, a_step, b, b_step, out, function); };
  const auto less = [](std::uint64_t u, std::uint64_t v) {
    return static_cast<std::int64_t>(u) < static_cast<std::int64_t>(v);
  };
  switch (op) {
    case Binary::add:
      return map([](std::uint64_t u, std::uint64_t v) { return u + v; });
    case Binary::sub:
      return map([](std::uint64_t u, std::uint64_t v) { return u - v; });
    case Binary::mul:
      return map([](std::uint64_t u, std::uint64_t v) { return u * v; });
    case Binary::maximum:
      return map([less](std::uint64_t u, std::uint64_t v) { return less(u, v) ? v : u; });
    case Binary::minimum:
      return map([less](std::uint64_t u, std::uint64_t v) { return less(u, v) ? u : v; });
    case Binary::div:
    case Binary::pow:
      break;  // refused by their output_type
  }
}

template <class T>
void run(Binary op, std::int64_t n, const T* a, int a_step, const T* b, int b_step, T* out) {
  kernels::table<T>().binary(op, n, a, a_step, b, b_step, out);
}

}  // namespace

Tensor compute(Binary op, const Tensor& a, const Tensor& b, const TensorType& type) {
  Tensor result = detail::make_tensor(type);
  visit_numeric(type.dtype, [&](auto zero) {
    using T = decltype(zero);
    const T *a_data = a.data<T>(), *b_data = b.data<T>();
    T* out = result.data<T>();
    Broadcast(type.shape, a.shape(), b.shape()).for_each_run([=](const BroadcastRun& r) {
      run(op, r.count, a_data + r.a_begin, r.a_step, b_data + r.b_begin, r.b_step, out + r.out_begin);
    });
  });
  return result;
}

void compute(Binary op, const Tensor& x, double value, const Tensor& result) {
  visit_numeric(x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const T scalar = static_cast<T>(value);
    run(op, x.numel(), static_cast<const T*>(x.data<T>()), 1, &scalar, 0, result.data<T>());
  });
}

void compute(Binary op, double value, const Tensor& x, const Tensor& result) {
  visit_numeric(x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const T scalar = static_cast<T>(value);
    run(op, x.numel(), &scalar, 0, static_cast<const T*>(x.data<T>()), 1, result.data<T>());
  });
}

}  // namespace teff::ops

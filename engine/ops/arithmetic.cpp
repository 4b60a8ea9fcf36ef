// SPDX-License-Identifier: MIT
#include "teff/engine/ops/arithmetic.h"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <type_traits>

#include "teff/engine/kernels/rows/rows_kernels.h"
#include "teff/engine/ops/broadcast.h"
#include "teff/engine/ops/dispatch.h"

namespace teff::ops {
namespace {

using kernels::Binary;

template <class T, class Function>
void map(std::int64_t n, const T* a, int a_step, const T* b, int b_step, T* out, Function function) {
  if (a_step == 1 && b_step == 1) {
    for (std::int64_t i = 0; i < n; ++i) out[i] = function(a[i], b[i]);
  } else {
    for (std::int64_t i = 0; i < n; ++i) out[i] = function(a[i * a_step], b[i * b_step]);
  }
}

/// Integers wrap around, as in PyTorch.
template <class Function>
auto wrapping(Function function) {
  return [function](std::int64_t a, std::int64_t b) {
    return static_cast<std::int64_t>(function(static_cast<std::uint64_t>(a), static_cast<std::uint64_t>(b)));
  };
}

void run(Binary op, std::int64_t n, const std::int64_t* a, int a_step, const std::int64_t* b, int b_step,
         std::int64_t* out) {
  const auto with = [=](auto function) { map(n, a, a_step, b, b_step, out, function); };
  switch (op) {
    case Binary::add:
      return with(wrapping(std::plus()));
    case Binary::sub:
      return with(wrapping(std::minus()));
    case Binary::mul:
      return with(wrapping(std::multiplies()));
    case Binary::maximum:
      return with([](std::int64_t u, std::int64_t v) { return std::max(u, v); });
    case Binary::minimum:
      return with([](std::int64_t u, std::int64_t v) { return std::min(u, v); });
    case Binary::div:
    case Binary::pow:
    case Binary::prelu:
    case Binary::prelu_slope:
      break;  // refused by their output_type
  }
}

constexpr std::int64_t kShort = 32;  // below this a call of a kernel takes longer than the work

template <class T>
void run(Binary op, std::int64_t n, const T* a, int a_step, const T* b, int b_step, T* out) {
  const auto with = [=](auto function) { map(n, a, a_step, b, b_step, out, function); };
  if (n < kShort && op == Binary::add) return with(std::plus());
  if (n < kShort && op == Binary::sub) return with(std::minus());
  if (n < kShort && op == Binary::mul) return with(std::multiplies());
  if (n < kShort && op == Binary::div) return with(std::divides());
  kernels::elementwise_kernels<T>().binary(op, n, a, a_step, b, b_step, out);
}

}  // namespace

void compute(Binary op, const Tensor& a, const Tensor& b, const Tensor& result) {
  visit_numeric(result.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const T *a_data = a.data<T>(), *b_data = b.data<T>();
    T* out = result.data<T>();
    Broadcast(result.shape(), a.shape(), b.shape()).for_each_run([=](const BroadcastRun& r) {
      run(op, r.count, a_data + r.a_begin, r.a_step, b_data + r.b_begin, r.b_step, out + r.out_begin);
    });
  });
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

template <class T>
T sum(std::int64_t count, const T* x) {
  T result = 0;
  if (count > 0) kernels::reduce_kernels<T>().sum(1, count, 1, x, &result);
  return result;
}
template float sum(std::int64_t, const float*);
template double sum(std::int64_t, const double*);

}  // namespace teff::ops

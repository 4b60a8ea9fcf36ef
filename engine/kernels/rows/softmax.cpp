// SPDX-License-Identifier: MIT
#include "teff/engine/kernels/isa/packet_math.h"
#include "teff/engine/kernels/isa/reductions.h"
#include "teff/engine/kernels/isa/tables.h"
#include "teff/engine/kernels/rows/rows_kernels.h"

namespace teff::kernels::TEFF_ISA {
namespace {

// m = max(x), s = sum(exp(x - m));  softmax: y = exp(x - m) / s;  log_softmax: y = x - m - log(s).
// Lanes beyond the end of a row hold -inf, whose exponential is 0. The maximum may miss a NaN: the sum does
// not.

constexpr int64_t kShortRow = 4;  // packets

template <class P>
P plain_max(P a, P b) {
  return Eigen::internal::pmax(a, b);
}

/// A row of a few packets, such as the ten classes of a small network: x is read once, y not at all.
template <bool kLog, class T>
void short_row(int64_t n, const T* x, T* y) {
  constexpr int64_t lanes = kLanes<T>;
  const int64_t packets = ceil_div(n, lanes);
  Packet<T> shifted[kShortRow], exponential[kShortRow];
  Packet<T> m = splat(-kInfinity<T>), sums = splat(T(0));
  for (int64_t k = 0; k < packets; ++k) {
    shifted[k] = load_some(x, k * lanes, smaller(lanes, n - k * lanes), -kInfinity<T>);
    m = plain_max(m, shifted[k]);
  }
  m = splat(Eigen::internal::predux_max(m));
  for (int64_t k = 0; k < packets; ++k) {
    shifted[k] = psub(shifted[k], m);
    exponential[k] = packet_exp<T>(shifted[k]);
    sums = padd(sums, exponential[k]);
  }
  Packet<T> total = splat(sum_lanes<T>(sums));
  if constexpr (kLog) total = packet_log<T>(total);
  for (int64_t k = 0; k < packets; ++k) {
    const Packet<T> result = kLog ? psub(shifted[k], total) : pdiv(exponential[k], total);
    store_some(y, k * lanes, smaller(lanes, n - k * lanes), result);
  }
}

template <class T>
T row_max(int64_t n, const T* x) {
  Packet<T> m = splat(-kInfinity<T>);
  int64_t i = 0;
  for (; i + kLanes<T> <= n; i += kLanes<T>) m = plain_max(m, load(x, i));
  if (i < n) m = plain_max(m, load_part(x, i, n - i, -kInfinity<T>));
  return Eigen::internal::predux_max(m);
}

template <bool kLog, class T>
void row(int64_t n, const T* x, T* y) {
  constexpr int64_t lanes = kLanes<T>;
  if (n <= kShortRow * lanes) return short_row<kLog>(n, x, y);
  const Packet<T> m = splat(row_max(n, x));
  Packet<T> sums = splat(T(0));
  const auto exponential = [&](int64_t i, int64_t count) {
    const Packet<T> e = packet_exp<T>(psub(load_some(x, i, count, -kInfinity<T>), m));
    sums = padd(sums, e);
    if constexpr (!kLog) store_some(y, i, count, e);
  };
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) exponential(i, lanes);
  if (i < n) exponential(i, n - i);
  const T total = sum_lanes<T>(sums);
  if constexpr (kLog) {
    const Packet<T> log_total = packet_log<T>(splat(total));
    map(
        0, n, y, [=](Packet<T> v) { return psub(psub(v, m), log_total); }, x);
  } else {
    const Packet<T> divisor = splat(total);
    map(
        0, n, y, [=](Packet<T> e) { return pdiv(e, divisor); }, static_cast<const T*>(y));
  }
}

/// `count` neighbouring columns of x [n, inner].
template <bool kLog, class T>
void columns(int64_t n, int64_t inner, int64_t count, const T* x, T* y) {
  Packet<T> m = splat(-kInfinity<T>), sums = splat(T(0));
  for (int64_t r = 0; r < n; ++r) m = plain_max(m, load_some(x, r * inner, count));
  for (int64_t r = 0; r < n; ++r) {
    const Packet<T> e = packet_exp<T>(psub(load_some(x, r * inner, count), m));
    sums = padd(sums, e);
    if constexpr (!kLog) store_some(y, r * inner, count, e);
  }
  if constexpr (kLog) sums = packet_log<T>(sums);
  for (int64_t r = 0; r < n; ++r) {
    if constexpr (kLog) {
      store_some(y, r * inner, count, psub(psub(load_some(x, r * inner, count), m), sums));
    } else {
      store_some(y, r * inner, count, pdiv(load_some(y, r * inner, count), sums));
    }
  }
}

/// softmax: dx = y * (dy - sum(dy * y));  log_softmax: dx = dy - exp(y) * sum(dy)
template <bool kLog, class T>
Packet<T> term(Packet<T> g, Packet<T> y) {
  if constexpr (kLog) return g;
  return pmul(g, y);
}
template <bool kLog, class T>
Packet<T> derivative(Packet<T> g, Packet<T> y, Packet<T> total) {
  if constexpr (kLog) return psub(g, pmul(packet_exp<T>(y), total));
  return pmul(y, psub(g, total));
}

template <bool kLog, class T>
void backward_row(int64_t n, const T* grad, const T* y, T* grad_x) {
  using P = Packet<T>;
  const auto product = [](P g, P v) { return term<kLog, T>(g, v); };
  const P total = splat(reduce_row<Sum, T>(0, n, 0, product, grad, y));
  const auto run = [=](P g, P v) { return derivative<kLog, T>(g, v, total); };
  if (n > kLanes<T>) return map(0, n, grad_x, run, grad, y);
  store_some(grad_x, 0, n, run(load_some(grad, 0, n), load_some(y, 0, n)));
}

template <bool kLog, class T>
void backward_columns(int64_t n, int64_t inner, int64_t count, const T* grad, const T* y, T* grad_x) {
  Packet<T> total = splat(T(0));
  for (int64_t i = 0; i < n * inner; i += inner) {
    total = padd(total, term<kLog, T>(load_some(grad, i, count), load_some(y, i, count)));
  }
  for (int64_t i = 0; i < n * inner; i += inner) {
    const Packet<T> g = load_some(grad, i, count);
    store_some(grad_x, i, count, derivative<kLog, T>(g, load_some(y, i, count), total));
  }
}

/// Calls row(offset) for every row of [outer, n] or columns(offset, count) for every packet of columns of
/// [outer, n, inner].
template <class T, class Row, class Columns>
void for_each(int64_t outer, int64_t n, int64_t inner, const Row& row_task, const Columns& columns_task) {
  if (n == 0) return;
  if (inner == 1) {
    return parallel_ranges(outer, larger(1, kGrain / n), [&](int64_t begin, int64_t end) {
      for (int64_t o = begin; o < end; ++o) row_task(o * n);
    });
  }
  const int64_t packets = ceil_div(inner, kLanes<T>);
  parallel_ranges(outer * packets, larger(1, kGrain / (n * kLanes<T>)), [&](int64_t begin, int64_t end) {
    for (int64_t task = begin; task < end; ++task) {
      const int64_t column = task % packets * kLanes<T>;
      columns_task(task / packets * n * inner + column, smaller(kLanes<T>, inner - column));
    }
  });
}

template <bool kLog, class T>
void forward(int64_t outer, int64_t n, int64_t inner, const T* x, T* y) {
  for_each<T>(
      outer, n, inner, [=](int64_t i) { row<kLog>(n, x + i, y + i); },
      [=](int64_t i, int64_t count) { columns<kLog>(n, inner, count, x + i, y + i); });
}

template <bool kLog, class T>
void backward(int64_t outer, int64_t n, int64_t inner, const T* grad, const T* y, T* grad_x) {
  for_each<T>(
      outer, n, inner, [=](int64_t i) { backward_row<kLog>(n, grad + i, y + i, grad_x + i); },
      [=](int64_t i, int64_t count) { backward_columns<kLog>(n, inner, count, grad + i, y + i, grad_x + i); });
}

template <class T>
void softmax(int64_t outer, int64_t n, int64_t inner, const T* x, T* y) {
  forward<false>(outer, n, inner, x, y);
}

template <class T>
void log_softmax(int64_t outer, int64_t n, int64_t inner, const T* x, T* y) {
  forward<true>(outer, n, inner, x, y);
}

template <class T>
void softmax_backward(int64_t outer, int64_t n, int64_t inner, const T* grad, const T* y, T* grad_x) {
  backward<false>(outer, n, inner, grad, y, grad_x);
}

template <class T>
void log_softmax_backward(int64_t outer, int64_t n, int64_t inner, const T* grad, const T* y, T* grad_x) {
  backward<true>(outer, n, inner, grad, y, grad_x);
}

}  // namespace

extern constinit const Tables<SoftmaxKernels> softmax_tables =
    make_tables<SoftmaxKernels>([]<class T>(T) -> SoftmaxKernels<T> {
      return {.softmax = softmax<T>,
              .log_softmax = log_softmax<T>,
              .softmax_backward = if_training(softmax_backward<T>),
              .log_softmax_backward = if_training(log_softmax_backward<T>)};
    });

}  // namespace teff::kernels::TEFF_ISA

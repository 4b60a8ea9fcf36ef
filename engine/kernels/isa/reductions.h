// SPDX-License-Identifier: MIT
#pragma once

// Reductions of packets, of rows (contiguous values) and of columns (values one row length apart).

#include <cstdint>
#include <type_traits>

#include "teff/engine/kernels/isa/vectorized.h"

namespace teff::kernels::TEFF_ISA {

struct Sum {
  template <class T>
  static constexpr T kIdentity = 0;
  template <class P>
  static P join(P a, P b) {
    return padd(a, b);
  }
  template <class T>
  static T join_scalars(T a, T b) {
    return a + b;
  }
};

/// NaN wins, from whichever side it comes.
struct Max {
  template <class T>
  static constexpr T kIdentity = -kInfinity<T>;
  template <class P>
  static P join(P a, P b) {
    return maximum(a, b);
  }
  template <class T>
  static T join_scalars(T a, T b) {
    return static_cast<int>(b > a) | static_cast<int>(b != b) ? b : a;
  }
};

struct Min {
  template <class T>
  static constexpr T kIdentity = kInfinity<T>;
  template <class P>
  static P join(P a, P b) {
    return minimum(a, b);
  }
  template <class T>
  static T join_scalars(T a, T b) {
    return static_cast<int>(b < a) | static_cast<int>(b != b) ? b : a;
  }
};

/// The sum of the lanes, by Eigen's shuffles.
template <class T>
T sum_lanes(Packet<T> p) {
  return Eigen::internal::predux(p);
}

/// All lanes joined in pairs.
template <class Op, class T>
T join_lanes(Packet<T> p) {
  if constexpr (std::is_same_v<Op, Sum>) return sum_lanes<T>(p);
  alignas(64) T lanes[kLanes<T>];
  pstore(lanes, p);
  for (int64_t half = kLanes<T> / 2; half > 0; half /= 2) {
    for (int64_t l = 0; l < half; ++l) lanes[l] = Op::join_scalars(lanes[l], lanes[l + half]);
  }
  return lanes[0];
}

constexpr int64_t kRowBlock = 2048;

/// f(in[i]...) joined over [begin, end) in four chains of packets. Inputs beyond the end count as `fill`, of
/// which f must make the identity.
template <class Op, class T, class F, class... In>
inline T reduce_block(int64_t begin, int64_t end, T fill, const F& f, In... in) {
  constexpr int64_t lanes = kLanes<T>;
  Packet<T> chain[4];
  for (Packet<T>& p : chain) p = splat(Op::template kIdentity<T>);
  int64_t i = begin;
  for (; i + 4 * lanes <= end; i += 4 * lanes) {
    for (int64_t k = 0; k < 4; ++k) chain[k] = Op::join(chain[k], f(load(in, i + k * lanes)...));
  }
  for (; i + lanes <= end; i += lanes) chain[0] = Op::join(chain[0], f(load(in, i)...));
  if (i < end) chain[1] = Op::join(chain[1], f(load_part(in, i, end - i, fill)...));
  return join_lanes<Op, T>(Op::join(Op::join(chain[0], chain[1]), Op::join(chain[2], chain[3])));
}

/// The same for a row of any length: blocks joined in pairs, so that the error of a sum grows with the
/// logarithm.
template <class Op, class T, class F, class... In>
[[gnu::noinline]] T reduce_row(int64_t begin, int64_t end, T fill, const F& f, In... in) {
  const int64_t blocks = ceil_div(end - begin, kRowBlock);
  if (blocks <= 1) return reduce_block<Op, T>(begin, end, fill, f, in...);
  const int64_t middle = begin + blocks / 2 * kRowBlock;
  const T first = reduce_row<Op, T>(begin, middle, fill, f, in...);
  return Op::join_scalars(first, reduce_row<Op, T>(middle, end, fill, f, in...));
}

template <class Op, class T>
T reduce_row(int64_t n, const T* x) {
  return reduce_row<Op, T>(
      0, n, Op::template kIdentity<T>, [](Packet<T> p) { return p; }, x);
}

}  // namespace teff::kernels::TEFF_ISA

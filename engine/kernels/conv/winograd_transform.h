// SPDX-License-Identifier: MIT
#pragma once

// Winograd's transforms for F(M x M, 3 x 3): M x M outputs of a 3 x 3 convolution from (M + 2)^2 products,
//
//     Y = A^T [(G w G^T) * (B^T d B)] A          (* element by element)
//
// The rows of the matrices belong to the points at which the polynomials behind them are evaluated: 0, 1, -1, infinity
// for M = 2, and 0, a, -a, b, -b, infinity with a = sqrt(1/2), b = sqrt(2) for M = 4. These make a third of the error
// of the usual 0, 1, -1, 2, -2 (Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", 2016). Each struct
// has the three one-dimensional transforms, on packets of independent values.

#include "teff/engine/kernels/gemm/gemm_micro.h"

namespace teff::kernels::TEFF_ISA {

template <class T, int M>
struct WinogradTransform;

template <class T>
struct WinogradTransform<T, 2> {
  using P = Packet<T>;

  static void input(P* d) {
    const P d1 = d[1], d2 = d[2];
    d[0] = psub(d2, d[0]);
    d[1] = padd(d2, d1);
    d[2] = psub(d2, d1);
    d[3] = psub(d[3], d1);
  }
  static void weight(const P* w, P* u) {
    const P half = splat(T(0.5)), even = pmul(half, padd(w[0], w[2])), odd = pmul(half, w[1]);
    u[0] = psub(splat(T(0)), w[0]);
    u[1] = padd(even, odd);
    u[2] = psub(even, odd);
    u[3] = w[2];
  }
  static void output(const P* m, P* y) {
    y[0] = padd(m[0], padd(m[1], m[2]));
    y[1] = padd(m[3], psub(m[1], m[2]));
  }
};

template <class T>
struct WinogradTransform<T, 4> {
  using P = Packet<T>;
  static constexpr T a = T(0.70710678118654752440), b = T(1.41421356237309504880);

  static void input(P* d) {
    const P d1 = d[1], d2 = d[2], d3 = d[3], d4 = d[4];
    const P minus_half = splat(T(-0.5)), minus_two = splat(T(-2)), minus_sum = splat(T(-2.5));
    d[0] = padd(pmadd(minus_sum, d2, d4), d[0]);
    d[5] = padd(pmadd(minus_sum, d3, d[5]), d1);
    const P even_a = pmadd(minus_two, d2, d4), odd_a = pmadd(minus_two, d1, d3);
    d[1] = pmadd(splat(a), odd_a, even_a);
    d[2] = pmadd(splat(-a), odd_a, even_a);
    const P even_b = pmadd(minus_half, d2, d4), odd_b = pmadd(minus_half, d1, d3);
    d[3] = pmadd(splat(b), odd_b, even_b);
    d[4] = pmadd(splat(-b), odd_b, even_b);
  }
  static void weight(const P* w, P* u) {
    const P scale_a = splat(T(-2.0 / 3)), scale_b = splat(T(1.0 / 6));
    const P even_a = pmadd(splat(T(0.5)), w[2], w[0]), odd_a = pmul(splat(a), w[1]);
    const P even_b = pmadd(splat(T(2)), w[2], w[0]), odd_b = pmul(splat(b), w[1]);
    u[0] = w[0];
    u[1] = pmul(scale_a, padd(even_a, odd_a));
    u[2] = pmul(scale_a, psub(even_a, odd_a));
    u[3] = pmul(scale_b, padd(even_b, odd_b));
    u[4] = pmul(scale_b, psub(even_b, odd_b));
    u[5] = w[2];
  }
  static void output(const P* m, P* y) {
    const P even_a = padd(m[1], m[2]), odd_a = psub(m[1], m[2]);
    const P even_b = padd(m[3], m[4]), odd_b = psub(m[3], m[4]);
    y[0] = padd(m[0], padd(even_a, even_b));
    y[1] = pmadd(splat(a), odd_a, pmul(splat(b), odd_b));
    y[2] = pmadd(splat(T(0.5)), even_a, pmul(splat(T(2)), even_b));
    y[3] = pmadd(splat(T(0.5) * a), odd_a, pmadd(splat(T(2) * b), odd_b, m[5]));
  }
};

/// to[i, j] = B^T d B for one packet of tiles. from: rows pitch apart, columns kLanes; to: values step apart.
template <class T, int M>
[[gnu::noinline]] void winograd_input(const T* from, int64_t pitch, T* to, int64_t step) {
  constexpr int kSide = M + 2;
  Packet<T> values[kSide][kSide];
  TEFF_UNROLL
  for (int j = 0; j < kSide; ++j) {
    Packet<T> column[kSide];
    TEFF_UNROLL
    for (int i = 0; i < kSide; ++i) column[i] = load(from, i * pitch + j * kLanes<T>);
    WinogradTransform<T, M>::input(column);
    TEFF_UNROLL
    for (int i = 0; i < kSide; ++i) values[i][j] = column[i];
  }
  TEFF_UNROLL
  for (int i = 0; i < kSide; ++i) {
    WinogradTransform<T, M>::input(values[i]);
    TEFF_UNROLL
    for (int j = 0; j < kSide; ++j) pstoreu(to + (i * kSide + j) * step, values[i][j]);
  }
}

/// to[i, j] = G w G^T for one packet of filters. from: [3, 3, kLanes].
template <class T, int M>
[[gnu::noinline]] void winograd_weight(const T* from, T* to, int64_t step) {
  constexpr int kSide = M + 2;
  Packet<T> values[kSide][3];
  for (int j = 0; j < 3; ++j) {
    Packet<T> column[3], points[kSide];
    for (int i = 0; i < 3; ++i) column[i] = load(from, (i * 3 + j) * kLanes<T>);
    WinogradTransform<T, M>::weight(column, points);
    for (int i = 0; i < kSide; ++i) values[i][j] = points[i];
  }
  for (int i = 0; i < kSide; ++i) {
    Packet<T> points[kSide];
    WinogradTransform<T, M>::weight(values[i], points);
    for (int j = 0; j < kSide; ++j) pstoreu(to + (i * kSide + j) * step, points[j]);
  }
}

/// to[i, j] = A^T m A + bias, clamped, for one packet of channels. from: values step apart; to: [M, M, kLanes].
template <class T, int M>
[[gnu::noinline]] void winograd_output(const T* from, int64_t step, Packet<T> bias, const Clamp<T>& clamp, T* to) {
  constexpr int kSide = M + 2;
  const bool clamps = is_any(clamp);
  Packet<T> values[M][kSide];
  TEFF_UNROLL
  for (int j = 0; j < kSide; ++j) {
    Packet<T> column[kSide], points[M];
    TEFF_UNROLL
    for (int i = 0; i < kSide; ++i) column[i] = load(from, (i * kSide + j) * step);
    WinogradTransform<T, M>::output(column, points);
    TEFF_UNROLL
    for (int i = 0; i < M; ++i) values[i][j] = points[i];
  }
  TEFF_UNROLL
  for (int i = 0; i < M; ++i) {
    Packet<T> points[M];
    WinogradTransform<T, M>::output(values[i], points);
    TEFF_UNROLL
    for (int j = 0; j < M; ++j) {
      const Packet<T> value = padd(points[j], bias);
      pstoreu(to + (i * M + j) * kLanes<T>, clamps ? clamped(value, clamp) : value);
    }
  }
}

}  // namespace teff::kernels::TEFF_ISA

// SPDX-License-Identifier: MIT
#include "teff/engine/kernels/elements/elements_kernels.h"
#include "teff/engine/kernels/isa/packet_math.h"
#include "teff/engine/kernels/isa/tables.h"

namespace teff::kernels::TEFF_ISA {
namespace {

namespace ei = Eigen::internal;

template <class P>
P pick(P mask, P if_true) {
  return ei::pand(mask, if_true);  // zero elsewhere, whatever if_true is there
}

template <class T>
Packet<T> negated(Packet<T> x) {
  return ei::pxor(x, splat(T(-0.0)));  // Eigen's pnegate makes 0 of 0
}

/// Calls use(f) with a packet function f(x) = x^exponent, as std::pow defines it.
template <class T, class Use>
void with_power(T exponent, const Use& use) {
  using P = Packet<T>;
  const P one = splat(T(1));
  if (exponent == T(2)) {
    use([](P x) { return pmul(x, x); });
  } else if (exponent == T(1)) {
    use([](P x) { return x; });
  } else if (exponent == T(3)) {
    use([](P x) { return pmul(pmul(x, x), x); });
  } else if (exponent == T(-1)) {
    use([one](P x) { return pdiv(one, x); });
  } else if (exponent == T(-2)) {
    use([one](P x) { return pdiv(one, pmul(x, x)); });
  } else if (exponent == T(0.5)) {
    use([](P x) {  // unlike the root, pow(-0, 0.5) is 0 and pow(-inf, 0.5) is inf
      const P root = packet_sqrt<T>(padd(x, splat(T(0))));
      return pselect(pcmp_eq(x, splat(-kInfinity<T>)), splat(kInfinity<T>), root);
    });
  } else {
    use([exponent](P x) { return each_lane(x, [exponent](T v) { return std::pow(v, exponent); }); });
  }
}

template <class T>
void unary(Unary op, int64_t n, T a, T b, const T* x, T* y) {
  using P = Packet<T>;
  const P zero = splat(T(0)), pa = splat(a), pb = splat(b);
  switch (op) {
    case Unary::relu:
      return parallel_map(
          n, y, [=](P v) { return ei::pmax(v, zero); }, x);
    case Unary::leaky_relu:
      return parallel_map(
          n, y, [=](P v) { return pselect(ei::pcmp_lt(zero, v), v, pmul(v, pa)); }, x);
    case Unary::sigmoid:
      return parallel_map(
          n, y, [](P v) { return packet_sigmoid<T>(v); }, x);
    case Unary::tanh:
      return parallel_map(
          n, y, [](P v) { return packet_tanh<T>(v); }, x);
    case Unary::exp:
      return parallel_map(
          n, y, [](P v) { return packet_exp<T>(v); }, x);
    case Unary::log:
      return parallel_map(
          n, y, [](P v) { return packet_log<T>(v); }, x);
    case Unary::sqrt:
      return parallel_map(
          n, y, [](P v) { return packet_sqrt<T>(v); }, x);
    case Unary::abs:
      return parallel_map(
          n, y, [](P v) { return ei::pabs(v); }, x);
    case Unary::neg:
      return parallel_map(
          n, y, [](P v) { return negated<T>(v); }, x);
    case Unary::clamp:
      return parallel_map(
          n, y, [=](P v) { return minimum(maximum(v, pa), pb); }, x);
    case Unary::pow:
      return with_power(a, [=](const auto& power) { parallel_map(n, y, power, x); });
  }
}

// The derivatives, in PyTorch's order of operations:
//   relu        dx = y <= 0 ? 0 : dy            leaky_relu  dx = x > 0 ? dy : dy * a
//   sigmoid     dx = dy * (1 - y) * y           tanh        dx = dy * (1 - y * y)
//   exp         dx = dy * y                     log         dx = dy / x
//   sqrt        dx = dy / (2 * y)               abs         dx = dy * sign(x)
//   clamp       dx = a <= x <= b ? dy : 0       pow         dx = dy * (a * x^(a - 1)), 0 if a = 0
template <class T>
void unary_backward(Unary op, int64_t n, T a, T b, const T* grad, const T* x, const T* y, T* grad_x) {
  using P = Packet<T>;
  const P zero = splat(T(0)), one = splat(T(1)), pa = splat(a), pb = splat(b);
  const auto run = [=](const auto& derivative, const T* saved) { parallel_map(n, grad_x, derivative, grad, saved); };
  switch (op) {
    case Unary::relu:
      return run([=](P g, P v) { return ei::pandnot(g, ei::pcmp_le(v, zero)); }, y);
    case Unary::leaky_relu:
      return run([=](P g, P v) { return pselect(ei::pcmp_lt(zero, v), g, pmul(g, pa)); }, x);
    case Unary::sigmoid:
      return run([=](P g, P v) { return pmul(pmul(g, psub(one, v)), v); }, y);
    case Unary::tanh:
      return run([=](P g, P v) { return pmul(g, psub(one, pmul(v, v))); }, y);
    case Unary::exp:
      return run([](P g, P v) { return pmul(g, v); }, y);
    case Unary::log:
      return run([](P g, P v) { return pdiv(g, v); }, x);
    case Unary::sqrt:
      return run([](P g, P v) { return pdiv(g, padd(v, v)); }, y);
    case Unary::abs:
      return run(
          [=](P g, P v) { return pmul(g, psub(pick(ei::pcmp_lt(zero, v), one), pick(ei::pcmp_lt(v, zero), one))); }, x);
    case Unary::neg:
      return parallel_map(
          n, grad_x, [](P g) { return negated<T>(g); }, grad);
    case Unary::clamp:
      return run([=](P g, P v) { return pick(ei::pand(ei::pcmp_le(pa, v), ei::pcmp_le(v, pb)), g); }, x);
    case Unary::pow:
      if (a == T(0))
        return parallel_map(
            n, grad_x, [=](P) { return zero; }, grad);
      return with_power(a - T(1),
                        [&](const auto& power) { run([=](P g, P v) { return pmul(g, pmul(pa, power(v))); }, x); });
  }
}

/// The loop of a binary operation for the four combinations of steps.
template <class T, class F>
void map_pairs(int64_t n, const T* a, int a_step, const T* b, int b_step, T* out, const F& f) {
  if (n == 0) return;  // *a and *b may not exist
  if (a_step != 0 && b_step != 0) return parallel_map(n, out, f, a, b);
  if (a_step != 0) return parallel_map(n, out, f, a, Repeat<T>{splat(*b)});
  if (b_step != 0) return parallel_map(n, out, f, Repeat<T>{splat(*a)}, b);
  T value;
  map(0, 1, &value, f, a, b);
  parallel_map(
      n, out, [](Packet<T> v) { return v; }, Repeat<T>{splat(value)});
}

template <class T>
Packet<T> packet_pow(Packet<T> a, Packet<T> b) {
  alignas(64) T base[kLanes<T>], exponent[kLanes<T>];
  pstore(base, a);
  pstore(exponent, b);
  for (int64_t l = 0; l < kLanes<T>; ++l) base[l] = std::pow(base[l], exponent[l]);
  return pload<Packet<T>>(base);
}

template <class T>
void binary(Binary op, int64_t n, const T* a, int a_step, const T* b, int b_step, T* out) {
  using P = Packet<T>;
  const auto run = [=](const auto& f) { map_pairs(n, a, a_step, b, b_step, out, f); };
  switch (op) {
    case Binary::add:
      return run([](P u, P v) { return padd(u, v); });
    case Binary::sub:
      return run([](P u, P v) { return psub(u, v); });
    case Binary::mul:
      return run([](P u, P v) { return pmul(u, v); });
    case Binary::div:
      return run([](P u, P v) { return pdiv(u, v); });
    case Binary::maximum:
      return run([](P u, P v) { return maximum(u, v); });
    case Binary::minimum:
      return run([](P u, P v) { return minimum(u, v); });
    case Binary::pow:
      return run([](P u, P v) { return packet_pow<T>(u, v); });
    case Binary::prelu:
      return run([](P u, P v) { return pselect(ei::pcmp_lt(splat(T(0)), u), u, pmul(u, v)); });
    case Binary::prelu_slope:
      return run([](P u, P v) { return pselect(ei::pcmp_lt(splat(T(0)), u), splat(T(1)), v); });
  }
}

template <class T>
void axpy(int64_t n, T alpha, const T* x, T* y) {
  using P = Packet<T>;
  const P factor = splat(alpha);
  parallel_map(
      n, y, [=](P v, P sum) { return pmadd(v, factor, sum); }, x, y);
}

}  // namespace

extern constinit const Tables<ElementwiseKernels> elementwise_tables =
    make_tables<ElementwiseKernels>([]<class T>(T) -> ElementwiseKernels<T> {
      return {
          .unary = unary<T>, .unary_backward = if_training(unary_backward<T>), .binary = binary<T>, .axpy = axpy<T>};
    });

}  // namespace teff::kernels::TEFF_ISA

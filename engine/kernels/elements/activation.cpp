// SPDX-License-Identifier: MIT
#include "teff/engine/kernels/elements/elements_kernels.h"
#include "teff/engine/kernels/isa/packet_math.h"
#include "teff/engine/kernels/isa/tables.h"

namespace teff::kernels::TEFF_ISA {
namespace {

namespace ei = Eigen::internal;

// Each activation has value(x) and gradient(dy, x) = dy * f'(x); where the derivative jumps it is PyTorch's.

template <class P>
P pick(P mask, P if_true) {
  return ei::pand(mask, if_true);  // zero elsewhere, whatever if_true is there
}

/// max(low, min(x, high)); dx = low < x < high ? dy : 0
template <class T>
struct Hardtanh {
  using P = Packet<T>;
  P low, high;
  P value(P x) const { return minimum(maximum(x, low), high); }
  P gradient(P g, P x) const {
    return ei::pandnot(g, ei::por(ei::pcmp_le(x, low), ei::pcmp_le(high, x)));  // NaN passes
  }
};

/// x > 0 ? x : alpha * (exp(x) - 1); dx = x > 0 ? dy : dy * alpha * exp(x)
template <class T>
struct Elu {
  using P = Packet<T>;
  P alpha;
  P value(P x) const {
    const P zero = splat(T(0));
    return pselect(ei::pcmp_lt(zero, x), x, pmul(alpha, packet_expm1<T>(minimum(x, zero))));
  }
  P gradient(P g, P x) const { return pselect(ei::pcmp_lt(splat(T(0)), x), g, pmul(g, pmul(alpha, packet_exp<T>(x)))); }
};

/// x * F(x) with the normal distribution F(x) = (1 + erf(x / sqrt(2))) / 2; f' = F(x) + x * exp(-x^2 / 2) / sqrt(2 pi)
template <class T>
struct Gelu {
  using P = Packet<T>;
  static P distribution(P x) {
    const P half = splat(T(0.5));
    return pmadd(half, packet_erf<T>(pmul(x, splat(T(0.70710678118654752440)))), half);
  }
  P value(P x) const { return pmul(x, distribution(x)); }
  P gradient(P g, P x) const {
    const P density = pmul(packet_exp<T>(pmul(pmul(x, x), splat(T(-0.5)))), splat(T(0.39894228040143267794)));
    return pmul(g, pmadd(x, density, distribution(x)));
  }
};

/// x * (1 + t) / 2 with t = tanh(u), u = sqrt(2 / pi) * (x + 0.044715 * x^3);
/// f' = (1 + t) / 2 + x * (1 - t^2) / 2 * sqrt(2 / pi) * (1 + 3 * 0.044715 * x^2)
template <class T>
struct GeluTanh {
  using P = Packet<T>;
  static constexpr T kRoot = T(0.79788456080286535588), kCube = T(0.044715);
  static P tanh_part(P x) {
    const P inner = pmadd(pmul(pmul(x, x), x), splat(kCube), x);
    return packet_tanh<T>(pmul(inner, splat(kRoot)));
  }
  P value(P x) const {
    const P half = splat(T(0.5));
    return pmul(x, pmadd(half, tanh_part(x), half));
  }
  P gradient(P g, P x) const {
    const P half = splat(T(0.5)), one = splat(T(1)), t = tanh_part(x);
    const P inner = pmul(pmadd(pmul(x, x), splat(3 * kCube), one), splat(kRoot));
    const P slope = pmul(pmul(half, x), pmul(psub(one, pmul(t, t)), inner));
    return pmul(g, padd(pmadd(half, t, half), slope));
  }
};

/// x * s with s = 1 / (1 + exp(-x)); f' = s * (1 + x * (1 - s))
template <class T>
struct Silu {
  using P = Packet<T>;
  P value(P x) const {
    const P one = splat(T(1));
    return pdiv(x, padd(one, packet_exp<T>(psub(splat(T(0)), x))));
  }
  P gradient(P g, P x) const {
    const P one = splat(T(1)), s = packet_sigmoid<T>(x);
    return pmul(g, pmul(s, pmadd(x, psub(one, s), one)));
  }
};

template <class P, class T>
P shifted_and_clamped(P x, T shift, T high) {
  return minimum(maximum(padd(x, splat(shift)), splat(T(0))), splat(high));
}

/// x * min(max(x + 3, 0), 6) / 6; f' = 0 below -3, x / 3 + 1 / 2 up to 3, 1 beyond
template <class T>
struct Hardswish {
  using P = Packet<T>;
  P value(P x) const { return pdiv(pmul(x, shifted_and_clamped(x, T(3), T(6))), splat(T(6))); }
  P gradient(P g, P x) const {
    const P middle = pmul(g, padd(pdiv(x, splat(T(3))), splat(T(0.5))));
    const P upper = pselect(ei::pcmp_lt(splat(T(3)), x), g, middle);
    return ei::pandnot(upper, ei::pcmp_lt(x, splat(T(-3))));
  }
};

/// min(max(x + 3, 0), 6) / 6; f' = 1 / 6 between -3 and 3
template <class T>
struct Hardsigmoid {
  using P = Packet<T>;
  P value(P x) const { return pdiv(shifted_and_clamped(x, T(3), T(6)), splat(T(6))); }
  P gradient(P g, P x) const {
    return pick(ei::pand(ei::pcmp_lt(splat(T(-3)), x), ei::pcmp_lt(x, splat(T(3)))), pdiv(g, splat(T(6))));
  }
};

/// log(1 + exp(beta * x)) / beta, and x where beta * x > threshold; f' = 1 / (1 + exp(-beta * x)), and 1
template <class T>
struct Softplus {
  using P = Packet<T>;
  P beta, threshold;
  P value(P x) const {
    const P z = pmul(x, beta), zero = splat(T(0));
    const P size = ei::pabs(z);
    const P tail = packet_log1p<T>(packet_exp<T>(psub(zero, size)));
    return pselect(ei::pcmp_lt(threshold, z), x, pdiv(padd(maximum(z, zero), tail), beta));
  }
  P gradient(P g, P x) const {
    const P z = pmul(x, beta);
    return pselect(ei::pcmp_lt(threshold, z), g, pmul(g, packet_sigmoid<T>(z)));
  }
};

/// Calls use(f) with the activation.
template <class T, class Use>
void with_activation(Activation op, T a, T b, const Use& use) {
  switch (op) {
    case Activation::hardtanh:
      return use(Hardtanh<T>{splat(a), splat(b)});
    case Activation::elu:
      return use(Elu<T>{splat(a)});
    case Activation::gelu:
      return use(Gelu<T>());
    case Activation::gelu_tanh:
      return use(GeluTanh<T>());
    case Activation::silu:
      return use(Silu<T>());
    case Activation::hardswish:
      return use(Hardswish<T>());
    case Activation::hardsigmoid:
      return use(Hardsigmoid<T>());
    case Activation::softplus:
      return use(Softplus<T>{splat(a), splat(b)});
  }
}

template <class T>
void activation(Activation op, int64_t n, T a, T b, const T* x, T* y) {
  with_activation(op, a, b, [=](const auto& f) {
    parallel_map(
        n, y, [f](Packet<T> v) { return f.value(v); }, x);
  });
}

template <class T>
void activation_backward(Activation op, int64_t n, T a, T b, const T* grad, const T* x, T* grad_x) {
  with_activation(op, a, b, [=](const auto& f) {
    parallel_map(
        n, grad_x, [f](Packet<T> g, Packet<T> v) { return f.gradient(g, v); }, grad, x);
  });
}

}  // namespace

extern constinit const Tables<ActivationKernels> activation_tables =
    make_tables<ActivationKernels>([]<class T>(T) -> ActivationKernels<T> {
      return {.activation = activation<T>, .activation_backward = if_training(activation_backward<T>)};
    });

}  // namespace teff::kernels::TEFF_ISA

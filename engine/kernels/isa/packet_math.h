// SPDX-License-Identifier: MIT
#pragma once

// exp, log, tanh, sigmoid, sqrt, erf, exp(x) - 1 and log(1 + x) of packets, right to a few units in the last place for
// every argument, special values included. Eigen 3.4's own exp is not: exp(-inf) is 3e-39 and, with AVX-512, exp(88.5)
// is 12 % off; its log takes subnormal numbers for the smallest normal one, its sqrt is an approximation.

#include <cmath>
#include <cstdint>
#include <type_traits>

#include "teff/engine/kernels/isa/vectorized.h"

namespace teff::kernels::TEFF_ISA {

/// y * 2^n for whole n in [-1100, 1100], rounded once. `biased` is n + 1.5 * 2^23 (float), whose low bits are
/// n.
#if defined(__AVX512F__)
inline Packet<float> scale_by_power_of_two(Packet<float> y, Packet<float> n, Packet<float>) {
  return _mm512_scalef_ps(y, n);
}
inline Packet<double> scale_by_power_of_two(Packet<double> y, Packet<double> n, Packet<double>) {
  return _mm512_scalef_pd(y, n);
}
#else
template <class P>
P scale_by_power_of_two(P y, P n, P biased) {
  namespace ei = Eigen::internal;
  if constexpr (std::is_same_v<typename ei::unpacket_traits<P>::type, double>) {
    return ei::pldexp(y, n);
  } else {
    // In two factors, because 2^n itself may be too large or too small for a normal number.
    using Integers = typename ei::unpacket_traits<P>::integer_packet;
    const Integers power = psub(ei::preinterpret<Integers>(biased), pset1<Integers>(0x4B400000));
    const Integers half = ei::template parithmetic_shift_right<1>(power);
    const Integers bias = pset1<Integers>(127);
    const Integers first = ei::template plogical_shift_left<23>(padd(half, bias));
    const Integers second = ei::template plogical_shift_left<23>(padd(psub(power, half), bias));
    return pmul(pmul(y, ei::preinterpret<P>(first)), ei::preinterpret<P>(second));
  }
}
#endif

template <class T>
struct ExpConstants;
template <>
struct ExpConstants<float> {
  static constexpr float kLowest = -104, kHighest = 89;  // beyond: 0 and infinity
  static constexpr float kRound = 12582912;              // 1.5 * 2^23: adding it rounds to a whole number
  static constexpr float kLn2High = 0.693359375f, kLn2Low = -2.12194440e-4f;
};
template <>
struct ExpConstants<double> {
  static constexpr double kLowest = -746, kHighest = 710;
  static constexpr double kRound = 6755399441055744;  // 1.5 * 2^52
  static constexpr double kLn2High = 0.693145751953125, kLn2Low = 1.42860682030941723212e-6;
};

/// exp(r) for |r| <= ln(2) / 2: the polynomial and the rational function of the Cephes library.
inline Packet<float> exp_near_zero(Packet<float> r) {
  const Packet<float> r2 = pmul(r, r);
  Packet<float> high = pmadd(splat(1.9875691500e-4f), r, splat(1.3981999507e-3f));
  Packet<float> low = pmadd(splat(4.1665795894e-2f), r, splat(1.6666665459e-1f));
  high = pmadd(high, r, splat(8.3334519073e-3f));
  low = pmadd(low, r, splat(5.0000001201e-1f));
  return pmadd(pmadd(high, pmul(r2, r), low), r2, padd(r, splat(1.0f)));
}
inline Packet<double> exp_near_zero(Packet<double> r) {
  const Packet<double> r2 = pmul(r, r);
  Packet<double> p = pmadd(splat(1.26177193074810590878e-4), r2, splat(3.02994407707441961300e-2));
  p = pmul(pmadd(p, r2, splat(9.99999999999999999910e-1)), r);
  Packet<double> q = pmadd(splat(3.00198505138664455042e-6), r2, splat(2.52448340349684104192e-3));
  q = pmadd(pmadd(q, r2, splat(2.27265548208155028766e-1)), r2, splat(2.0));
  return pmadd(splat(2.0), pdiv(p, psub(q, p)), splat(1.0));
}

/// exp(x) = 2^n * exp(x - n * ln(2)) with the whole number n nearest to x / ln(2).
template <class T>
Packet<T> packet_exp(Packet<T> x) {
  using C = ExpConstants<T>;
  x = Eigen::internal::pmax(Eigen::internal::pmin(x, splat(C::kHighest)), splat(C::kLowest));  // keeps NaN
  const Packet<T> biased = pmadd(x, splat(static_cast<T>(1.44269504088896340736)), splat(C::kRound));
  const Packet<T> n = psub(biased, splat(C::kRound));
  const Packet<T> r = pmadd(n, splat(-C::kLn2Low), pmadd(n, splat(-C::kLn2High), x));
  return scale_by_power_of_two(exp_near_zero(r), n, biased);
}

/// log(1 + f) for 1 + f in [sqrt(1/2), sqrt(2)): the polynomial of the Cephes library.
inline Packet<float> log_near_one(Packet<float> f) {
  const Packet<float> f2 = pmul(f, f), f3 = pmul(f2, f);
  Packet<float> high = pmadd(splat(7.0376836292e-2f), f, splat(-1.1514610310e-1f));
  Packet<float> middle = pmadd(splat(-1.2420140846e-1f), f, splat(1.4249322787e-1f));
  Packet<float> low = pmadd(splat(2.0000714765e-1f), f, splat(-2.4999993993e-1f));
  high = pmadd(high, f, splat(1.1676998740e-1f));
  middle = pmadd(middle, f, splat(-1.6668057665e-1f));
  low = pmadd(low, f, splat(3.3333331174e-1f));
  const Packet<float> tail = pmul(pmadd(pmadd(high, f3, middle), f3, low), f3);
  return padd(f, pmadd(splat(-0.5f), f2, tail));
}

/// log(x) = n * ln(2) + log(m) with x = 2^n * m. Subnormal numbers are brought into the range of the others
/// first.
template <class P>
P log_of_packet(P x) {
  namespace ei = Eigen::internal;
  using T = typename ei::unpacket_traits<P>::type;
  constexpr int kDigits = std::numeric_limits<T>::digits;
  const P small = ei::pcmp_lt(x, splat(std::numeric_limits<T>::min()));
  const P y = pselect(small, pmul(x, splat(static_cast<T>(int64_t{1} << kDigits))), x);
  if constexpr (std::is_same_v<T, double>) {
    return psub(ei::plog(y), ei::pand(small, splat(kDigits * 0.693147180559945309417)));
  } else {
    using Integers = typename ei::unpacket_traits<P>::integer_packet;
    const Integers bits = ei::preinterpret<Integers>(y), root_half = pset1<Integers>(0x3F3504F3);
    const Integers exponent = ei::template parithmetic_shift_right<23>(psub(bits, root_half));
    const P m = ei::preinterpret<P>(psub(bits, ei::template plogical_shift_left<23>(exponent)));
    const P n = psub(ei::template pcast<Integers, P>(exponent), ei::pand(small, splat(T(kDigits))));
    const P result = pmadd(n, splat(0.693147180559945309f), log_near_one(psub(m, splat(1.0f))));
    const P zero = splat(T(0)), infinity = splat(kInfinity<T>);
    const P finite = pselect(pcmp_eq(x, infinity), infinity, ei::por(result, ei::pcmp_lt_or_nan(x, zero)));
    return pselect(pcmp_eq(x, zero), splat(-kInfinity<T>), finite);
  }
}
template <class T>
Packet<T> packet_log(Packet<T> x) {
  return log_of_packet(x);
}

template <class T>
Packet<T> packet_tanh(Packet<T> x) {
  if constexpr (std::is_same_v<T, float>) {
    const Packet<T> t = Eigen::internal::ptanh(x);
#if defined(__aarch64__)
    // Eigen takes these machines for some without fused multiply-add: from here on it stays just below 1.
    const Packet<T> one = Eigen::internal::por(Eigen::internal::pand(x, splat(-0.0f)), splat(1.0f));
    return pselect(Eigen::internal::pcmp_lt(splat(7.9f), Eigen::internal::pabs(x)), one, t);
#else
    return t;
#endif
  } else {
    return each_lane(x, [](T v) { return std::tanh(v); });
  }
}

/// 1 / (1 + exp(-x))
template <class T>
Packet<T> packet_sigmoid(Packet<T> x) {
  const Packet<T> one = splat(T(1));
  return pdiv(one, padd(one, packet_exp<T>(psub(splat(T(0)), x))));
}

/// exp(x) - 1 for x <= 0, without the cancellation near 0.
template <class T>
Packet<T> packet_expm1(Packet<T> x) {
  if constexpr (std::is_same_v<T, float>) {
    const Packet<T> t = packet_tanh<T>(pmul(x, splat(T(0.5))));
    return pdiv(padd(t, t), psub(splat(T(1)), t));
  } else {
    return each_lane(x, [](T v) { return std::expm1(v); });
  }
}

/// log(1 + x) for finite x >= 0: what rounding 1 + x loses of x comes back as a factor.
template <class T>
Packet<T> packet_log1p(Packet<T> x) {
  const Packet<T> one = splat(T(1)), sum = padd(one, x), kept = psub(sum, one);
  return pselect(pcmp_eq(kept, splat(T(0))), x, pmul(packet_log<T>(sum), pdiv(x, kept)));
}

/// x * P(x^2) up to 1, sign(x) * (1 - exp(Q(|x|))) beyond: polynomials fitted to erf(x) / x and log(erfc(x)), right to
/// 2e-9.
inline Packet<float> erf_of_packet(Packet<float> x) {
  constexpr float kNear[] = {1.1283791065e+0f, -3.7612625957e-1f, 1.1283585429e-1f, -2.6853812858e-2f,
                             5.1883277483e-3f, -8.0101937056e-4f, 7.8538614616e-5f};
  constexpr float kFar[] = {-3.5371933133e-4f, -1.1270400286e+0f, -6.3822567463e-1f, -1.0303737223e-1f,
                            2.1805318072e-2f,  -2.9396074824e-3f, 1.8557402655e-4f};
  const Packet<float> size = Eigen::internal::pmin(Eigen::internal::pabs(x), splat(4.0f));
  const Packet<float> square = pmul(size, size);
  Packet<float> p = splat(kNear[6]), q = splat(kFar[6]);
  for (int i = 5; i >= 0; --i) {
    p = pmadd(p, square, splat(kNear[i]));
    q = pmadd(q, size, splat(kFar[i]));
  }
  const Packet<float> sign = Eigen::internal::pand(x, splat(-0.0f));
  const Packet<float> far = Eigen::internal::por(psub(splat(1.0f), packet_exp<float>(q)), sign);
  const Packet<float> near_or_far = pselect(Eigen::internal::pcmp_lt(size, splat(1.0f)), pmul(x, p), far);
  return pselect(pcmp_eq(x, x), near_or_far, x);
}
template <class T>
Packet<T> packet_erf(Packet<T> x) {
  if constexpr (std::is_same_v<T, float>) {
    return erf_of_packet(x);
  } else {
    return each_lane(x, [](T v) { return std::erf(v); });
  }
}

/// Correctly rounded: the compiler makes the loop over the lanes one instruction.
template <class T>
Packet<T> packet_sqrt(Packet<T> x) {
  return each_lane(x, [](T v) { return std::sqrt(v); });
}

}  // namespace teff::kernels::TEFF_ISA

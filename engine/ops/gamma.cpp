// SPDX-License-Identifier: MIT

// The logarithm of the gamma function and its derivative, made of other operations: all further derivatives follow.
// Computed in double: below 1/2 by reflection, up to 8 by the recurrence, then by Stirling's series.

#include <array>
#include <cmath>
#include <limits>
#include <numbers>

#include "teff/engine/error_text.h"
#include "teff/engine/ops.h"
#include "teff/engine/ops/checks.h"

namespace teff {
namespace {

constexpr double kPi = std::numbers::pi, kSeriesFrom = 8;

/// x as it is used: reflected, and moved to where the series holds. Places where a step is not wanted hold numbers that
/// no function minds, for gradients go through them, too.
struct GammaArgument {
  Tensor reflect;     // whether x < 1/2; z is 1 - x then
  Tensor from_whole;  // x less the nearest whole number, where it is reflected
  Tensor is_small;    // whether z < 8
  Tensor below;       // z where it is small
  Tensor y;           // z + 8 where it is small

  explicit GammaArgument(const Tensor& x) : reflect(lt(x, 0.5)) {
    const Tensor z = where(reflect, 1 - x, x);
    from_whole = where(reflect, x - round(x), 0.25);
    is_small = lt(z, kSeriesFrom);
    below = where(is_small, z, 1.0);
    y = z + where(is_small, Scalar(kSeriesFrom), Scalar(0.0)).to(x.dtype());
  }
};

/// c0 t + c1 t s + c2 t s^2 + ..., by Horner; at least two.
template <std::size_t n>
Tensor series(const std::array<double, n>& coefficients, const Tensor& t, const Tensor& s) {
  Tensor sum = s * coefficients[n - 1] + coefficients[n - 2];
  for (std::size_t i = n - 2; i-- > 0;) sum = sum * s + coefficients[i];
  return sum * t;
}

Tensor lgamma_of(const Tensor& x) {
  constexpr std::array kStirling = {1.0 / 12,   -1.0 / 360,        1.0 / 1260, -1.0 / 1680,
                                    1.0 / 1188, -691.0 / 360360.0, 1.0 / 156};
  const GammaArgument a(x);
  Tensor product = a.below;
  for (double i = 1; i < kSeriesFrom; ++i) product = product * (a.below + i);
  const Tensor t = reciprocal(a.y);
  const Tensor far = (a.y - 0.5) * (log(a.y) - 1.0) + (0.5 * std::log(2 * kPi) - 0.5) + series(kStirling, t, t * t);
  const Tensor result = far - where(a.is_small, log(product), 0.0);
  const Tensor reflected = std::log(kPi) - log(abs(sin(kPi * a.from_whole))) - result;
  return masked_fill(where(a.reflect, reflected, result), isinf(x), std::numeric_limits<double>::infinity());
}

Tensor digamma_of(const Tensor& x) {
  constexpr std::array kSeries = {1.0 / 12, -1.0 / 120, 1.0 / 252, -1.0 / 240, 1.0 / 132, -691.0 / 32760.0, 1.0 / 12};
  const GammaArgument a(x);
  Tensor sum = reciprocal(a.below);
  for (double i = 1; i < kSeriesFrom; ++i) sum = sum + reciprocal(a.below + i);
  const Tensor t = reciprocal(a.y), square = t * t;
  const Tensor far = log(a.y) - 0.5 * t - series(kSeries, square, square);
  const Tensor result = far - where(a.is_small, sum, 0.0);
  const Tensor reflected = result - kPi / tan(kPi * a.from_whole);
  const Tensor is_pole = bitwise_and(lt(x, 0), eq(x, round(x)));
  return masked_fill(where(a.reflect, reflected, result), is_pole, std::numeric_limits<double>::quiet_NaN());
}

Tensor in_double(std::string_view op, const Tensor& x, Tensor (*function)(const Tensor&)) {
  if (!x.defined()) ops::fail<TypeError>(op, "a defined tensor, got an undefined one");
  return detail::with_name(op, [&] {
    const DType dtype = is_floating_point(x.dtype()) ? x.dtype() : DType::float32;
    return dtype == DType::float64 ? function(x) : function(x.to(DType::float64)).to(dtype);
  });
}

}  // namespace

Tensor lgamma(const Tensor& x) { return in_double("lgamma", x, lgamma_of); }
Tensor digamma(const Tensor& x) { return in_double("digamma", x, digamma_of); }

}  // namespace teff

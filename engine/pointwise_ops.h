// SPDX-License-Identifier: MIT
#pragma once

// Arithmetic and functions of each element. ops.h says what holds for all.

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "teff/engine/scalar.h"
#include "teff/engine/tensor.h"

namespace TEFF_EXPORT teff {

// --- element-wise, with broadcasting as in PyTorch. Whole numbers and bool compute as in PyTorch, too: they wrap
// around, div of them is float32, and a Scalar (scalar.h) of a higher kind makes the result one of that kind.

Tensor add(const Tensor& a, const Tensor& b);
Tensor sub(const Tensor& a, const Tensor& b);
Tensor mul(const Tensor& a, const Tensor& b);
Tensor div(const Tensor& a, const Tensor& b);
Tensor maximum(const Tensor& a, const Tensor& b);  // equal: half of the gradient each
Tensor minimum(const Tensor& a, const Tensor& b);
Tensor pow(const Tensor& base, const Tensor& exponent);

Tensor add(const Tensor& a, Scalar b);
Tensor sub(const Tensor& a, Scalar b);
Tensor sub(Scalar a, const Tensor& b);
Tensor mul(const Tensor& a, Scalar b);
Tensor div(const Tensor& a, Scalar b);
Tensor div(Scalar a, const Tensor& b);
Tensor pow(const Tensor& base, Scalar exponent);
Tensor pow(Scalar base, const Tensor& exponent);

inline Tensor operator+(const Tensor& a, const Tensor& b) { return add(a, b); }
inline Tensor operator-(const Tensor& a, const Tensor& b) { return sub(a, b); }
inline Tensor operator*(const Tensor& a, const Tensor& b) { return mul(a, b); }
inline Tensor operator/(const Tensor& a, const Tensor& b) { return div(a, b); }
inline Tensor operator+(const Tensor& a, Scalar b) { return add(a, b); }
inline Tensor operator-(const Tensor& a, Scalar b) { return sub(a, b); }
inline Tensor operator*(const Tensor& a, Scalar b) { return mul(a, b); }
inline Tensor operator/(const Tensor& a, Scalar b) { return div(a, b); }
inline Tensor operator+(Scalar a, const Tensor& b) { return add(b, a); }
inline Tensor operator-(Scalar a, const Tensor& b) { return sub(a, b); }
inline Tensor operator*(Scalar a, const Tensor& b) { return mul(b, a); }
inline Tensor operator/(Scalar a, const Tensor& b) { return div(a, b); }

inline Tensor max(const Tensor& a, const Tensor& b) { return maximum(a, b); }
inline Tensor min(const Tensor& a, const Tensor& b) { return minimum(a, b); }

enum class RoundingMode { none, floor, trunc };
std::string_view to_string(RoundingMode mode);
/// a / b; rounded down (floor) or towards zero (trunc) it keeps the dtype of whole numbers, and has no gradient.
/// @throws ValueError for a whole number divided by 0.
Tensor div(const Tensor& a, const Tensor& b, RoundingMode rounding_mode);
Tensor div(const Tensor& a, Scalar b, RoundingMode rounding_mode);
Tensor floor_divide(const Tensor& a, const Tensor& b);  // div, rounded down
Tensor floor_divide(const Tensor& a, Scalar b);
/// What is left of a: with the sign of b (remainder) or of a (fmod). @throws ValueError for whole numbers and b = 0.
Tensor remainder(const Tensor& a, const Tensor& b);
Tensor remainder(const Tensor& a, Scalar b);
Tensor fmod(const Tensor& a, const Tensor& b);
Tensor fmod(const Tensor& a, Scalar b);
Tensor atan2(const Tensor& y, const Tensor& x);
Tensor hypot(const Tensor& a, const Tensor& b);      // sqrt(a^2 + b^2)
Tensor logaddexp(const Tensor& a, const Tensor& b);  // log(exp(a) + exp(b))
Tensor xlogy(const Tensor& a, const Tensor& b);      // a * log(b), 0 where a is 0
/// start + weight * (end - start)
Tensor lerp(const Tensor& start, const Tensor& end, const Tensor& weight);
Tensor lerp(const Tensor& start, const Tensor& end, double weight);
/// x + value * a * b, and x + value * a / b
Tensor addcmul(const Tensor& x, const Tensor& a, const Tensor& b, Scalar value = 1);
Tensor addcdiv(const Tensor& x, const Tensor& a, const Tensor& b, Scalar value = 1);

// Bits of whole numbers; of bool the logical operation. Both of one dtype. Places to shift by outside of the number of
// bits give 0, or -1 for a negative number shifted right.
Tensor bitwise_and(const Tensor& a, const Tensor& b);
Tensor bitwise_or(const Tensor& a, const Tensor& b);
Tensor bitwise_xor(const Tensor& a, const Tensor& b);
Tensor bitwise_not(const Tensor& x);
Tensor bitwise_and(const Tensor& a, Scalar b);
Tensor bitwise_or(const Tensor& a, Scalar b);
Tensor bitwise_xor(const Tensor& a, Scalar b);
Tensor bitwise_left_shift(const Tensor& a, const Tensor& b);
Tensor bitwise_right_shift(const Tensor& a, const Tensor& b);
inline Tensor operator&(const Tensor& a, const Tensor& b) { return bitwise_and(a, b); }
inline Tensor operator|(const Tensor& a, const Tensor& b) { return bitwise_or(a, b); }
inline Tensor operator^(const Tensor& a, const Tensor& b) { return bitwise_xor(a, b); }
inline Tensor operator&(const Tensor& a, Scalar b) { return bitwise_and(a, b); }
inline Tensor operator|(const Tensor& a, Scalar b) { return bitwise_or(a, b); }
inline Tensor operator^(const Tensor& a, Scalar b) { return bitwise_xor(a, b); }
inline Tensor operator~(const Tensor& x) { return bitwise_not(x); }
inline Tensor operator%(const Tensor& a, const Tensor& b) { return remainder(a, b); }
inline Tensor operator%(const Tensor& a, Scalar b) { return remainder(a, b); }

// --- a choice for each element; every dtype

/// condition ? a : b, broadcast. condition is bool; a number is of the other one's dtype, or of a higher kind.
Tensor where(const Tensor& condition, const Tensor& a, const Tensor& b);
Tensor where(const Tensor& condition, const Tensor& a, Scalar b);
Tensor where(const Tensor& condition, Scalar a, const Tensor& b);
Tensor where(const Tensor& condition, Scalar a, Scalar b);
/// mask ? value : x, in the dtype of x; a tensor `value` has one element.
Tensor masked_fill(const Tensor& x, const Tensor& mask, Scalar value);
Tensor masked_fill(const Tensor& x, const Tensor& mask, const Tensor& value);

// --- element by element. Where x is taken by value and nobody else holds its elements, as in relu(conv(x)), the result
// takes their memory, unless the gradient needs them. Whole numbers and bool are taken as float32, but by neg, abs,
// clamp, square, sign and the roundings, which keep them.

Tensor neg(Tensor x);
Tensor exp(Tensor x);
Tensor log(Tensor x);
Tensor sqrt(Tensor x);
Tensor abs(Tensor x);  // derivative at 0: 0
/// max(min, min(max, x)); at least one bound. The gradient passes where min <= x <= max, elsewhere to a bound.
Tensor clamp(Tensor x, std::optional<Scalar> min, std::optional<Scalar> max = {});
Tensor clamp(const Tensor& x, const Tensor& min, const Tensor& max = {});
inline Tensor clamp(const Tensor& x, NoBound, NoBound = {}) {  // @throws ValueError: no bound at all
  return clamp(x, Tensor(), Tensor());
}
inline Tensor clip(Tensor x, std::optional<Scalar> min, std::optional<Scalar> max = {}) {
  return clamp(std::move(x), min, max);
}
Tensor square(const Tensor& x);
Tensor reciprocal(const Tensor& x);  // 1 / x
Tensor rsqrt(const Tensor& x);       // 1 / sqrt(x)
Tensor sign(const Tensor& x);        // -1, 0 or 1; no gradient passes it nor the roundings
Tensor floor(const Tensor& x);
Tensor ceil(const Tensor& x);
Tensor round(const Tensor& x);  // halves to even
Tensor trunc(const Tensor& x);  // towards zero
Tensor frac(const Tensor& x);   // x - trunc(x)
Tensor sin(const Tensor& x);
Tensor cos(const Tensor& x);
Tensor tan(const Tensor& x);
Tensor asin(const Tensor& x);
Tensor acos(const Tensor& x);
Tensor atan(const Tensor& x);
Tensor sinh(const Tensor& x);
Tensor cosh(const Tensor& x);
Tensor asinh(const Tensor& x);
Tensor acosh(const Tensor& x);
Tensor atanh(const Tensor& x);
Tensor log1p(const Tensor& x);  // log(1 + x)
Tensor log2(const Tensor& x);
Tensor log10(const Tensor& x);
Tensor expm1(const Tensor& x);  // exp(x) - 1
Tensor exp2(const Tensor& x);
Tensor erf(const Tensor& x);
Tensor erfc(const Tensor& x);  // 1 - erf(x)
Tensor erfinv(const Tensor& x);
Tensor lgamma(const Tensor& x);   // log of |gamma(x)|; made of many operations, as digamma
Tensor digamma(const Tensor& x);  // its derivative; -inf at 0, NaN at negative whole numbers
/// log(x / (1 - x)), with x clamped to [eps, 1 - eps] if given.
Tensor logit(const Tensor& x, std::optional<double> eps = {});
/// NaN, +infinity and -infinity replaced; by default with 0 and the dtype's greatest and least numbers.
Tensor nan_to_num(const Tensor& x, double nan = 0, std::optional<double> posinf = {},
                  std::optional<double> neginf = {});

/// Another dtype, element by element (Tensor::to). The gradient passes between float32 and float64.
Tensor to(const Tensor& x, DType dtype);

}  // namespace teff

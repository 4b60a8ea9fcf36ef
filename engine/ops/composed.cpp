// SPDX-License-Identifier: MIT

// Functions of each element that are made of other operations: nothing of them is in files, and their gradients are
// those of what they are made of.

#include <cmath>
#include <limits>
#include <utility>

#include "teff/engine/error_text.h"
#include "teff/engine/ops.h"
#include "teff/engine/ops/checks.h"
#include "teff/engine/ops/promotion.h"

namespace teff {
namespace {

using ops::in_float;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

void check_defined(std::string_view op, const Tensor& x) {
  if (!x.defined()) ops::fail<TypeError>(op, "a defined tensor, got an undefined one");
}

bool is_whole(const Tensor& x) { return x.defined() && !is_floating_point(x.dtype()); }

}  // namespace

// --- arithmetic

std::string_view to_string(RoundingMode mode) {
  return mode == RoundingMode::floor ? "floor" : mode == RoundingMode::trunc ? "trunc" : "none";
}

Tensor div(const Tensor& a, const Tensor& b, RoundingMode rounding_mode) {
  if (rounding_mode == RoundingMode::none) return div(a, b);
  return detail::with_name("div", [&] {
    if (rounding_mode == RoundingMode::floor) return floor_divide(a, b);
    return is_whole(a) ? floor_divide(sub(a, fmod(a, b)), b) : trunc(div(a, b));
  });
}

Tensor div(const Tensor& a, Scalar b, RoundingMode rounding_mode) {
  if (rounding_mode == RoundingMode::none || !a.defined()) return div(a, b);
  return div(ops::promoted(a, b), ops::number_for(a, b), rounding_mode);
}

Tensor pow(Scalar base, const Tensor& exponent) {
  if (!exponent.defined()) return pow(exponent, exponent);
  const Tensor power = ops::promoted(exponent, 1.0);
  return pow(ops::number_for(power, base), power);
}

Tensor lerp(const Tensor& start, const Tensor& end, const Tensor& weight) {
  return detail::with_name("lerp", [&] { return add(start, mul(weight, sub(end, start))); });
}

Tensor lerp(const Tensor& start, const Tensor& end, double weight) {
  return detail::with_name("lerp", [&] {  // nearer to the end, from there: so lerp(a, b, 1) is b
    const Tensor way = sub(end, start);
    return weight < 0.5 ? add(start, mul(way, weight)) : sub(end, mul(way, 1 - weight));
  });
}

Tensor addcmul(const Tensor& x, const Tensor& a, const Tensor& b, Scalar value) {
  return detail::with_name("addcmul", [&] { return add(x, mul(mul(a, b), value)); });
}

Tensor addcdiv(const Tensor& x, const Tensor& a, const Tensor& b, Scalar value) {
  return detail::with_name("addcdiv", [&] { return add(x, mul(div(a, b), value)); });
}

Tensor bitwise_not(const Tensor& x) {
  if (!x.defined() || x.dtype() != DType::bool_) {
    return detail::with_name("bitwise_not", [&] { return bitwise_xor(x, -1); });
  }
  return logical_not(x);
}

// --- one tensor

Tensor clamp(const Tensor& x, const Tensor& min, const Tensor& max) {
  if (!min.defined() && !max.defined()) {
    ops::fail<ValueError>("clamp", "a minimum or a maximum, got neither");
  }
  return detail::with_name("clamp", [&] {  // a bound that is NaN is the result, as is x
    Tensor y = x;
    if (min.defined()) y = where(logical_or(lt(y, min), ne(min, min)), min, y);
    if (max.defined()) y = where(logical_or(gt(y, max), ne(max, max)), max, y);
    return y;
  });
}

Tensor square(const Tensor& x) {
  return detail::with_name("square", [&] { return is_whole(x) ? pow(x, 2) : pow(x, 2.0); });
}

Tensor reciprocal(const Tensor& x) {
  return detail::with_name("reciprocal", [&] { return div(1.0, x); });
}

Tensor logit(const Tensor& x, std::optional<double> eps) {
  return detail::with_name("logit", [&] {
    return in_float(x, [&](const Tensor& p) {
      const Tensor clamped = eps ? clamp(p, *eps, 1 - *eps) : p;
      return log(div(clamped, sub(1.0, clamped)));
    });
  });
}

Tensor nan_to_num(const Tensor& x, double nan, std::optional<double> posinf, std::optional<double> neginf) {
  check_defined("nan_to_num", x);
  if (is_whole(x)) return x.clone();
  const double most = x.dtype() == DType::float64    ? std::numeric_limits<double>::max()
                      : x.dtype() == DType::float16  ? 65504.0
                      : x.dtype() == DType::bfloat16 ? 0x1.fep127
                                                     : static_cast<double>(std::numeric_limits<float>::max());
  return detail::with_name("nan_to_num", [&] {
    Tensor y = masked_fill(x, isnan(x), nan);
    y = masked_fill(y, isposinf(x), posinf.value_or(most));
    return masked_fill(y, isneginf(x), neginf.value_or(-most));
  });
}

// --- logic

Tensor logical_not(const Tensor& x) {
  return detail::with_name("logical_not", [&] { return eq(x, 0); });
}

Tensor logical_and(const Tensor& a, const Tensor& b) {
  return detail::with_name("logical_and", [&] { return bitwise_and(to(a, DType::bool_), to(b, DType::bool_)); });
}

Tensor logical_or(const Tensor& a, const Tensor& b) {
  return detail::with_name("logical_or", [&] { return bitwise_or(to(a, DType::bool_), to(b, DType::bool_)); });
}

Tensor logical_xor(const Tensor& a, const Tensor& b) {
  return detail::with_name("logical_xor", [&] { return bitwise_xor(to(a, DType::bool_), to(b, DType::bool_)); });
}

Tensor isnan(const Tensor& x) {
  return detail::with_name("isnan", [&] { return ne(x, x); });
}

Tensor isposinf(const Tensor& x) {
  return detail::with_name("isposinf", [&] { return eq(x, kInfinity); });
}

Tensor isneginf(const Tensor& x) {
  return detail::with_name("isneginf", [&] { return eq(x, -kInfinity); });
}

Tensor isinf(const Tensor& x) {
  return detail::with_name("isinf", [&] { return bitwise_or(eq(x, kInfinity), eq(x, -kInfinity)); });
}

Tensor isfinite(const Tensor& x) {
  return detail::with_name("isfinite", [&] { return bitwise_and(lt(x, kInfinity), gt(x, -kInfinity)); });
}

Tensor isclose(const Tensor& a, const Tensor& b, const CloseOptions& options) {
  if (!(options.rtol >= 0 && options.atol >= 0)) {
    ops::fail<ValueError>("isclose", "tolerances of at least 0, got rtol ", options.rtol, " and atol ", options.atol);
  }
  return detail::with_name("isclose", [&] {
    const Tensor same = eq(a, b);  // and of one dtype
    const Tensor u = is_whole(a) ? a.to(DType::float64) : a.detach();
    const Tensor v = is_whole(b) ? b.to(DType::float64) : b.detach();
    const Tensor distance = abs(sub(u, v));
    const Tensor close = le(distance, add(mul(abs(v), options.rtol), options.atol));
    Tensor result = bitwise_or(same, bitwise_and(close, isfinite(distance)));
    if (options.equal_nan) result = bitwise_or(result, bitwise_and(isnan(u), isnan(v)));
    return result;
  });
}

bool allclose(const Tensor& a, const Tensor& b, const CloseOptions& options) {
  return detail::with_name("allclose", [&] { return all(isclose(a, b, options)).item<bool>(); });
}

bool equal(const Tensor& a, const Tensor& b) {
  check_defined("equal", a);
  check_defined("equal", b);
  return detail::with_name("equal", [&] { return a.shape() == b.shape() && all(eq(a, b)).item<bool>(); });
}

// --- activations

Tensor celu(const Tensor& x, double alpha) {
  if (alpha == 0) ops::fail<ValueError>("celu", "alpha that is not 0, got 0");
  return detail::with_name("celu", [&] { return mul(elu(div(x, alpha)), alpha); });
}

Tensor selu(const Tensor& x) {
  constexpr double kAlpha = 1.6732632423543772848170429916717, kScale = 1.0507009873554804934193349852946;
  return detail::with_name("selu", [&] { return mul(elu(x, kAlpha), kScale); });
}

Tensor mish(const Tensor& x) {
  return detail::with_name("mish", [&] { return mul(x, tanh(softplus(x))); });
}

Tensor logsigmoid(const Tensor& x) {
  return detail::with_name("logsigmoid", [&] { return neg(softplus(neg(x))); });
}

Tensor softsign(const Tensor& x) {
  return detail::with_name("softsign", [&] { return div(x, add(abs(x), 1.0)); });
}

Tensor tanhshrink(const Tensor& x) {
  return detail::with_name("tanhshrink", [&] { return sub(x, tanh(x)); });
}

Tensor hardshrink(const Tensor& x, double lambda) {
  return detail::with_name("hardshrink", [&] { return masked_fill(x, le(abs(x), lambda), 0); });
}

Tensor softshrink(const Tensor& x, double lambda) {
  if (!(lambda >= 0)) ops::fail<ValueError>("softshrink", "lambda of at least 0, got ", lambda);
  return detail::with_name("softshrink", [&] { return sub(x, clamp(x, -lambda, lambda)); });
}

Tensor threshold(const Tensor& x, double threshold, double value) {
  return detail::with_name("threshold", [&] { return masked_fill(x, le(x, threshold), value); });
}

Tensor glu(const Tensor& x, Integer dim) {
  check_defined("glu", x);
  const std::size_t place = ops::check_real_dim("glu", dim, x.shape());
  const std::int64_t size = x.shape()[place];
  if (size % 2 != 0) {
    ops::fail<ShapeError>("glu", "an even size of dimension ", place, ", got input ", x.shape());
  }
  return detail::with_name("glu",
                           [&] { return mul(slice(x, place, 0, size / 2), sigmoid(slice(x, place, size / 2, size))); });
}

Tensor softmin(const Tensor& x, Integer dim) {
  return detail::with_name("softmin", [&] { return softmax(neg(x), dim); });
}

}  // namespace teff

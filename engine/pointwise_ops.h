// SPDX-License-Identifier: MIT
#pragma once

// Arithmetic and functions of each element. ops.h says what holds for all.

#include <optional>
#include <utility>

#include "teff/engine/tensor.h"

namespace TEFF_EXPORT teff {

// --- element-wise, with broadcasting as in PyTorch; also for int64, but for div and pow

Tensor add(const Tensor& a, const Tensor& b);
Tensor sub(const Tensor& a, const Tensor& b);
Tensor mul(const Tensor& a, const Tensor& b);
Tensor div(const Tensor& a, const Tensor& b);
Tensor maximum(const Tensor& a, const Tensor& b);  // at equal values each gets half of the gradient
Tensor minimum(const Tensor& a, const Tensor& b);
Tensor pow(const Tensor& base, const Tensor& exponent);

Tensor add(const Tensor& a, double b);
Tensor sub(const Tensor& a, double b);
Tensor sub(double a, const Tensor& b);
Tensor mul(const Tensor& a, double b);
Tensor div(const Tensor& a, double b);
Tensor div(double a, const Tensor& b);
Tensor pow(const Tensor& base, double exponent);

inline Tensor operator+(const Tensor& a, const Tensor& b) { return add(a, b); }
inline Tensor operator-(const Tensor& a, const Tensor& b) { return sub(a, b); }
inline Tensor operator*(const Tensor& a, const Tensor& b) { return mul(a, b); }
inline Tensor operator/(const Tensor& a, const Tensor& b) { return div(a, b); }
inline Tensor operator+(const Tensor& a, double b) { return add(a, b); }
inline Tensor operator-(const Tensor& a, double b) { return sub(a, b); }
inline Tensor operator*(const Tensor& a, double b) { return mul(a, b); }
inline Tensor operator/(const Tensor& a, double b) { return div(a, b); }
inline Tensor operator+(double a, const Tensor& b) { return add(b, a); }
inline Tensor operator-(double a, const Tensor& b) { return sub(a, b); }
inline Tensor operator*(double a, const Tensor& b) { return mul(b, a); }
inline Tensor operator/(double a, const Tensor& b) { return div(a, b); }

// --- element by element. neg and abs also for int64. Where x is taken by value and nobody else holds its elements, as
// in relu(conv(x)), the result takes their memory, unless the gradient needs them.

Tensor neg(Tensor x);
Tensor exp(Tensor x);
Tensor log(Tensor x);
Tensor sqrt(Tensor x);
Tensor abs(Tensor x);  // derivative at 0: 0
/// max(min, min(max, x)); at least one bound. The gradient passes where min <= x <= max.
Tensor clamp(Tensor x, std::optional<double> min, std::optional<double> max = {});
Tensor relu(Tensor x);  // max(x, 0); derivative at 0: 0
Tensor leaky_relu(Tensor x, double negative_slope = 0.01);
Tensor sigmoid(Tensor x);  // 1 / (1 + exp(-x))
Tensor tanh(Tensor x);
/// x > 0 ? x : weight * x. The weight is [C], for x [N, C, ...], or of one element.
Tensor prelu(const Tensor& x, const Tensor& weight);
/// clamp, but the gradient passes only where min < x < max. @throws ValueError unless min < max.
Tensor hardtanh(Tensor x, double min = -1, double max = 1);
inline Tensor relu6(Tensor x) { return hardtanh(std::move(x), 0, 6); }
Tensor elu(Tensor x, double alpha = 1);  // x > 0 ? x : alpha * (exp(x) - 1)
Tensor silu(Tensor x);                   // x * sigmoid(x)
Tensor hardswish(Tensor x);              // x * relu6(x + 3) / 6
Tensor hardsigmoid(Tensor x);            // relu6(x + 3) / 6
/// log(1 + exp(beta * x)) / beta, and x itself where beta * x > threshold.
Tensor softplus(Tensor x, double beta = 1, double threshold = 20);
enum class GeluApproximation { none, tanh };
/// x times the normal distribution function of x, or x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x^3))) / 2.
Tensor gelu(Tensor x, GeluApproximation approximate = GeluApproximation::none);
/// Another dtype, element by element (Tensor::to). The gradient passes between float32 and float64.
Tensor to(const Tensor& x, DType dtype);

}  // namespace teff

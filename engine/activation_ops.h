// SPDX-License-Identifier: MIT
#pragma once

// Activations, element by element. Where x is taken by value and nobody else holds its elements, as in relu(conv(x)),
// the result takes their memory, unless the gradient needs them. ops.h says what holds for all functions.

#include <cstdint>
#include <utility>

#include "teff/engine/tensor.h"

namespace TEFF_EXPORT teff {

Tensor relu(Tensor x);  // max(x, 0); derivative at 0: 0. Also of whole numbers.
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

// Made of the others.

Tensor celu(const Tensor& x, double alpha = 1);           // x > 0 ? x : alpha * (exp(x / alpha) - 1)
Tensor selu(const Tensor& x);                             // 1.0507... * elu(x, 1.6732...) (Klambauer et al., 2017)
Tensor mish(const Tensor& x);                             // x * tanh(softplus(x)) (Misra, 2019)
Tensor logsigmoid(const Tensor& x);                       // log(sigmoid(x))
Tensor softsign(const Tensor& x);                         // x / (1 + |x|)
Tensor tanhshrink(const Tensor& x);                       // x - tanh(x)
Tensor hardshrink(const Tensor& x, double lambda = 0.5);  // |x| <= lambda ? 0 : x
Tensor softshrink(const Tensor& x, double lambda = 0.5);  // nearer to 0 by lambda, or 0
Tensor threshold(const Tensor& x, double threshold, double value);  // x <= threshold ? value : x
/// a * sigmoid(b), for the halves a and b of x along `dim`. @throws ShapeError if its size is odd.
Tensor glu(const Tensor& x, Integer dim = -1);
Tensor softmin(const Tensor& x, Integer dim);  // softmax(-x)

}  // namespace teff

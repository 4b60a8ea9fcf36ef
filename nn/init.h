// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "teff/engine/tensor.h"

// Initialisers: torch.nn.init. They fill a tensor in place, parameters included, draw from the default generator the
// numbers that PyTorch draws, and return the tensor. A tensor without elements is left alone.

namespace TEFF_EXPORT teff {
namespace nn::init {

const Tensor& uniform_(const Tensor& tensor, double from = 0, double to = 1);
const Tensor& normal_(const Tensor& tensor, double mean = 0, double std = 1);
const Tensor& constant_(const Tensor& tensor, double value);
const Tensor& zeros_(const Tensor& tensor);
const Tensor& ones_(const Tensor& tensor);

/// What follows the layer.
enum class Nonlinearity { linear, sigmoid, tanh, relu, leaky_relu, selu };

/// linear, sigmoid: 1; tanh: 5/3; relu: sqrt(2); leaky_relu: sqrt(2 / (1 + negative_slope^2)); selu: 3/4.
double calculate_gain(Nonlinearity nonlinearity, double negative_slope = 0.01);

struct Fans {
  std::int64_t in;   // size(1) * receptive field
  std::int64_t out;  // size(0) * receptive field
};
/// Of a weight [out, in] or [out, in, h, w]. @throws ShapeError for fewer than 2 dimensions.
Fans calculate_fan_in_and_fan_out(const Tensor& tensor);

enum class FanMode { fan_in, fan_out };

struct KaimingOptions {
  double a = 0;                    // negative slope of the leaky_relu that follows
  FanMode mode = FanMode::fan_in;  // keeps the variance in the forward pass; fan_out: in the backward pass
  Nonlinearity nonlinearity = Nonlinearity::leaky_relu;
};

/// Uniform on [-b, b] with b = gain * sqrt(3 / fan) (He et al., 2015).
const Tensor& kaiming_uniform_(const Tensor& tensor, const KaimingOptions& options = {});
/// Normal with mean 0 and standard deviation gain / sqrt(fan).
const Tensor& kaiming_normal_(const Tensor& tensor, const KaimingOptions& options = {});
/// Uniform on [-b, b] with b = gain * sqrt(6 / (fan_in + fan_out)) (Glorot and Bengio, 2010).
const Tensor& xavier_uniform_(const Tensor& tensor, double gain = 1);
/// Normal with mean 0 and standard deviation gain * sqrt(2 / (fan_in + fan_out)).
const Tensor& xavier_normal_(const Tensor& tensor, double gain = 1);

/// Normal with mean and std, but within [a, b].
const Tensor& trunc_normal_(const Tensor& tensor, double mean = 0, double std = 1, double a = -2, double b = 2);
/// A (semi-)orthogonal matrix [size(0), the rest] times gain (Saxe et al., 2014): rows or columns of length gain, each
/// orthogonal to the others. @throws ShapeError for fewer than 2 dimensions.
const Tensor& orthogonal_(const Tensor& tensor, double gain = 1);
/// The identity. @throws ShapeError unless the tensor is a matrix.
const Tensor& eye_(const Tensor& tensor);
/// A convolution that hands as many of its input's channels on as it can, in each of the groups: [out, in, k...].
/// @throws ShapeError unless there are 3 to 5 dimensions; ValueError if groups does not divide size(0).
const Tensor& dirac_(const Tensor& tensor, std::int64_t groups = 1);
/// Normal with mean 0, but this part of each column is 0 (Martens, 2010). @throws ShapeError unless the tensor is a
/// matrix; ValueError for a sparsity outside [0, 1].
const Tensor& sparse_(const Tensor& tensor, double sparsity, double std = 0.01);

/// How Linear and Conv2d begin: weight kaiming_uniform_ with a = sqrt(5), then the bias, if any, uniform on [-b, b]
/// with b = 1 / sqrt(fan_in).
void reset_affine_(const Tensor& weight, const Tensor& bias);

}  // namespace nn::init
}  // namespace teff

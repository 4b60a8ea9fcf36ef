// SPDX-License-Identifier: MIT
#include "teff/nn/init.h"

#include <cmath>

#include "teff/engine/autograd.h"
#include "teff/engine/error.h"

namespace teff::nn::init {
namespace {

double kaiming_std(const Tensor& tensor, const KaimingOptions& options) {
  const Fans fans = calculate_fan_in_and_fan_out(tensor);
  const std::int64_t fan = options.mode == FanMode::fan_in ? fans.in : fans.out;
  return calculate_gain(options.nonlinearity, options.a) / std::sqrt(static_cast<double>(fan));
}

double xavier_std(const Tensor& tensor, double gain) {
  const Fans fans = calculate_fan_in_and_fan_out(tensor);
  return gain * std::sqrt(2.0 / static_cast<double>(fans.in + fans.out));
}

}  // namespace

const Tensor& uniform_(const Tensor& tensor, double from, double to) {
  const NoGradGuard no_grad;
  return tensor.uniform_(from, to);
}

const Tensor& normal_(const Tensor& tensor, double mean, double std) {
  const NoGradGuard no_grad;
  return tensor.normal_(mean, std);
}

const Tensor& constant_(const Tensor& tensor, double value) {
  const NoGradGuard no_grad;
  return tensor.fill_(value);
}

const Tensor& zeros_(const Tensor& tensor) { return constant_(tensor, 0); }
const Tensor& ones_(const Tensor& tensor) { return constant_(tensor, 1); }

double calculate_gain(Nonlinearity nonlinearity, double negative_slope) {
  switch (nonlinearity) {
    case Nonlinearity::linear:
    case Nonlinearity::sigmoid:
      return 1;
    case Nonlinearity::tanh:
      return 5.0 / 3;
    case Nonlinearity::relu:
      return std::sqrt(2.0);
    case Nonlinearity::leaky_relu:
      return std::sqrt(2.0 / (1 + negative_slope * negative_slope));
    case Nonlinearity::selu:
      return 3.0 / 4;
  }
  throw ValueError("calculate_gain: expected a known nonlinearity, got another value");
}

Fans calculate_fan_in_and_fan_out(const Tensor& tensor) {
  if (tensor.dim() < 2) {
    throw ShapeError("calculate_fan_in_and_fan_out: expected at least 2 dimensions, got " + to_string(tensor.shape()));
  }
  std::int64_t receptive_field = 1;
  for (std::int64_t dim = 2; dim < tensor.dim(); ++dim) receptive_field *= tensor.size(dim);
  return {tensor.size(1) * receptive_field, tensor.size(0) * receptive_field};
}

const Tensor& kaiming_uniform_(const Tensor& tensor, const KaimingOptions& options) {
  if (tensor.numel() == 0) return tensor;
  const double bound = std::sqrt(3.0) * kaiming_std(tensor, options);
  return uniform_(tensor, -bound, bound);
}

const Tensor& kaiming_normal_(const Tensor& tensor, const KaimingOptions& options) {
  if (tensor.numel() == 0) return tensor;
  return normal_(tensor, 0, kaiming_std(tensor, options));
}

const Tensor& xavier_uniform_(const Tensor& tensor, double gain) {
  if (tensor.numel() == 0) return tensor;
  const double bound = std::sqrt(3.0) * xavier_std(tensor, gain);
  return uniform_(tensor, -bound, bound);
}

const Tensor& xavier_normal_(const Tensor& tensor, double gain) {
  if (tensor.numel() == 0) return tensor;
  return normal_(tensor, 0, xavier_std(tensor, gain));
}

void reset_affine_(const Tensor& weight, const Tensor& bias) {
  kaiming_uniform_(weight, {.a = std::sqrt(5.0)});
  if (!bias.defined()) return;
  const double bound = 1 / std::sqrt(static_cast<double>(calculate_fan_in_and_fan_out(weight).in));
  uniform_(bias, -bound, bound);
}

}  // namespace teff::nn::init

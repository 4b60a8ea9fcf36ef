// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

#include "teff/engine/autograd.h"
#include "teff/engine/error.h"
#include "teff/engine/ops.h"
#include "teff/nn/init.h"
#include "teff/nn/text.h"

namespace teff::nn::init {
namespace {

/// The number whose error function is y: Winitzki's approximation, then steps of Halley's method.
double erfinv(double y) {
  if (!(std::abs(y) < 1)) return y * std::numeric_limits<double>::infinity();
  const double w = -std::log((1 - y) * (1 + y)), sign = y < 0 ? -1 : 1;
  const double b = 4.3307 - w / 2, c = w / 0.147;
  double x = sign * std::sqrt(std::sqrt(b * b + c) - b);
  for (int step = 0; step < 6; ++step) {
    const double error = std::erf(x) - y;
    const double slope = 2 / std::sqrt(std::numbers::pi) * std::exp(-x * x);
    if (error == 0 || slope == 0) break;
    x -= error / (slope + x * error);  // Halley
  }
  return x;
}

double normal_cdf(double x) { return (1 + std::erf(x / std::numbers::sqrt2)) / 2; }

void check_matrix(const char* name, const Tensor& tensor) {
  if (tensor.dim() == 2) return;
  throw ShapeError(std::string(name) + ": expected a matrix, got " + to_string(tensor.shape()));
}

/// Writes the values, converted, to the tensor.
const Tensor& assign(const Tensor& tensor, const Tensor& values) {
  const NoGradGuard no_grad;
  return tensor.copy_(values.view(tensor.shape()));
}

/// The rows of [count, length], count <= length, made orthogonal to each other and of length 1, one after the other:
/// twice, against rounding. It is Q of the transpose's QR with a positive diagonal of R.
void orthogonalise(std::vector<double>& rows, std::int64_t count, std::int64_t length) {
  const auto row = [&](std::int64_t i) { return rows.data() + i * length; };
  for (std::int64_t i = 0; i < count; ++i) {
    for (int pass = 0; pass < 2; ++pass) {
      for (std::int64_t j = 0; j < i; ++j) {
        double product = 0;
        for (std::int64_t k = 0; k < length; ++k) product += row(i)[k] * row(j)[k];
        for (std::int64_t k = 0; k < length; ++k) row(i)[k] -= product * row(j)[k];
      }
    }
    double squares = 0;
    for (std::int64_t k = 0; k < length; ++k) squares += row(i)[k] * row(i)[k];
    for (std::int64_t k = 0; k < length; ++k) row(i)[k] /= std::sqrt(squares);
  }
}

}  // namespace

/// What is drawn is uniform, and goes through the inverse of the normal distribution function.
const Tensor& trunc_normal_(const Tensor& tensor, double mean, double std, double a, double b) {
  const double low = normal_cdf((a - mean) / std), high = normal_cdf((b - mean) / std);
  uniform_(tensor, 2 * low - 1, 2 * high - 1);
  const Tensor values = tensor.detach().to(DType::float64).clone();
  for (double& value : values.span<double>()) {
    value = std::clamp(erfinv(value) * std * std::numbers::sqrt2 + mean, a, b);
  }
  return assign(tensor, values);
}

const Tensor& orthogonal_(const Tensor& tensor, double gain) {
  if (tensor.dim() < 2) {
    throw ShapeError("orthogonal_: expected at least 2 dimensions, got " + to_string(tensor.shape()));
  }
  if (tensor.numel() == 0) return tensor;
  const std::int64_t count = tensor.size(0), length = tensor.numel() / count;
  const Tensor drawn = normal_(empty({count, length}, {.dtype = tensor.dtype()})).to(DType::float64);
  const bool tall = count > length;  // then the columns are made orthogonal
  const Tensor matrix = tall ? drawn.t() : drawn;
  std::vector<double> rows(matrix.span<double>().begin(), matrix.span<double>().end());
  orthogonalise(rows, std::min(count, length), std::max(count, length));
  for (double& value : rows) value *= gain;
  const Tensor result = teff::tensor<double>(rows, matrix.shape());
  return assign(tensor, tall ? result.t() : result);
}

const Tensor& eye_(const Tensor& tensor) {
  check_matrix("eye_", tensor);
  const Tensor values = zeros(tensor.shape(), {.dtype = DType::float64});
  const std::int64_t columns = tensor.size(1);
  for (std::int64_t i = 0; i < std::min(tensor.size(0), columns); ++i) values.data<double>()[i * columns + i] = 1;
  return assign(tensor, values);
}

const Tensor& dirac_(const Tensor& tensor, std::int64_t groups) {
  const Shape& shape = tensor.shape();
  if (shape.size() < 3 || shape.size() > 5) {
    throw ShapeError("dirac_: expected 3, 4 or 5 dimensions, got " + to_string(shape));
  }
  detail::expect_divisible("dirac_", "size(0)", shape[0], groups);
  const Tensor values = zeros(shape, {.dtype = DType::float64});
  std::int64_t middle = 0, volume = 1;
  for (std::size_t i = 2; i < shape.size(); ++i) {
    middle = middle * shape[i] + shape[i] / 2;
    volume *= shape[i];
  }
  const std::int64_t out = shape[0] / groups;
  for (std::int64_t group = 0; volume > 0 && group < groups; ++group) {
    for (std::int64_t i = 0; i < std::min(out, shape[1]); ++i) {
      values.data<double>()[((group * out + i) * shape[1] + i) * volume + middle] = 1;
    }
  }
  return assign(tensor, values);
}

const Tensor& sparse_(const Tensor& tensor, double sparsity, double std) {
  check_matrix("sparse_", tensor);
  detail::expect(sparsity >= 0 && sparsity <= 1, "sparse_", "sparsity in [0, 1]", detail::python_float(sparsity));
  const std::int64_t rows = tensor.size(0), columns = tensor.size(1);
  normal_(tensor, 0, std);
  const Tensor values = tensor.detach().to(DType::float64).clone();
  const auto zeros_in_column = static_cast<std::int64_t>(std::ceil(sparsity * static_cast<double>(rows)));
  for (std::int64_t column = 0; column < columns; ++column) {
    const Tensor order = randperm(rows);
    for (std::int64_t i = 0; i < zeros_in_column; ++i) {
      values.data<double>()[order.data<std::int64_t>()[i] * columns + column] = 0;
    }
  }
  return assign(tensor, values);
}

}  // namespace teff::nn::init

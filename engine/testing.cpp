// SPDX-License-Identifier: MIT
#include "teff/engine/testing.h"

#include <cmath>
#include <cstdio>

#include "teff/engine/autograd.h"
#include "teff/engine/error.h"
#include "teff/engine/op.h"
#include "teff/engine/ops.h"
#include "teff/engine/text.h"

namespace teff {
namespace {

std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.9g", value);
  return text;
}

bool close(double a, double b, const Tolerance& tolerance) {
  if (std::isnan(a) || std::isnan(b)) return tolerance.equal_nan && std::isnan(a) && std::isnan(b);
  if (std::isinf(a) || std::isinf(b)) return a == b;
  return std::fabs(a - b) <= tolerance.atol + tolerance.rtol * std::fabs(b);
}

void check_types(const char* function, const Tensor& a, const Tensor& b) {
  if (a.type() == b.type()) return;
  const std::string text = std::string(function) + ": expected tensors of one type, got " + detail::describe(a.type()) +
                           " and " + detail::describe(b.type());
  if (a.dtype() != b.dtype()) throw TypeError(text);
  throw ShapeError(text);
}

Tolerance default_tolerance(DType dtype) {
  switch (dtype) {
    case DType::float32:
      return {1.3e-6, 1e-5, false};
    case DType::float64:
      return {1e-7, 1e-7, false};
    case DType::float16:
      return {1e-3, 1e-5, false};
    case DType::bfloat16:
      return {1.6e-2, 1e-5, false};
    default:
      return {0, 0, false};
  }
}

/// Weights that no symmetry of an operation cancels.
Tensor weights_for(const Tensor& result) {
  Tensor weights = empty(result.shape(), {.dtype = DType::float64});
  std::int64_t i = 0;
  for (double& weight : weights.span<double>()) weight = 0.5 + std::sin(1.7 * static_cast<double>(i++) + 0.3);
  return weights;
}

double weighted_sum(const GradcheckFunction& function, std::span<const Tensor> inputs) {
  const NoGradGuard no_grad;
  const Tensor result = function(inputs);
  return sum(result * weights_for(result)).item<double>();
}

void check_input(const GradcheckFunction& function, std::span<const Tensor> inputs, std::size_t which,
                 const Tensor& grad, const GradcheckOptions& options) {
  const Tensor& input = inputs[which];
  double* values = input.data<double>();
  for (std::int64_t i = 0; i < input.numel(); ++i) {
    const double value = values[i];
    values[i] = value + options.eps;
    const double above = weighted_sum(function, inputs);
    values[i] = value - options.eps;
    const double below = weighted_sum(function, inputs);
    values[i] = value;
    const double expected = (above - below) / (2 * options.eps);
    const double actual = grad.defined() ? grad.data<double>()[i] : 0;
    if (close(actual, expected, {options.rtol, options.atol, false})) continue;
    throw Error("gradcheck: expected gradient " + number(expected) + " (by central difference) for input " +
                std::to_string(which) + " at " + detail::coordinates(input.shape(), i) + ", got " + number(actual));
  }
}

}  // namespace

void assert_close(const Tensor& actual, const Tensor& expected) {
  assert_close(actual, expected, default_tolerance(expected.dtype()));
}

void assert_close(const Tensor& actual, const Tensor& expected, const Tolerance& tolerance) {
  check_types("assert_close", actual, expected);
  const Tensor x = actual.detach().to(DType::float64), y = expected.detach().to(DType::float64);
  std::int64_t mismatches = 0, worst = -1;
  double greatest = -1;
  for (std::int64_t i = 0; i < x.numel(); ++i) {
    const double a = x.data<double>()[i], b = y.data<double>()[i];
    if (close(a, b, tolerance)) continue;
    ++mismatches;
    const double difference = std::isnan(a - b) ? HUGE_VAL : std::fabs(a - b);
    if (difference > greatest) {
      greatest = difference;
      worst = i;
    }
  }
  if (mismatches == 0) return;
  const double a = x.data<double>()[worst], b = y.data<double>()[worst];
  throw Error("assert_close: expected values within rtol " + number(tolerance.rtol) + " and atol " +
              number(tolerance.atol) + ", got " + std::to_string(mismatches) + " of " + std::to_string(x.numel()) +
              " outside; the worst at " + detail::coordinates(x.shape(), worst) + ": " + number(a) + " instead of " +
              number(b) + ", difference " + number(greatest) + ", relative " + number(greatest / std::fabs(b)));
}

void gradcheck(const GradcheckFunction& function, std::span<const Tensor> inputs, const GradcheckOptions& options) {
  if (!function) throw TypeError("gradcheck: expected a function, got an empty one");
  std::vector<Tensor> leaves;
  for (const Tensor& input : inputs) {
    if (input.requires_grad() && input.dtype() != DType::float64) {
      throw TypeError("gradcheck: expected float64 inputs, got " + detail::describe(input.type()));
    }
    Tensor leaf = input.detach().clone();
    leaf.requires_grad_(input.requires_grad());
    leaves.push_back(std::move(leaf));
  }
  const Tensor result = function(leaves);
  if (result.requires_grad()) sum(result * weights_for(result)).backward();
  for (std::size_t i = 0; i < leaves.size(); ++i) {
    if (!leaves[i].requires_grad()) continue;
    check_input(function, leaves, i, leaves[i].grad(), options);
  }
}

}  // namespace teff

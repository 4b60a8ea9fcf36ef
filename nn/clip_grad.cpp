// SPDX-License-Identifier: MIT
#include "teff/nn/clip_grad.h"

#include <algorithm>
#include <cmath>

#include "teff/engine/autograd.h"
#include "teff/engine/error.h"
#include "teff/engine/ops.h"
#include "teff/engine/parallel.h"
#include "teff/nn/text.h"

namespace teff::nn {
namespace {

constexpr std::int64_t kBlock = 16384;  // values that are summed as one

/// The sum of |x|^p, or the largest |x| for infinite p; NaN wins.
class Power {
 public:
  explicit Power(double p) : p_(p) {}

  double combine(double a, double b) const { return std::isinf(p_) ? (a >= b || std::isnan(a) ? a : b) : a + b; }
  double of(double x) const {
    if (p_ == 2) return x * x;
    if (p_ == 1 || std::isinf(p_)) return std::abs(x);
    return std::pow(std::abs(x), p_);
  }
  double root(double sum) const {
    if (p_ == 2) return std::sqrt(sum);
    return p_ == 1 || std::isinf(p_) ? sum : std::pow(sum, 1 / p_);
  }

 private:
  double p_;
};

template <class T>
double total(const Power& power, std::span<const T> values) {
  std::vector<double> sums((values.size() + kBlock - 1) / kBlock);
  parallel_ranges(static_cast<std::int64_t>(values.size()), kBlock, [&](std::int64_t begin, std::int64_t end) {
    double sum = 0;
    for (std::int64_t i = begin; i < end; ++i) {
      sum = power.combine(sum, power.of(static_cast<double>(values[static_cast<std::size_t>(i)])));
    }
    sums[static_cast<std::size_t>(begin / kBlock)] = sum;
  });
  double sum = 0;
  for (const double block : sums) sum = power.combine(sum, block);
  return sum;
}

std::vector<Tensor> grads_of(std::span<const Tensor> parameters) {
  std::vector<Tensor> grads;
  for (const Tensor& parameter : parameters) {
    if (parameter.grad().defined()) grads.push_back(parameter.grad());
  }
  return grads;
}

void expect_bound(const char* function, const char* name, double value) {
  detail::expect(value >= 0, function, std::string(name) + " >= 0", detail::python_float(value));
}

}  // namespace

double clip_grad_norm_(std::span<const Tensor> parameters, double max_norm, const ClipGradNormOptions& options) {
  expect_bound("clip_grad_norm_", "max_norm", max_norm);
  detail::expect(options.norm_type > 0, "clip_grad_norm_", "norm_type > 0", detail::python_float(options.norm_type));
  const NoGradGuard no_grad;
  const std::vector<Tensor> grads = grads_of(parameters);
  const Power power(options.norm_type);
  double sum = 0;
  for (const Tensor& grad : grads) {
    const double part = grad.dtype() == DType::float32 ? total<float>(power, grad.span<float>())
                                                       : total<double>(power, grad.span<double>());
    sum = power.combine(sum, part);
  }
  const double norm = power.root(sum);
  if (options.error_if_nonfinite && !std::isfinite(norm)) {
    throw Error("clip_grad_norm_: expected gradients with a finite norm, got " + detail::python_float(norm));
  }
  const double factor = max_norm / (norm + 1e-6);
  if (factor >= 1) return norm;
  for (const Tensor& grad : grads) grad.mul_(factor);
  return norm;
}

void clip_grad_value_(std::span<const Tensor> parameters, double clip_value) {
  expect_bound("clip_grad_value_", "clip_value", clip_value);
  const NoGradGuard no_grad;
  for (const Tensor& grad : grads_of(parameters)) grad.copy_(grad.clamp(-clip_value, clip_value));
}

}  // namespace teff::nn

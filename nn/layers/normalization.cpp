// SPDX-License-Identifier: MIT
#include "teff/nn/layers/normalization.h"

#include "teff/engine/error.h"
#include "teff/engine/ops.h"
#include "teff/nn/text.h"

namespace teff::nn {
namespace {

void check_eps(const char* layer, double eps) {
  detail::expect(eps >= 0, layer, "eps >= 0", detail::python_float(eps));
}

void check_normalized_shape(const char* layer, const Shape& normalized_shape) {
  detail::expect(!normalized_shape.empty(), layer, "a normalized_shape of at least 1 dimension", "()");
  for (const std::int64_t size : normalized_shape) {
    detail::expect_at_least(1, layer, "sizes in normalized_shape", size);
  }
}

}  // namespace

GroupNorm::GroupNorm(Integer num_groups, Integer num_channels, const GroupNormOptions& options)
    : num_groups_(num_groups), num_channels_(num_channels), options_(options) {
  detail::expect_at_least(1, "GroupNorm", "num_groups", num_groups);
  detail::expect_at_least(1, "GroupNorm", "num_channels", num_channels);
  detail::expect(num_channels % num_groups == 0, "GroupNorm", "num_channels divisible by num_groups",
                 std::to_string(num_channels) + " and " + std::to_string(num_groups));
  check_eps("GroupNorm", options.eps);
  if (!options.affine) return;
  weight = ones({num_channels});
  bias = zeros({num_channels});
}

Tensor GroupNorm::forward(const Tensor& input) {
  if (input.dim() < 2 || input.size(1) != num_channels_) {
    throw ShapeError("GroupNorm: expected input [N, " + std::to_string(num_channels_) + ", ...], got " +
                     to_string(input.shape()));
  }
  return group_norm(input, num_groups_, weight, bias, options_.eps);
}

std::string GroupNorm::extra_repr() const {
  return std::to_string(num_groups_) + ", " + std::to_string(num_channels_) +
         ", eps=" + detail::python_float(options_.eps) + ", affine=" + detail::python_bool(options_.affine);
}

LayerNorm::LayerNorm(const Shape& normalized_shape, const LayerNormOptions& options)
    : normalized_shape_(normalized_shape), options_(options) {
  check_normalized_shape("LayerNorm", normalized_shape);
  check_eps("LayerNorm", options.eps);
  if (!options.elementwise_affine) return;
  weight = ones(normalized_shape);
  bias = zeros(normalized_shape);
}

Tensor LayerNorm::forward(const Tensor& input) {
  return layer_norm(input, normalized_shape_, weight, bias, options_.eps);
}

std::string LayerNorm::extra_repr() const {
  return detail::tuple(normalized_shape_) + ", eps=" + detail::python_float(options_.eps) +
         ", elementwise_affine=" + detail::python_bool(options_.elementwise_affine);
}

RMSNorm::RMSNorm(const Shape& normalized_shape, const RMSNormOptions& options)
    : normalized_shape_(normalized_shape), options_(options) {
  check_normalized_shape("RMSNorm", normalized_shape);
  check_eps("RMSNorm", options.eps.value_or(0));
  if (options.elementwise_affine) weight = ones(normalized_shape);
}

Tensor RMSNorm::forward(const Tensor& input) { return rms_norm(input, normalized_shape_, weight, options_.eps); }

std::string RMSNorm::extra_repr() const {
  return detail::tuple(normalized_shape_) + ", eps=" + (options_.eps ? detail::python_float(*options_.eps) : "None") +
         ", elementwise_affine=" + detail::python_bool(options_.elementwise_affine);
}

LocalResponseNorm::LocalResponseNorm(Integer size, double alpha, double beta, double k)
    : size_(size), alpha_(alpha), beta_(beta), k_(k) {
  detail::expect_at_least(1, "LocalResponseNorm", "size", size);
}

Tensor LocalResponseNorm::forward(const Tensor& input) {
  return local_response_norm(input, size_, {.alpha = alpha_, .beta = beta_, .k = k_});
}

std::string LocalResponseNorm::extra_repr() const {
  return std::to_string(size_) + ", alpha=" + detail::python_float(alpha_) + ", beta=" + detail::python_float(beta_) +
         ", k=" + detail::python_float(k_);
}

CrossMapLRN2d::CrossMapLRN2d(Integer size, double alpha, double beta, double k)
    : size_(size), alpha_(alpha), beta_(beta), k_(k) {
  detail::expect_at_least(1, "CrossMapLRN2d", "size", size);
}

Tensor CrossMapLRN2d::forward(const Tensor& input) {
  if (input.dim() != 4) {
    throw ShapeError("CrossMapLRN2d: expected input [N, C, H, W], got " + to_string(input.shape()));
  }
  const std::int64_t side = (size_ - 1) / 2, channels = input.size(1);
  const Tensor squares = input * input;
  const Tensor columns = pad(squares.view({input.size(0), 1, channels, -1}), {0, 0, side, side});
  const Tensor sums = avg_pool2d(columns, {2 * side + 1, 1}, {.stride = Pair(1), .divisor_override = 1});
  const Tensor stays = (arange(channels) > static_cast<double>(side)).to(input.dtype()).view({channels, 1, 1});
  const Tensor summed = sums.view(input.shape()) + slice(squares, 1, 0, 1) * stays;
  return input * pow(summed * (alpha_ / static_cast<double>(size_)) + k_, -beta_);
}

std::string CrossMapLRN2d::extra_repr() const {
  return std::to_string(size_) + ", alpha=" + detail::python_float(alpha_) + ", beta=" + detail::python_float(beta_) +
         ", k=" + detail::whole_or_float(k_);
}

}  // namespace teff::nn

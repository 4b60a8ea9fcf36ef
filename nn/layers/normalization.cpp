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

/// `(4,)`, `(2, 3)`
std::string tuple(const Shape& shape) {
  std::string text = "(";
  for (std::size_t i = 0; i < shape.size(); ++i) text += (i == 0 ? "" : ", ") + std::to_string(shape[i]);
  return text + (shape.size() == 1 ? ",)" : ")");
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
  detail::expect(!normalized_shape.empty(), "LayerNorm", "a normalized_shape of at least 1 dimension", "()");
  for (const std::int64_t size : normalized_shape) {
    detail::expect_at_least(1, "LayerNorm", "sizes in normalized_shape", size);
  }
  check_eps("LayerNorm", options.eps);
  if (!options.elementwise_affine) return;
  weight = ones(normalized_shape);
  bias = zeros(normalized_shape);
}

Tensor LayerNorm::forward(const Tensor& input) {
  return layer_norm(input, normalized_shape_, weight, bias, options_.eps);
}

std::string LayerNorm::extra_repr() const {
  return tuple(normalized_shape_) + ", eps=" + detail::python_float(options_.eps) +
         ", elementwise_affine=" + detail::python_bool(options_.elementwise_affine);
}

}  // namespace teff::nn

// SPDX-License-Identifier: MIT
#include "teff/nn/layers/instance_norm.h"

#include "teff/engine/error.h"
#include "teff/engine/ops.h"
#include "teff/nn/text.h"

namespace teff::nn {

InstanceNorm::InstanceNorm(std::int64_t rank, Integer num_features, const InstanceNorm2dOptions& options)
    : rank_(rank), num_features_(num_features), options_(options) {
  const std::string layer = "InstanceNorm" + std::to_string(rank - 2) + 'd';
  detail::expect_at_least(1, layer, "num_features", num_features);
  detail::expect(options.eps >= 0, layer, "eps >= 0", detail::python_float(options.eps));
  detail::expect(options.momentum >= 0 && options.momentum <= 1, layer, "momentum in [0, 1]",
                 detail::python_float(options.momentum));
  if (options.affine) {
    weight = ones({num_features});
    bias = zeros({num_features});
  }
  if (options.track_running_stats) {
    running_mean = zeros({num_features});
    running_var = ones({num_features});
    num_batches_tracked = scalar_tensor<std::int64_t>(0);
  }
}

Tensor InstanceNorm::forward(const Tensor& input) {
  const bool has_state = options_.affine || options_.track_running_stats;
  if (input.dim() != rank_ || (has_state && input.size(1) != num_features_)) {
    const char* const dims = rank_ == 3 ? ", L], got " : rank_ == 4 ? ", H, W], got " : ", D, H, W], got ";
    throw ShapeError(type_name() + ": expected input [N, " + std::to_string(num_features_) + dims +
                     to_string(input.shape()));
  }
  return instance_norm(
      input, running_mean, running_var, weight, bias,
      {.training = is_training() || !options_.track_running_stats, .momentum = options_.momentum, .eps = options_.eps});
}

std::string InstanceNorm::extra_repr() const {
  return std::to_string(num_features_) + ", eps=" + detail::python_float(options_.eps) +
         ", momentum=" + detail::python_float(options_.momentum) + ", affine=" + detail::python_bool(options_.affine) +
         ", track_running_stats=" + detail::python_bool(options_.track_running_stats);
}

}  // namespace teff::nn

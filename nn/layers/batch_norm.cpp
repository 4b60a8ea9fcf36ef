// SPDX-License-Identifier: MIT
#include "teff/nn/layers/batch_norm.h"

#include <limits>

#include "teff/engine/error.h"
#include "teff/engine/modes.h"
#include "teff/engine/ops.h"
#include "teff/nn/module_members.h"
#include "teff/nn/text.h"

namespace teff::nn {

BatchNorm::BatchNorm(const char* layer, Integer num_features, const BatchNorm2dOptions& options)
    : num_features_(num_features), options_(options) {
  detail::expect_at_least(1, layer, "num_features", num_features);
  detail::expect(options.eps >= 0, layer, "eps >= 0", detail::python_float(options.eps));
  const double momentum = options.momentum.value_or(0);
  detail::expect(momentum >= 0 && momentum <= 1, layer, "momentum in [0, 1]", detail::python_float(momentum));
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

Tensor BatchNorm::normalise(const Tensor& input) {
  return batch_norm(
      input, running_mean, running_var, weight, bias,
      {.training = is_training() || !options_.track_running_stats, .momentum = update_factor(), .eps = options_.eps});
}

/// Counts the batch in training. The weight of its statistics: momentum, or 1 / n for the mean over n batches.
double BatchNorm::update_factor() {
  const bool counting = is_training() && options_.track_running_stats;
  if (counting && !is_recomputing()) {  // a file may hold the last number that there is
    std::int64_t& count = *num_batches_tracked.data<std::int64_t>();
    if (count < std::numeric_limits<std::int64_t>::max()) ++count;
  }
  if (options_.momentum) return *options_.momentum;
  return counting ? 1.0 / static_cast<double>(*num_batches_tracked.data<std::int64_t>()) : 0.0;
}

std::string BatchNorm::extra_repr() const {
  return std::to_string(num_features_) + ", eps=" + detail::python_float(options_.eps) +
         ", momentum=" + (options_.momentum ? detail::python_float(*options_.momentum) : "None") +
         ", affine=" + detail::python_bool(options_.affine) +
         ", track_running_stats=" + detail::python_bool(options_.track_running_stats);
}

Tensor BatchNorm1d::forward(const Tensor& input) {
  if ((input.dim() != 2 && input.dim() != 3) || input.size(1) != num_features()) {
    const std::string features = std::to_string(num_features());
    throw ShapeError("BatchNorm1d: expected input [N, " + features + "] or [N, " + features + ", L], got " +
                     to_string(input.shape()));
  }
  return normalise(input);
}

Tensor BatchNorm2d::forward(const Tensor& input) {
  if (input.dim() != 4 || input.size(1) != num_features()) {
    throw ShapeError("BatchNorm2d: expected input [N, " + std::to_string(num_features()) + ", H, W], got " +
                     to_string(input.shape()));
  }
  return normalise(input);
}

void renew_running_stats(Module& model, const std::function<void()>& pass) {
  if (!pass) throw TypeError("renew_running_stats: expected a function, got an empty one");
  std::vector<std::pair<BatchNorm*, std::optional<double>>> layers;
  for (const auto& [path, module] : model.named_modules()) {
    auto* const layer = dynamic_cast<BatchNorm*>(module);
    if (layer != nullptr && layer->running_mean.defined()) layers.emplace_back(layer, layer->options_.momentum);
  }
  if (layers.empty()) return;
  const NoGradGuard no_grad;
  const detail::ModeGuard training(model, true);
  const auto restore = [&] {
    for (const auto& [layer, momentum] : layers) layer->options_.momentum = momentum;
  };
  for (const auto& [layer, momentum] : layers) {
    layer->running_mean.zero_();
    layer->running_var.fill_(1.0);
    layer->num_batches_tracked.zero_();
    layer->options_.momentum.reset();
  }
  try {
    pass();
  } catch (...) {
    restore();
    throw;
  }
  restore();
}

Tensor BatchNorm3d::forward(const Tensor& input) {
  if (input.dim() != 5 || input.size(1) != num_features()) {
    throw ShapeError("BatchNorm3d: expected input [N, " + std::to_string(num_features()) + ", D, H, W], got " +
                     to_string(input.shape()));
  }
  return normalise(input);
}

}  // namespace teff::nn

// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>

#include "teff/nn/module.h"

namespace teff::nn {

struct BatchNorm2dOptions {
  double eps = 1e-5;
  std::optional<double> momentum = 0.1;  // none: running statistics are the mean over all batches so far
  bool affine = true;                    // weight and bias
  bool track_running_stats = true;       // otherwise the batch's own statistics serve in evaluation too
};

/// (x - mean) / sqrt(variance + eps) * weight + bias per channel: [N, C, H, W] -> the same (Ioffe and Szegedy, 2015).
/// In training mean and variance are the batch's, and the running ones become
/// (1 - momentum) * running + momentum * batch; in evaluation mode they are the running ones.
/// All state is [num_features], but for num_batches_tracked, which is an int64 number.
///
/// A captured BatchNorm2d without momentum keeps its running statistics as they are when the graph is trained.
class BatchNorm2d : public Module {
 public:
  /// @throws ValueError for num_features below 1, eps below 0, or a momentum outside [0, 1].
  explicit BatchNorm2d(std::int64_t num_features, const BatchNorm2dOptions& options = {});

  Parameter weight;  // from 1; undefined unless affine
  Parameter bias;    // from 0; undefined unless affine
  Buffer running_mean;         // from 0; undefined unless track_running_stats, like the next two
  Buffer running_var;          // from 1
  Buffer num_batches_tracked;  // from 0
  TEFF_MODULE(BatchNorm2d, weight, bias, running_mean, running_var, num_batches_tracked)

  /// @throws ShapeError unless the input is [N, num_features, H, W].
  Tensor forward(const Tensor& input) override;
  std::string extra_repr() const override;

 private:
  double update_factor();

  std::int64_t num_features_;
  BatchNorm2dOptions options_;
};

}  // namespace teff::nn

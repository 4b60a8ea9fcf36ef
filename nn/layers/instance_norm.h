// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>

#include "teff/nn/module.h"

namespace TEFF_EXPORT teff {
namespace nn {

struct InstanceNorm2dOptions {
  double eps = 1e-5;
  double momentum = 0.1;
  bool affine = false;               // weight and bias
  bool track_running_stats = false;  // otherwise the image's own statistics serve in evaluation too
};
using InstanceNorm1dOptions = InstanceNorm2dOptions;
using InstanceNorm3dOptions = InstanceNorm2dOptions;

/// teff::instance_norm: (x - mean) / sqrt(variance + eps) * weight + bias per image and channel (Ulyanov et al., 2016):
/// base of the layers below. All state is [num_features], but for num_batches_tracked, which stays 0 as in PyTorch.
class InstanceNorm : public Module {
 public:
  Parameter weight;            // from 1; undefined unless affine
  Parameter bias;              // from 0; undefined unless affine
  Buffer running_mean;         // from 0; undefined unless track_running_stats, like the next two
  Buffer running_var;          // from 1
  Buffer num_batches_tracked;  // an int64 number

  /// @throws ShapeError unless the input has the layer's rank, and, unless it has no state, num_features channels.
  Tensor forward(const Tensor& input) override;
  std::string extra_repr() const override;

 protected:
  /// @throws ValueError for num_features below 1, eps below 0, or a momentum outside [0, 1].
  InstanceNorm(std::int64_t rank, Integer num_features, const InstanceNorm2dOptions& options);

 private:
  std::int64_t rank_, num_features_;
  InstanceNorm2dOptions options_;
};

/// [N, C, L] -> the same.
class InstanceNorm1d : public InstanceNorm {
 public:
  explicit InstanceNorm1d(Integer num_features, const InstanceNorm1dOptions& options = {})
      : InstanceNorm(3, num_features, options) {}
  TEFF_MODULE(InstanceNorm1d, weight, bias, running_mean, running_var, num_batches_tracked)
};

/// [N, C, H, W] -> the same.
class InstanceNorm2d : public InstanceNorm {
 public:
  explicit InstanceNorm2d(Integer num_features, const InstanceNorm2dOptions& options = {})
      : InstanceNorm(4, num_features, options) {}
  TEFF_MODULE(InstanceNorm2d, weight, bias, running_mean, running_var, num_batches_tracked)
};

/// [N, C, D, H, W] -> the same.
class InstanceNorm3d : public InstanceNorm {
 public:
  explicit InstanceNorm3d(Integer num_features, const InstanceNorm3dOptions& options = {})
      : InstanceNorm(5, num_features, options) {}
  TEFF_MODULE(InstanceNorm3d, weight, bias, running_mean, running_var, num_batches_tracked)
};

}  // namespace nn
}  // namespace teff

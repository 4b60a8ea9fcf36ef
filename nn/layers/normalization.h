// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "teff/nn/module.h"

namespace TEFF_EXPORT teff {
namespace nn {

struct GroupNormOptions {
  double eps = 1e-5;
  bool affine = true;  // weight and bias
};

/// teff::group_norm: [N, num_channels, ...] -> the same.
class GroupNorm : public Module {
 public:
  /// @throws ValueError for sizes below 1, channels that num_groups does not divide, or eps below 0.
  GroupNorm(Integer num_groups, Integer num_channels, const GroupNormOptions& options = {});

  Parameter weight;  // [num_channels] from 1; undefined unless affine
  Parameter bias;    // [num_channels] from 0; undefined unless affine
  TEFF_MODULE(GroupNorm, weight, bias)

  /// @throws ShapeError unless the input is [N, num_channels, ...].
  Tensor forward(const Tensor& input) override;
  std::string extra_repr() const override;

 private:
  std::int64_t num_groups_, num_channels_;
  GroupNormOptions options_;
};

struct LayerNormOptions {
  double eps = 1e-5;
  bool elementwise_affine = true;  // weight and bias
};

/// teff::layer_norm: [..., normalized_shape] -> the same.
class LayerNorm : public Module {
 public:
  /// @throws ValueError for no or empty dimensions, or eps below 0.
  explicit LayerNorm(const Shape& normalized_shape, const LayerNormOptions& options = {});

  Parameter weight;  // normalized_shape, from 1; undefined unless elementwise_affine
  Parameter bias;    // normalized_shape, from 0; undefined unless elementwise_affine
  TEFF_MODULE(LayerNorm, weight, bias)

  Tensor forward(const Tensor& input) override;
  std::string extra_repr() const override;

 private:
  Shape normalized_shape_;
  LayerNormOptions options_;
};

}  // namespace nn
}  // namespace teff

// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>

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

struct RMSNormOptions {
  std::optional<double> eps = {};  // default: the dtype's epsilon
  bool elementwise_affine = true;  // weight
};

/// teff::rms_norm: [..., normalized_shape] -> the same.
class RMSNorm : public Module {
 public:
  /// @throws ValueError for no or empty dimensions, or eps below 0.
  explicit RMSNorm(const Shape& normalized_shape, const RMSNormOptions& options = {});

  Parameter weight;  // normalized_shape, from 1; undefined unless elementwise_affine
  TEFF_MODULE(RMSNorm, weight)

  Tensor forward(const Tensor& input) override;
  std::string extra_repr() const override;

 private:
  Shape normalized_shape_;
  RMSNormOptions options_;
};

/// teff::local_response_norm: [N, C, ...] -> the same.
class LocalResponseNorm : public Module {
 public:
  /// @throws ValueError for a size below 1.
  explicit LocalResponseNorm(Integer size, double alpha = 1e-4, double beta = 0.75, double k = 1);
  TEFF_MODULE(LocalResponseNorm)

  Tensor forward(const Tensor& input) override;
  std::string extra_repr() const override;

 private:
  std::int64_t size_;
  double alpha_, beta_, k_;
};

/// x / (k + alpha / size * sum of x^2 over the (size - 1) / 2 channels on each side)^beta, as PyTorch computes it: in
/// the sums of channels beyond these the first channel stays, too. [N, C, H, W] -> the same.
class CrossMapLRN2d : public Module {
 public:
  /// @throws ValueError for a size below 1.
  explicit CrossMapLRN2d(Integer size, double alpha = 1e-4, double beta = 0.75, double k = 1);
  TEFF_MODULE(CrossMapLRN2d)

  Tensor forward(const Tensor& input) override;
  std::string extra_repr() const override;

 private:
  std::int64_t size_;
  double alpha_, beta_, k_;
};

}  // namespace nn
}  // namespace teff

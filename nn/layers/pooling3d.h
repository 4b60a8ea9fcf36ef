// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "teff/engine/sequence_ops.h"
#include "teff/nn/layers/pooling.h"
#include "teff/nn/module.h"

namespace TEFF_EXPORT teff {
namespace nn {

struct MaxPool3dOptions {
  Triple padding = 0;  // at most half of the kernel
  Triple dilation = 1;
  bool ceil_mode = false;
  bool return_indices = false;
};

/// teff::max_pool3d: [N, C, D, H, W] -> [N, C, Do, Ho, Wo].
class MaxPool3d : public Module {
 public:
  /// The stride is the kernel's size.
  explicit MaxPool3d(const Triple& kernel_size) : MaxPool3d(kernel_size, kernel_size) {}
  /// @throws ValueError for sizes below 1, or padding that is negative or more than half of the kernel.
  MaxPool3d(const Triple& kernel_size, const Triple& stride, const MaxPool3dOptions& options = {});
  TEFF_MODULE(MaxPool3d)

  Tensor forward(const Tensor& input) override;
  /// With return_indices: the values and their indices, for MaxUnpool3d.
  std::vector<Tensor> forward_many(std::span<const Tensor> inputs) override;
  std::string extra_repr() const override;

 private:
  MaxPool3dFuncOptions function_options() const;

  Triple kernel_size_, stride_;
  MaxPool3dOptions options_;
};

struct AvgPool3dOptions {
  Triple padding = 0;
  bool ceil_mode = false;
  bool count_include_pad = true;
  std::optional<std::int64_t> divisor_override = {};
};

/// teff::avg_pool3d: [N, C, D, H, W] -> [N, C, Do, Ho, Wo].
class AvgPool3d : public Module {
 public:
  /// The stride is the kernel's size.
  explicit AvgPool3d(const Triple& kernel_size) : AvgPool3d(kernel_size, kernel_size) {}
  /// @throws ValueError as MaxPool3d, and for a divisor of 0.
  AvgPool3d(const Triple& kernel_size, const Triple& stride, const AvgPool3dOptions& options = {});
  TEFF_MODULE(AvgPool3d)

  Tensor forward(const Tensor& input) override;
  std::string extra_repr() const override;

 private:
  Triple kernel_size_, stride_;
  AvgPool3dOptions options_;
};

/// teff::adaptive_avg_pool3d: [N, C, D, H, W] -> [N, C, output_size].
class AdaptiveAvgPool3d : public Module {
 public:
  /// @throws ValueError for sizes below 1.
  explicit AdaptiveAvgPool3d(const Triple& output_size);
  /// A cube.
  template <WholeNumber T>
  explicit AdaptiveAvgPool3d(T output_size) : AdaptiveAvgPool3d(Triple(output_size)) {
    cube_ = true;
  }
  TEFF_MODULE(AdaptiveAvgPool3d)

  Tensor forward(const Tensor& input) override;
  std::string extra_repr() const override;

 private:
  Triple output_size_;
  bool cube_ = false;  // given as one number, and printed so
};

/// teff::adaptive_max_pool3d: [N, C, D, H, W] -> [N, C, output_size].
class AdaptiveMaxPool3d : public Module {
 public:
  /// @throws ValueError for sizes below 1.
  explicit AdaptiveMaxPool3d(const Triple& output_size, const AdaptiveMaxPoolOptions& options = {});
  /// A cube.
  template <WholeNumber T>
  explicit AdaptiveMaxPool3d(T output_size, const AdaptiveMaxPoolOptions& options = {})
      : AdaptiveMaxPool3d(Triple(output_size), options) {
    cube_ = true;
  }
  TEFF_MODULE(AdaptiveMaxPool3d)

  Tensor forward(const Tensor& input) override;
  /// With return_indices: the values and their indices.
  std::vector<Tensor> forward_many(std::span<const Tensor> inputs) override;
  std::string extra_repr() const override;

 private:
  Triple output_size_;
  bool cube_ = false;  // given as one number, and printed so
  bool return_indices_;
};

}  // namespace nn
}  // namespace teff

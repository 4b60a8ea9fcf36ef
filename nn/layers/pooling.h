// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "teff/engine/image_ops.h"
#include "teff/nn/module.h"

namespace TEFF_EXPORT teff {
namespace nn {

struct MaxPool2dOptions {
  Pair padding = 0;  // at most half of the kernel
  Pair dilation = 1;
  bool ceil_mode = false;
  bool return_indices = false;
};

/// teff::max_pool2d: [N, C, H, W] -> [N, C, Ho, Wo].
class MaxPool2d : public Module {
 public:
  /// The stride is the kernel's size.
  explicit MaxPool2d(const Pair& kernel_size) : MaxPool2d(kernel_size, kernel_size) {}
  /// @throws ValueError for sizes below 1, or padding that is negative or more than half of the kernel.
  MaxPool2d(const Pair& kernel_size, const Pair& stride, const MaxPool2dOptions& options = {});
  TEFF_MODULE(MaxPool2d)

  Tensor forward(const Tensor& input) override;
  /// With return_indices: the values and their indices, for MaxUnpool2d.
  std::vector<Tensor> forward_many(std::span<const Tensor> inputs) override;
  std::string extra_repr() const override;

 private:
  MaxPool2dFuncOptions function_options() const;

  Pair kernel_size_, stride_;
  MaxPool2dOptions options_;
};

struct AvgPool2dOptions {
  Pair padding = 0;
  bool ceil_mode = false;
  bool count_include_pad = true;
  std::optional<std::int64_t> divisor_override = {};
};

/// teff::avg_pool2d: [N, C, H, W] -> [N, C, Ho, Wo].
class AvgPool2d : public Module {
 public:
  /// The stride is the kernel's size.
  explicit AvgPool2d(const Pair& kernel_size) : AvgPool2d(kernel_size, kernel_size) {}
  /// @throws ValueError as MaxPool2d, and for a divisor of 0.
  AvgPool2d(const Pair& kernel_size, const Pair& stride, const AvgPool2dOptions& options = {});
  TEFF_MODULE(AvgPool2d)

  Tensor forward(const Tensor& input) override;
  std::string extra_repr() const override;

 private:
  Pair kernel_size_, stride_;
  AvgPool2dOptions options_;
};

/// Base of the two below.
class AdaptivePool2d : public Module {
 public:
  std::string extra_repr() const override;

 protected:
  /// A square. @throws ValueError for sizes below 1.
  AdaptivePool2d(const char* layer, std::int64_t output_size);
  AdaptivePool2d(const char* layer, const Pair& output_size);
  const Pair& output_size() const { return output_size_; }

 private:
  Pair output_size_;
  bool square_ = false;  // given as one number, and printed so
};

/// teff::adaptive_avg_pool2d: [N, C, H, W] -> [N, C, output_size].
class AdaptiveAvgPool2d : public AdaptivePool2d {
 public:
  /// A square. @throws ValueError for sizes below 1.
  template <WholeNumber T>
  explicit AdaptiveAvgPool2d(T output_size) : AdaptivePool2d("AdaptiveAvgPool2d", std::int64_t{Integer(output_size)}) {}
  explicit AdaptiveAvgPool2d(const Pair& output_size) : AdaptivePool2d("AdaptiveAvgPool2d", output_size) {}
  TEFF_MODULE(AdaptiveAvgPool2d)

  Tensor forward(const Tensor& input) override;
};

struct AdaptiveMaxPoolOptions {
  bool return_indices = false;
};

/// teff::adaptive_max_pool2d: [N, C, H, W] -> [N, C, output_size].
class AdaptiveMaxPool2d : public AdaptivePool2d {
 public:
  /// A square. @throws ValueError for sizes below 1.
  template <WholeNumber T>
  explicit AdaptiveMaxPool2d(T output_size, const AdaptiveMaxPoolOptions& options = {})
      : AdaptivePool2d("AdaptiveMaxPool2d", std::int64_t{Integer(output_size)}),
        return_indices_(options.return_indices) {}
  explicit AdaptiveMaxPool2d(const Pair& output_size, const AdaptiveMaxPoolOptions& options = {})
      : AdaptivePool2d("AdaptiveMaxPool2d", output_size), return_indices_(options.return_indices) {}
  TEFF_MODULE(AdaptiveMaxPool2d)

  Tensor forward(const Tensor& input) override;
  /// With return_indices: the values and their indices.
  std::vector<Tensor> forward_many(std::span<const Tensor> inputs) override;

 private:
  bool return_indices_;
};

/// teff::lp_pool2d: [N, C, H, W] -> [N, C, Ho, Wo].
class LPPool2d : public Module {
 public:
  /// The stride is the kernel's size unless given. @throws ValueError for sizes below 1.
  LPPool2d(double norm_type, const Pair& kernel_size, const std::optional<Pair>& stride = {}, bool ceil_mode = false);
  TEFF_MODULE(LPPool2d)

  Tensor forward(const Tensor& input) override;
  std::string extra_repr() const override;

 private:
  double norm_type_;
  Pair kernel_size_;
  std::optional<Pair> stride_;
  bool ceil_mode_;
};

}  // namespace nn
}  // namespace teff

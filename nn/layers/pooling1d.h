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

struct MaxPool1dOptions {
  std::int64_t padding = 0;  // at most half of the kernel
  std::int64_t dilation = 1;
  bool ceil_mode = false;
  bool return_indices = false;
};

/// teff::max_pool1d: [N, C, L] -> [N, C, Lo].
class MaxPool1d : public Module {
 public:
  /// The stride is the kernel's size.
  explicit MaxPool1d(Integer kernel_size) : MaxPool1d(kernel_size, kernel_size) {}
  /// @throws ValueError for sizes below 1, or padding that is negative or more than half of the kernel.
  MaxPool1d(Integer kernel_size, Integer stride, const MaxPool1dOptions& options = {});
  TEFF_MODULE(MaxPool1d)

  Tensor forward(const Tensor& input) override;
  /// With return_indices: the values and their indices, for MaxUnpool1d.
  std::vector<Tensor> forward_many(std::span<const Tensor> inputs) override;
  std::string extra_repr() const override;

 private:
  MaxPool1dFuncOptions function_options() const;

  std::int64_t kernel_size_, stride_;
  MaxPool1dOptions options_;
};

struct AvgPool1dOptions {
  std::int64_t padding = 0;
  bool ceil_mode = false;
  bool count_include_pad = true;
};

/// teff::avg_pool1d: [N, C, L] -> [N, C, Lo].
class AvgPool1d : public Module {
 public:
  /// The stride is the kernel's size.
  explicit AvgPool1d(Integer kernel_size) : AvgPool1d(kernel_size, kernel_size) {}
  /// @throws ValueError as MaxPool1d.
  AvgPool1d(Integer kernel_size, Integer stride, const AvgPool1dOptions& options = {});
  TEFF_MODULE(AvgPool1d)

  Tensor forward(const Tensor& input) override;
  std::string extra_repr() const override;

 private:
  std::int64_t kernel_size_, stride_;
  AvgPool1dOptions options_;
};

/// teff::adaptive_avg_pool1d: [N, C, L] -> [N, C, output_size].
class AdaptiveAvgPool1d : public Module {
 public:
  /// @throws ValueError for sizes below 1.
  explicit AdaptiveAvgPool1d(Integer output_size);
  TEFF_MODULE(AdaptiveAvgPool1d)

  Tensor forward(const Tensor& input) override;
  std::string extra_repr() const override;

 private:
  std::int64_t output_size_;
};

/// teff::adaptive_max_pool1d: [N, C, L] -> [N, C, output_size].
class AdaptiveMaxPool1d : public Module {
 public:
  /// @throws ValueError for sizes below 1.
  explicit AdaptiveMaxPool1d(Integer output_size, const AdaptiveMaxPoolOptions& options = {});
  TEFF_MODULE(AdaptiveMaxPool1d)

  Tensor forward(const Tensor& input) override;
  /// With return_indices: the values and their indices.
  std::vector<Tensor> forward_many(std::span<const Tensor> inputs) override;
  std::string extra_repr() const override;

 private:
  std::int64_t output_size_;
  bool return_indices_;
};

/// teff::lp_pool1d: [N, C, L] -> [N, C, Lo].
class LPPool1d : public Module {
 public:
  /// The stride is the kernel's size unless given. @throws ValueError for sizes below 1.
  LPPool1d(double norm_type, Integer kernel_size, std::optional<Integer> stride = {}, bool ceil_mode = false);
  TEFF_MODULE(LPPool1d)

  Tensor forward(const Tensor& input) override;
  std::string extra_repr() const override;

 private:
  double norm_type_;
  std::int64_t kernel_size_;
  std::optional<Integer> stride_;
  bool ceil_mode_;
};

}  // namespace nn
}  // namespace teff

// SPDX-License-Identifier: MIT
#pragma once

// Part of ops.h: functions on rows [N, C, L] and on volumes [N, C, D, H, W]. All are made of those on images, along
// one dimension after the other, and take the same options.

#include <cstdint>
#include <optional>
#include <string>

#include "teff/engine/image_ops.h"
#include "teff/engine/tensor.h"

namespace TEFF_EXPORT teff {

/// Depth, height and width of a kernel, stride, padding or dilation; one number stands for all.
struct Triple {
  std::int64_t depth = 0, height = 0, width = 0;
  Triple() = default;
  template <WholeNumber T>
  Triple(T all) : depth(Integer(all)), height(depth), width(depth) {}
  Triple(Integer d, Integer h, Integer w) : depth(d), height(h), width(w) {}
  Pair image() const { return {height, width}; }
  friend bool operator==(const Triple&, const Triple&) = default;
};
/// `(2, 3, 4)`, as Python prints it.
std::string to_string(const Triple& triple);

// --- convolution

struct Conv1dFuncOptions {
  std::int64_t stride = 1;
  std::int64_t padding = 0;
  std::int64_t dilation = 1;
  std::int64_t groups = 1;
};
/// x [N, C, L], weight [K, C / groups, k], bias [K] or undefined -> [N, K, Lo]: conv2d on images of one row.
Tensor conv1d(const Tensor& x, const Tensor& weight, const Tensor& bias = {}, const Conv1dFuncOptions& options = {});

struct Conv3dFuncOptions {
  Triple stride = 1;
  Triple padding = 0;
  Triple dilation = 1;
  std::int64_t groups = 1;
};
/// x [N, C, D, H, W], weight [K, C / groups, kd, kh, kw], bias [K] or undefined -> [N, K, Do, Ho, Wo]: conv2d, where
/// the kd images that a kernel reaches are further channels. Takes kd times the memory of x.
Tensor conv3d(const Tensor& x, const Tensor& weight, const Tensor& bias = {}, const Conv3dFuncOptions& options = {});

struct ConvTranspose1dFuncOptions {
  std::int64_t stride = 1;
  std::int64_t padding = 0;
  std::int64_t output_padding = 0;
  std::int64_t groups = 1;
  std::int64_t dilation = 1;
};
/// x [N, C, L], weight [C, K / groups, k], bias [K] or undefined -> [N, K, Lo]: conv_transpose2d on images of one row.
Tensor conv_transpose1d(const Tensor& x, const Tensor& weight, const Tensor& bias = {},
                        const ConvTranspose1dFuncOptions& options = {});

struct ConvTranspose3dFuncOptions {
  Triple stride = 1;
  Triple padding = 0;
  Triple output_padding = 0;
  std::int64_t groups = 1;
  Triple dilation = 1;
};
/// x [N, C, D, H, W], weight [C, K / groups, kd, kh, kw], bias [K] or undefined -> [N, K, Do, Ho, Wo].
Tensor conv_transpose3d(const Tensor& x, const Tensor& weight, const Tensor& bias = {},
                        const ConvTranspose3dFuncOptions& options = {});

// --- pooling

struct MaxPool1dFuncOptions {
  std::optional<std::int64_t> stride = {};
  std::int64_t padding = 0;
  std::int64_t dilation = 1;
  bool ceil_mode = false;
};
Tensor max_pool1d(const Tensor& x, Integer kernel_size, const MaxPool1dFuncOptions& options = {});

struct MaxPool3dFuncOptions {
  std::optional<Triple> stride = {};
  Triple padding = 0;
  Triple dilation = 1;
  bool ceil_mode = false;
};
Tensor max_pool3d(const Tensor& x, const Triple& kernel_size, const MaxPool3dFuncOptions& options = {});

struct AvgPool1dFuncOptions {
  std::optional<std::int64_t> stride = {};
  std::int64_t padding = 0;
  bool ceil_mode = false;
  bool count_include_pad = true;
};
Tensor avg_pool1d(const Tensor& x, Integer kernel_size, const AvgPool1dFuncOptions& options = {});

struct AvgPool3dFuncOptions {
  std::optional<Triple> stride = {};
  Triple padding = 0;
  bool ceil_mode = false;
  bool count_include_pad = true;
  std::optional<std::int64_t> divisor_override = {};
};
Tensor avg_pool3d(const Tensor& x, const Triple& kernel_size, const AvgPool3dFuncOptions& options = {});

Tensor adaptive_avg_pool1d(const Tensor& x, Integer output_size);
Tensor adaptive_max_pool1d(const Tensor& x, Integer output_size);
Tensor adaptive_avg_pool3d(const Tensor& x, const Triple& output_size);
Tensor adaptive_max_pool3d(const Tensor& x, const Triple& output_size);

/// (sum over the window of x^norm_type)^(1 / norm_type), without padding.
Tensor lp_pool1d(const Tensor& x, double norm_type, Integer kernel_size, std::optional<Integer> stride = {},
                 bool ceil_mode = false);
Tensor lp_pool2d(const Tensor& x, double norm_type, const Pair& kernel_size, const std::optional<Pair>& stride = {},
                 bool ceil_mode = false);

// --- channels of [N, C, ...]

struct LocalResponseNormFuncOptions {
  double alpha = 1e-4, beta = 0.75, k = 1;
};
/// x / (k + alpha * mean of x^2 over `size` neighbouring channels)^beta, where what is beyond the first and last
/// channel counts as 0 (Krizhevsky et al., 2012). Of an even size one more of the channels is before than behind.
Tensor local_response_norm(const Tensor& x, Integer size, const LocalResponseNormFuncOptions& options = {});

}  // namespace teff

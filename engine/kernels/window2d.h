// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace teff::kernels {

using std::int64_t;

/// A two-dimensional window over images: convolution and pooling. Output sizes were computed by the operation.
struct Window2d {
  int64_t batch, channels, height, width;  // input [N, C, H, W]
  int64_t out_channels;                    // output [N, K, Ho, Wo]; pooling: K = C
  int64_t out_height, out_width;
  int64_t kernel_height, kernel_width;
  int64_t stride_height, stride_width;
  int64_t padding_height, padding_width;  // zeros on both sides; pooling: values that do not count
  int64_t dilation_height, dilation_width;
  int64_t groups;         // weight [K, C / groups, kh, kw]
  bool winograd = false;  // convolution: Winograd's method is allowed where it is faster
};

}  // namespace teff::kernels

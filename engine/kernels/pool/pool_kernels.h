// SPDX-License-Identifier: MIT
#pragma once

// What operations see of pooling and resizing. How such a header is used and grows: engine/kernels/README.md.

#include "teff/engine/kernels/window2d.h"

namespace teff::kernels {

/// pool2d.cpp
template <class T>
struct Pool2dKernels {
  /// Maximum over each window; NaN wins, as in PyTorch. indices, if not null, gets the place of the first maximum in
  /// its [H, W] plane.
  void (*max_pool2d)(const Window2d&, const T* input, T* output, int64_t* indices);
  void (*max_pool2d_backward)(const Window2d&, const T* grad_output, const int64_t* indices, T* grad_input);
  /// The same from the input instead of the indices, for windows of 2 by 2 that lie side by side without padding.
  void (*max_pool2d_tiles_backward)(const Window2d&, const T* grad_output, const T* input, T* grad_input);
  /// Mean over each window. The divisor is divisor_override if that is not 0, else the window's size, which counts
  /// padding only if count_include_pad (never what ceil_mode adds beyond it), as in PyTorch.
  void (*avg_pool2d)(const Window2d&, bool count_include_pad, int64_t divisor_override, const T* input, T* output);
  void (*avg_pool2d_backward)(const Window2d&, bool count_include_pad, int64_t divisor_override, const T* grad_output,
                              T* grad_input);
};
template <class T>
const Pool2dKernels<T>& pool2d_kernels();

/// Adaptive pooling: the window of output i of n is [i * size / n rounded down, (i + 1) * size / n rounded up).
struct AdaptivePool2d {
  int64_t planes, height, width;  // input
  int64_t out_height, out_width;
};

/// adaptive_pool2d.cpp: mean and maximum (NaN wins; indices as in max_pool2d) of adaptive windows.
template <class T>
struct AdaptivePool2dKernels {
  void (*adaptive_avg_pool2d)(const AdaptivePool2d&, const T* input, T* output);
  void (*adaptive_avg_pool2d_backward)(const AdaptivePool2d&, const T* grad_output, T* grad_input);
  void (*adaptive_max_pool2d)(const AdaptivePool2d&, const T* input, T* output, int64_t* indices);
};
template <class T>
const AdaptivePool2dKernels<T>& adaptive_pool2d_kernels();

/// Where the values of a resized axis come from:
/// out[i] = (1 - part[i]) * in[first[i]] + part[i] * in[second[i]], or in[first[i]] alone if second and part are null.
template <class T>
struct ResizedAxis {
  int64_t size, out_size;
  const int64_t* first;
  const int64_t* second;
  const T* part;
};
/// Both axes of [planes, height, width] resized: both have a part, or neither.
template <class T>
struct Resize2d {
  int64_t planes;
  ResizedAxis<T> rows, columns;
};

/// resize2d.cpp
template <class T>
struct Resize2dKernels {
  void (*resize2d)(const Resize2d<T>&, const T* input, T* output);
  void (*resize2d_backward)(const Resize2d<T>&, const T* grad_output, T* grad_input);
};
template <class T>
const Resize2dKernels<T>& resize2d_kernels();

}  // namespace teff::kernels

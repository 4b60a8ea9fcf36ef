// SPDX-License-Identifier: MIT
#pragma once

// What operations see of convolutions. How such a header is used and grows: engine/kernels/README.md.

#include "teff/engine/kernels/clamp.h"
#include "teff/engine/kernels/window2d.h"

namespace teff::kernels {

/// conv2d.cpp
template <class T>
struct Conv2dKernels {
  /// y = conv(x, w) + bias, clamped; bias [K] may be null.
  void (*conv2d)(const Window2d&, const T* input, const T* weight, const T* bias, const Clamp<T>&, T* output);
  /// The same in two steps, for weights that serve many times: how many values the packed weight has (0: there is
  /// nothing to gain, use conv2d), packing it, and the convolution with it. The windows of the three must be equal.
  int64_t (*conv2d_packed_size)(const Window2d&);
  void (*conv2d_pack)(const Window2d&, const T* weight, T* packed);
  void (*conv2d_packed)(const Window2d&, const T* input, const T* packed, const T* bias, const Clamp<T>&, T* output);
};
template <class T>
const Conv2dKernels<T>& conv2d_kernels();

/// conv2d_input.cpp
template <class T>
struct Conv2dInputKernels {
  /// dX = conv_transpose(dY, w)
  void (*conv2d_backward_input)(const Window2d&, const T* grad_output, const T* weight, T* grad_input);
};
template <class T>
const Conv2dInputKernels<T>& conv2d_input_kernels();

/// conv2d_weight.cpp
template <class T>
struct Conv2dWeightKernels {
  /// dW = sum over the batch of dY * cols(X)^T
  void (*conv2d_backward_weight)(const Window2d&, const T* grad_output, const T* input, T* grad_weight);
};
template <class T>
const Conv2dWeightKernels<T>& conv2d_weight_kernels();

}  // namespace teff::kernels

// SPDX-License-Identifier: MIT
#pragma once

// Convolutions whose groups have one input channel: nothing to gain from a matrix product, so they work on the planes
// of im2col.h directly, with vector lanes along the rows.

#include "teff/engine/kernels/conv/im2col.h"

namespace teff::kernels::TEFF_ISA {

inline bool is_depthwise(const Window2d& w) { return w.groups == w.channels && w.groups > 1; }

template <class T>
void depthwise(const Window2d&, const T* input, const T* weight, const T* bias, const Clamp<T>&, T* output);
/// One output channel for each input channel only. The places of grad_input that the axes stand for: grad_input is the
/// first, the strides of the convolution lead to the next.
template <class T>
void depthwise_backward_input(const Window2d&, const Axis& y, const Axis& x, const T* grad_output, const T* weight,
                              T* grad_input);
template <class T>
void depthwise_backward_weight(const Window2d&, const T* grad_output, const T* input, T* grad_weight);

}  // namespace teff::kernels::TEFF_ISA

// SPDX-License-Identifier: MIT
#pragma once

// The usual depthwise filters read the image where it lies: a band of output rows is computed packet by packet, each
// row of the image is loaded once for all of them, and the loads at the ends of a row leave out what lies beyond.

#include "teff/engine/kernels/conv/im2col.h"

namespace teff::kernels::TEFF_ISA {

/// A filter [taps of y, taps of x] of one plane.
template <class T>
struct Filter {
  const T* weight;
  T bias;
  Clamp<T> clamp;
};

/// Whether filter_bands does it: 3 x 3 and 5 x 5, of stride 1 or 2, not dilated, where machines have masked loads.
bool has_bands(const Axis& y, const Axis& x);

/// For float alone: out[y * out_row + x] of a plane. zeros: [x.source], for the rows outside of the image.
template <class T>
void filter_bands(const Filter<T>& f, const Axis& y, const Axis& x, const T* image, const T* zeros, T* out,
                  int64_t out_row);

}  // namespace teff::kernels::TEFF_ISA

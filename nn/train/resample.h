// SPDX-License-Identifier: MIT
#pragma once

// Private: images at another size.

#include "teff/engine/tensor.h"

namespace teff::transforms {

/// Images float32 or float64 [N, H, W] at another size, bilinear. With antialiasing a pixel of a smaller image is a
/// weighted mean of all that it covers, as in interpolate(..., antialias=True) of PyTorch.
Tensor resampled(const Tensor& images, const Pair& size, bool antialias);

}  // namespace teff::transforms

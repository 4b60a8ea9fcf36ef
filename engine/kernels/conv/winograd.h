// SPDX-License-Identifier: MIT
#pragma once

// Winograd's method for 3 x 3 convolutions of stride 1: tiles of 4 x 4 outputs from 36 instead of 144 products of
// channels, or of 2 x 2 from 16 instead of 36. Float only: in double somebody wants all digits.

#include "teff/engine/kernels/clamp.h"
#include "teff/engine/kernels/window2d.h"

namespace teff::kernels::TEFF_ISA {

/// The side of the output's tiles that is fastest, 2 or 4; 0: the direct method is faster, or must be used.
template <class T>
int64_t winograd_tile(const Window2d& w);
template <>
int64_t winograd_tile<float>(const Window2d& w);
template <>
int64_t winograd_tile<double>(const Window2d& w);

/// U[panel of output channels][point][C][columns of a tile]
int64_t winograd_packed_size(const Window2d& w);
void winograd_pack(const Window2d& w, const float* weight, float* packed);
/// The same of the weight of the convolution whose gradient of the input w is: [w.channels, w.out_channels, 3, 3].
void winograd_pack_turned(const Window2d& w, const float* weight, float* packed);
void winograd(const Window2d& w, const float* input, const float* packed, const float* bias, const Clamp<float>& clamp,
              float* output);

}  // namespace teff::kernels::TEFF_ISA

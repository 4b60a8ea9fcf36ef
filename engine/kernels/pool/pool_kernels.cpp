// SPDX-License-Identifier: MIT
#include "teff/engine/kernels/pool/pool_kernels.h"

#include "teff/engine/kernels/isa/dispatch.h"

namespace teff::kernels {

TEFF_DISPATCH(Pool2dKernels, pool2d)
TEFF_DISPATCH(AdaptivePool2dKernels, adaptive_pool2d)
TEFF_DISPATCH(Resize2dKernels, resize2d)

}  // namespace teff::kernels

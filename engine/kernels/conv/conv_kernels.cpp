// SPDX-License-Identifier: MIT
#include "teff/engine/kernels/conv/conv_kernels.h"

#include "teff/engine/kernels/isa/dispatch.h"

namespace teff::kernels {

TEFF_DISPATCH(Conv2dKernels, conv2d)
TEFF_DISPATCH(Conv2dInputKernels, conv2d_input)
TEFF_DISPATCH(Conv2dWeightKernels, conv2d_weight)

}  // namespace teff::kernels

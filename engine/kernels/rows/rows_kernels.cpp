// SPDX-License-Identifier: MIT
#include "teff/engine/kernels/rows/rows_kernels.h"

#include "teff/engine/kernels/isa/dispatch.h"

namespace teff::kernels {

TEFF_DISPATCH(ReduceKernels, reduce)
TEFF_DISPATCH(SoftmaxKernels, softmax)
TEFF_DISPATCH(BatchNormKernels, batch_norm)
TEFF_DISPATCH(GroupNormKernels, group_norm)

}  // namespace teff::kernels

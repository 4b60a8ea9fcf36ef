// SPDX-License-Identifier: MIT
#include "teff/engine/kernels/optim/optim_kernels.h"

#include "teff/engine/kernels/isa/dispatch.h"

namespace teff::kernels {

TEFF_DISPATCH(SgdKernels, sgd)
TEFF_DISPATCH(AdamKernels, adam)

}  // namespace teff::kernels

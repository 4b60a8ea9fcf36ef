// SPDX-License-Identifier: MIT
#include "teff/engine/kernels/elements/elements_kernels.h"

#include "teff/engine/kernels/isa/dispatch.h"

namespace teff::kernels {

TEFF_DISPATCH(ElementwiseKernels, elementwise)
TEFF_DISPATCH(ActivationKernels, activation)
TEFF_DISPATCH(PairLossKernels, pair_loss)

}  // namespace teff::kernels

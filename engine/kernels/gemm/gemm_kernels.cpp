// SPDX-License-Identifier: MIT
#include "teff/engine/kernels/gemm/gemm_kernels.h"

#include "teff/engine/kernels/isa/dispatch.h"

namespace teff::kernels {

TEFF_DISPATCH(GemmKernels, gemm)

}  // namespace teff::kernels

// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace teff::kernels::TEFF_ISA {

using std::int64_t;

/// As ReduceKernels says, for the gradients of batch and group norm.
template <class T>
void sum_per_channel(int64_t batch, int64_t channels, int64_t spatial, const T* x, T* y);

}  // namespace teff::kernels::TEFF_ISA

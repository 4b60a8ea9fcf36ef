// SPDX-License-Identifier: MIT
#pragma once

// Private: what this build of the library leaves out, by the options TEFF_FLOAT64 and TEFF_TRAINING of CMake. Code asks
// the constants by `if constexpr`, so that what is left out is neither compiled nor linked.

namespace teff {

/// Operations and kernels on float64.
#ifdef TEFF_WITHOUT_FLOAT64
inline constexpr bool kHasFloat64 = false;
#else
inline constexpr bool kHasFloat64 = true;
#endif

/// Gradients and the steps of optimisers.
#ifdef TEFF_WITHOUT_TRAINING
inline constexpr bool kHasTraining = false;
#else
inline constexpr bool kHasTraining = true;
#endif

}  // namespace teff

// For what `if constexpr` cannot leave out: explicit instantiations.
#ifdef TEFF_WITHOUT_FLOAT64
#define TEFF_IF_FLOAT64(...)
#else
#define TEFF_IF_FLOAT64(...) __VA_ARGS__
#endif
#ifdef TEFF_WITHOUT_TRAINING
#define TEFF_IF_TRAINING(...)
#else
#define TEFF_IF_TRAINING(...) __VA_ARGS__
#endif

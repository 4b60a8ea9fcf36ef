// SPDX-License-Identifier: MIT
#pragma once

namespace teff::kernels {

/// What results are clamped to at last: min(max(x, low), high), NaN stays NaN. By default they stay what they are;
/// {.low = 0} is relu.
template <class T>
struct Clamp {
  T low = -T(__builtin_huge_val());
  T high = T(__builtin_huge_val());
};

}  // namespace teff::kernels

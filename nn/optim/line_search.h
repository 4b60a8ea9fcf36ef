// SPDX-License-Identifier: MIT
#pragma once

// Private: how far to go in a direction.

#include <functional>

#include "teff/engine/tensor.h"

namespace teff::optim::detail {

/// A place on the line.
struct LinePoint {
  double t = 0;
  double loss = 0;
  double slope = 0;  // of the loss, along the line
  Tensor gradient;
};

struct LineSearchResult {
  LinePoint point;
  int evaluations = 0;
};

/// A point with loss <= loss(0) + 1e-4 * t * slope(0) and |slope| <= 0.9 * |slope(0)|: the strong Wolfe conditions.
/// First an interval that holds one is found, then it is narrowed by cubic interpolation. `largest` is the greatest
/// component of the direction: an interval in which no parameter changes by more than `tolerance` is not narrowed on.
LineSearchResult strong_wolfe(const std::function<LinePoint(double t)>& evaluate, const LinePoint& start, double first,
                              double largest, double tolerance);

}  // namespace teff::optim::detail

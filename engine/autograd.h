// SPDX-License-Identifier: MIT
#pragma once

#include <functional>

#include "teff/engine/modes.h"

namespace TEFF_EXPORT teff {

class Tensor;

/// Sees a leaf.
using GradientFunction = std::function<void(const Tensor& leaf)>;

/// loss.backward(), which calls the function for each leaf as soon as its grad() is complete, and then goes on with the
/// rest: for what can be done meanwhile. What the function throws comes out of backward.
void backward(const Tensor& loss, const GradientFunction& on_gradient);

}  // namespace teff

// SPDX-License-Identifier: MIT
#pragma once

#include <functional>

#include "teff/engine/modes.h"

namespace TEFF_EXPORT teff {

class Tensor;

// Threads: several may call backward() at once on results of their own that share leaves, as in data-parallel training;
// what they add to a grad() is added one after the other, in any order, so that last bits may differ from run to run.
// One recorded computation belongs to one thread at a time: two must not call backward() on results that share
// operations. While a backward() runs nobody else may read or replace a grad() that it adds to.

/// Sees a leaf.
using GradientFunction = std::function<void(const Tensor& leaf)>;

/// loss.backward(), which calls the function for each leaf as soon as its grad() is complete, and then goes on with the
/// rest: for what can be done meanwhile. What the function throws comes out of backward.
void backward(const Tensor& loss, const GradientFunction& on_gradient);

}  // namespace teff

// SPDX-License-Identifier: MIT
#pragma once

#include "teff/engine/dict.h"

namespace teff::testing {

/// Whether both have the same type and the same bits, whatever their gradients.
inline bool same(const Tensor& a, const Tensor& b) { return Value(a.detach()) == Value(b.detach()); }

}  // namespace teff::testing

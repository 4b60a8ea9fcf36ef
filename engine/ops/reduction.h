// SPDX-License-Identifier: MIT
#pragma once

// Private: what losses share.

#include <string_view>

#include "teff/engine/losses.h"

namespace teff::ops {

/// Not batchmean.
void check_plain_reduction(std::string_view op, Reduction reduction);

/// The recorded reduction of a tensor of losses.
Tensor reduced(const Tensor& losses, Reduction reduction);

}  // namespace teff::ops

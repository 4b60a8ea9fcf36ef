// SPDX-License-Identifier: MIT
#pragma once

// Private: a shape seen from one of its dimensions.

#include <cstdint>

#include "teff/engine/shape.h"

namespace teff::ops {

/// [outer, size, inner]: the dimensions before and after the one of interest, joined. All of a shape without
/// dimensions is 1.
struct Split {
  std::int64_t outer = 1, size = 1, inner = 1;

  Split(const Shape& shape, std::size_t dim) {
    for (std::size_t i = 0; i < shape.size(); ++i) (i < dim ? outer : i == dim ? size : inner) *= shape[i];
  }
};

}  // namespace teff::ops

// SPDX-License-Identifier: MIT
#pragma once

// Private: for whoever must have elements of its own.

#include <memory>

#include "teff/engine/op.h"

namespace teff::ops {

/// The op of Tensor::clone().
std::shared_ptr<const Op> clone_op();

}  // namespace teff::ops

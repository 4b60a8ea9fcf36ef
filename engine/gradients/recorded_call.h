// SPDX-License-Identifier: MIT
#pragma once

// Private: what autograd.h's grad needs of this folder.

#include <memory>
#include <span>

#include "teff/engine/gradient.h"
#include "teff/engine/tensor.h"

namespace teff::detail {

/// The gradients of a call's inputs, recorded. @throws Error if there is no formula for the op.
TensorList differentiate(const std::shared_ptr<Node>& node, std::span<const Tensor> grads,
                         std::span<const bool> wanted);

}  // namespace teff::detail

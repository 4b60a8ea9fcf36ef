// SPDX-License-Identifier: MIT
#pragma once

// Private: how the layers of torch.nn print their hyper-parameters.

#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "teff/serialize/torch/pickle_machine.h"

namespace teff::serialize {

/// What Python prints between the parentheses: "3, 6, kernel_size=(5, 5), stride=(1, 1)". Empty for a layer that prints
/// nothing, or that is not known. `attributes`: names and values in turn; `has(name)`: whether a parameter is not None.
std::string layer_text(const Pickle& pickle, std::span<const NodeId> attributes, std::string_view layer,
                       const std::function<bool(std::string_view)>& has);

}  // namespace teff::serialize

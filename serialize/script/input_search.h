// SPDX-License-Identifier: MIT
#pragma once

// Private: types of inputs that a network takes whose file does not say them.

#include <functional>
#include <string>
#include <vector>

#include "teff/engine/tensor.h"

namespace teff::serialize {

/// What a network says to inputs of some types: "" if it takes them, else why not, and how far it came.
struct InputTrial {
  std::string refusal;
  std::size_t calls = 0;
  bool is_unsupported = false;  // whatever the sizes
  bool keeps_rows = true;       // an output has as many rows as the inputs
};

/// The first types that the network takes: of batch 2 if it does, with channels and features as its weights have them,
/// images as they are usual, both in the dtype of the weights. What it comes farthest with is tried at other sizes;
/// inputs whose rows do not become rows of an output are the last choice.
/// @throws UnsupportedError if there are none, with the refusal of those that it came farthest with.
std::vector<TensorType> find_input_types(std::size_t inputs, const std::vector<TensorType>& weights,
                                         const std::function<InputTrial(const std::vector<TensorType>&)>& attempt);

}  // namespace teff::serialize

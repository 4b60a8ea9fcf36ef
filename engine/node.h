// SPDX-License-Identifier: MIT
#pragma once

// Private: a recorded call. See op.h.

#include <cstdint>
#include <memory>
#include <vector>

#include "teff/engine/op.h"
#include "teff/engine/tensor.h"

namespace teff {

/// How a tensor was computed: backward() and capture walk from one to those that made its inputs.
struct Node {
  std::shared_ptr<const Op> op;
  TensorList inputs;  // without values where the op does not need them
  TensorList saved;
  std::vector<std::uint32_t, CachingAllocator<std::uint32_t>> versions;  // of inputs, then saved, when recorded
  TensorType type;                                                       // of the result
  std::uint64_t sequence = 0;  // grows with time: greater than that of every node it uses
  const void* scope = nullptr;
  bool requires_grad = false;
  bool released = false;  // backward has let go of inputs and saved
  Tensor grad;            // backward in progress: sum of what has arrived
  Node* next_to_delete = nullptr;
};

}  // namespace teff

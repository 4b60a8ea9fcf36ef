// SPDX-License-Identifier: MIT
#pragma once

// Private: a recorded call. See op.h.

#include <cstdint>
#include <memory>
#include <vector>

#include "teff/engine/op.h"
#include "teff/engine/tensor.h"

namespace teff {

/// A result of a recorded call, while backward is in progress with the sum of the gradients that have arrived for it.
struct NodeResult {
  TensorType type;
  Tensor grad;
};

/// How a tensor was computed: backward() and capture walk from one to those that made its inputs.
struct Node {
  std::shared_ptr<const Op> op;
  TensorList inputs;  // without values where the op does not need them
  TensorList saved;
  std::vector<std::uint32_t, CachingAllocator<std::uint32_t>> versions;  // of inputs, then saved, when recorded
  NodeResult result;                                                     // the first, and nearly always only one
  std::vector<NodeResult, CachingAllocator<NodeResult>> more_results;
  std::uint64_t sequence = 0;  // grows with time: greater than that of every node it uses
  const void* scope = nullptr;
  bool requires_grad = false;
  bool released = false;  // backward has let go of inputs and saved
  bool has_grad = false;  // backward in progress: one has arrived
  Node* next_to_delete = nullptr;

  std::size_t result_count() const { return 1 + more_results.size(); }
  NodeResult& result_at(std::size_t i) { return i == 0 ? result : more_results[i - 1]; }
  const NodeResult& result_at(std::size_t i) const { return i == 0 ? result : more_results[i - 1]; }
};

}  // namespace teff

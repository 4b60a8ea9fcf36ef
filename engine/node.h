// SPDX-License-Identifier: MIT
#pragma once

// Private: a recorded call. See op.h.

#include <cstdint>
#include <memory>
#include <vector>

#include "teff/engine/op.h"
#include "teff/engine/tensor.h"
#include "teff/engine/tensor_impl.h"

namespace teff {

/// A result of a recorded call, while backward is in progress with the sum of the gradients that have arrived for it.
struct NodeResult {
  TensorType type;
  Tensor grad;
};

/// Who wants to know the gradient of a result when it is complete.
struct GradientWatch {
  std::uint32_t result = 0;
  std::shared_ptr<detail::GradientHooks> hooks = {};  // null if there are none
  std::weak_ptr<TensorImpl> retained_by = {};         // whose grad() it becomes
};

/// Brings back what nodes kept and dropped. See checkpoint.h.
class Recomputation {
 public:
  virtual ~Recomputation() = default;
  virtual void run() = 0;
};

/// What few nodes have.
struct NodeExtras {
  std::vector<GradientWatch> watches;
  std::shared_ptr<Recomputation> recomputation;  // if inputs and saved are without their values
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
  std::unique_ptr<NodeExtras> extras;  // null if it has none

  std::size_t result_count() const { return 1 + more_results.size(); }
  NodeResult& result_at(std::size_t i) { return i == 0 ? result : more_results[i - 1]; }
  const NodeResult& result_at(std::size_t i) const { return i == 0 ? result : more_results[i - 1]; }
  NodeExtras& with_extras() {
    if (extras == nullptr) extras = std::make_unique<NodeExtras>();
    return *extras;
  }
};

namespace detail {

/// What a node keeps of an input whose values it does not need: the way to its gradient, and its type. A leaf that a
/// gradient goes to is kept itself.
Tensor without_values(const Tensor& input);

/// Greater than that of every node there is.
std::uint64_t next_sequence();

/// How often the elements have been changed in place.
std::uint32_t version_of(const Tensor& tensor);

}  // namespace detail
}  // namespace teff

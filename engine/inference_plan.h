// SPDX-License-Identifier: MIT
#pragma once

// Private: a graph prepared for inputs of fixed types. See nn/graph/inference_session.h.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "teff/engine/graph.h"

namespace teff {

/// What InferenceSession runs: the operations that are left after folding and fusing, and where in one block of memory
/// each result lies. Immutable; sessions share it, each with a block of its own.
class InferencePlan {
 public:
  /// @throws as GraphExecutor does, and as the ops do for inputs of these types.
  InferencePlan(const Graph& graph, const NamedTensors& attributes, std::span<const TensorType> inputs);

  struct Call {
    std::shared_ptr<const Op> op;
    std::vector<std::size_t> inputs;  // places of values
    std::size_t result;               // the first; the others are the next values
    std::size_t results = 1;
    bool is_view = false;    // the result shares the elements of its only input: made once, when a session is made
    std::string scope = {};  // path of the module that made it; of the first, if others are folded into it
    int folded = 0;          // how many calls after it
  };

  /// The tensors of a session: constants are shared, all others lie in `block` (block_bytes() bytes, 64-byte aligned).
  std::vector<Tensor> make_values(const std::shared_ptr<void>& block) const;

  /// @throws Error if a weight was changed in place since the plan was made: what was folded and packed would be stale.
  void check_weights() const;

  std::span<const Call> calls() const { return calls_; }
  std::span<const std::size_t> inputs() const { return inputs_; }
  std::span<const std::size_t> outputs() const { return outputs_; }
  std::size_t block_bytes() const { return block_bytes_; }

 private:
  struct Value {
    TensorType type;
    Tensor constant;         // defined: known beforehand
    std::size_t offset = 0;  // in the block
    int uses = 0;
  };
  class Builder;

  struct Weight {
    Tensor tensor;
    std::uint32_t version;  // of its storage
  };

  std::vector<Value> values_;
  std::vector<Weight> weights_;
  std::vector<Call> calls_;
  std::vector<std::size_t> inputs_, outputs_;
  std::size_t block_bytes_ = 0;
};

}  // namespace teff

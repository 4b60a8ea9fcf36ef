// SPDX-License-Identifier: MIT
#pragma once

// Private: what a run of a graph takes, added up from the types of its nodes.

#include <span>

#include "teff/engine/graph.h"
#include "teff/engine/op.h"

namespace teff::detail {

double elements_of(std::span<const TensorType> types);

/// Adds up what a run takes, node by node.
struct CostMeter {
  GraphCost limit, sum{0, 0};

  void add_values(const TensorType& type);
  void add_call(const Op& op, std::span<const TensorType> inputs, std::span<const TensorType> outputs);
  /// @throws ResourceError above the limit.
  void check() const;
};

}  // namespace teff::detail

// SPDX-License-Identifier: MIT
#pragma once

// Private: what readers of other systems' networks do with the graph that was recorded.

#include <span>
#include <string>

#include "teff/engine/graph.h"

namespace teff::serialize {

/// The most nodes of all records together that are made to learn which sizes are free, and of one record.
inline constexpr std::size_t kMaxExplored = 40'000;
inline constexpr std::size_t kMaxRecorded = 8192;

/// Calls inputs and outputs as the file does, where that is no other node's name. "" is no name; there may be fewer.
void name_ports(Graph& graph, std::span<const std::string> inputs, std::span<const std::string> outputs);

/// Tensors of types without values.
std::vector<Tensor> stand_ins_for(std::span<const TensorType> types);

}  // namespace teff::serialize

// SPDX-License-Identifier: MIT
#pragma once

// Private: what readers of other systems' networks do with the graph that was recorded.

#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "teff/engine/graph.h"
#include "teff/engine/recording.h"

namespace teff::serialize {

/// The most nodes of all records together that are made to learn which sizes are free, and of one record.
inline constexpr std::size_t kMaxExplored = 40'000;
inline constexpr std::size_t kMaxRecorded = 8192;

/// Calls inputs and outputs as the file does, where that is no other node's name. "" is no name; there may be fewer.
void name_ports(Graph& graph, std::span<const std::string> inputs, std::span<const std::string> outputs);

/// Whether the graph, which was recorded with a fixed batch, says that the batch is free: one that lists no free sizes
/// does. Then of_one_shape is to be recorded instead.
bool frees_batch_unseen(const Graph& graph);
/// The function behind a view of its first input in the shape that it has, which refuses inputs of other shapes.
GraphFunction of_one_shape(GraphFunction function);

/// Where the file has a number for the batch, another is only taken if the outputs have a row for each of its rows.
/// @throws FormatError if they have not. `types`: of the inputs.
void check_rows(const Graph& graph, std::span<const std::pair<std::string, Tensor>> attributes,
                const std::vector<TensorType>& types);

/// What the network tells its operations of the mode stays so: in a record of it in either mode. A record in training
/// mode that does something else changes nothing.
void keep_told_modes(Graph& graph, Graph evaluation, Graph training);

/// Tensors of types without values.
std::vector<Tensor> stand_ins_for(std::span<const TensorType> types);

/// with(true), which explores with the batch free, or else with(false). `has_one_shape`: what `with` is to take for a
/// network that then takes no other shape, although its graph does not say so (frees_batch_unseen).
detail::Explored explore_batch(const std::function<detail::Explored(bool batch)>& with, bool& has_one_shape);

/// The inputs that a graph was explored with at last, of two rows if there is a batch: what batch norm trains on.
std::vector<Tensor> inputs_of_two_rows(detail::Explored& explored);

}  // namespace teff::serialize

// SPDX-License-Identifier: MIT
#pragma once

// Private: what a function did with some inputs, and one graph of several such records.

#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "teff/engine/graph.h"
#include "teff/engine/graph_attributes.h"

namespace teff::detail {

using ScopeNames = std::vector<std::pair<const void*, std::string>>;

/// One run: the graph has all of its sizes as numbers.
struct Recording {
  Graph graph;
  std::vector<Tensor> outputs;
};

/// "float32 [2, 3], int64 [2]": the inputs.
std::string inputs_text(const Graph& graph);

/// Runs the function and writes down what it does. @throws what the function throws, with the module in front, and
/// Error for outputs that are undefined.
Recording record(const GraphFunction& function, std::vector<Tensor> inputs, const NamedTensors& attributes,
                 const ScopeNames& scope_names);

/// What teff::capture learned: the graph, and inputs of one row and the smallest other sizes that were seen to work.
struct Explored {
  Graph graph;
  std::vector<Tensor> small_inputs;
};
/// What explore may find out, and how.
struct ExploreOptions {
  bool types_only = false;                        // inputs and attributes have no values, and nothing is computed
  std::function<bool(const InputDim&)> may_vary;  // sizes that are tried; empty: all
  std::size_t max_nodes = static_cast<std::size_t>(-1);  // of all records together: no further size is tried then
};
Explored explore(const GraphFunction& function, std::span<const Tensor> inputs, const NamedTensors& attributes,
                 const ScopeNames& scope_names, const ExploreOptions& options = {});

/// One graph that does what all runs did, each with its sizes; types and constants are those of the first. If there is
/// none, `difference` says why: "it calls relu for input float32 [2, 3] and ...".
std::optional<Graph> unify(std::span<const Graph* const> runs, Evidence evidence, std::string& difference);

/// What else than the operations' attribute "training" differs in training mode, for the same inputs; "" if nothing.
/// Where an operation has the attribute and is not in training, the attribute is taken out of `graph`, so that it stays
/// so; what would then be in training is a difference.
std::string compare_modes(Graph& graph, const Graph& evaluation, const Graph& training);

}  // namespace teff::detail

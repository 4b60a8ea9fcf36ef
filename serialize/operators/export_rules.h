// SPDX-License-Identifier: MIT
#pragma once

// Private: what every way out of a graph needs before anything is written.

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "teff/engine/graph.h"

namespace teff::serialize {

/// Why an operation cannot be written; none if it can.
using Decline = std::function<std::optional<std::string>(const std::string& op)>;

/// @throws ValueError that lists, each once, the operations of the graph that are declined.
void check_operations(const Graph& graph, std::string_view format, const Decline& decline);

/// Gives the options that a file left out their defaults.
void fill_attributes(Graph& graph);

}  // namespace teff::serialize

// SPDX-License-Identifier: MIT
#pragma once

// Private: attributes that follow sizes. The integer k * batch is written {"batch": k}; one that follows dimensions of
// an earlier node {"size": [place, dim, ...], "times": k, "plus": p, "over": n}, which is (k * sizes + p) / n, rounded
// down.

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "teff/engine/dict.h"
#include "teff/engine/graph.h"

namespace teff::detail {

/// The shape of the node at a place; null if there is none yet.
using ShapeOf = std::function<const Shape*(std::int64_t place)>;

/// Whether some integer of the attributes follows a size.
bool follows_sizes(const Dict& attributes);
/// Whether one is a {"size": ...}.
bool follows_nodes(const Dict& attributes);

/// Marks the nodes whose sizes the attributes follow.
void mark_followed(const Dict& attributes, std::vector<bool>& nodes);

/// The attributes at given sizes. @throws ValueError, TypeError for what is malformed, refers to a node or dimension
/// that is not there, is beyond 2^63, or negative where it follows a node.
Dict resolve_sizes(const Dict& attributes, const ShapeOf& shape_of);

/// How sure unify is to be: `likely` takes what fits the runs so far, `certain` only what nothing else fits, too.
enum class Evidence { likely, certain };

/// The value of an attribute of the call at `place`, which the records of several runs saw as `values`: itself if all
/// are equal; for integers what they follow in all runs. None if there is no such value.
std::optional<Value> unify(std::span<const Value* const> values, std::span<const Graph* const> runs, std::size_t place,
                           Evidence evidence);

}  // namespace teff::detail

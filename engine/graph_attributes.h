// SPDX-License-Identifier: MIT
#pragma once

// Private: attributes that follow the batch. The integer k * batch is written {"batch": k}.

#include <cstdint>
#include <optional>
#include <vector>

#include "teff/engine/dict.h"

namespace teff::detail {

/// Size of dimension 0 of the first input; 1 if it has no dimensions.
std::int64_t batch_of(const std::vector<TensorType>& types);

/// Whether some integer of the attributes follows the batch.
bool follows_batch(const Dict& attributes);

/// The attributes at a given batch size. @throws ValueError for a malformed {"batch": k} or a product beyond 2^62.
Dict resolve_batch(const Dict& attributes, std::int64_t batch);

/// The value that is `a` at batch size `batch_a` and `b` at `batch_b`: itself if both are equal, {"batch": k} for
/// integers in that proportion; none if there is no such value.
std::optional<Value> unify(const Value& a, std::int64_t batch_a, const Value& b, std::int64_t batch_b);

}  // namespace teff::detail

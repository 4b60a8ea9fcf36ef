// SPDX-License-Identifier: MIT
#pragma once

// Inputs for the samples of operations, for the files that list these.

#include <cstdint>

#include "support/op_samples.h"

namespace teff::testing {

/// Between -2 and 2.
InputMaker smooth(const Shape& shape);
/// Between 0.4 and 2.
InputMaker positive(const Shape& shape);
/// Between 0.1 and 0.9.
InputMaker probability(const Shape& shape);
/// Between -2 and 2, but not nearer than 0.2 to 0.
InputMaker away_from_zero(const Shape& shape);
/// No two elements are nearer than 0.1 to each other.
InputMaker distinct(const Shape& shape);
/// From about -size / 4 to size / 4 for a number of elements `size`, and none near a multiple of 0.5.
InputMaker wide(const Shape& shape);
/// int64 in [0, limit).
InputMaker indices(const Shape& shape, std::int64_t limit);
/// The same without a gradient.
InputMaker fixed(InputMaker maker);

void add_layer_op_samples(std::vector<OpSample>& samples);
void add_large_layer_op_samples(std::vector<OpSample>& samples);
void add_math_op_samples(std::vector<OpSample>& samples);
void add_large_math_op_samples(std::vector<OpSample>& samples);
void add_indexing_op_samples(std::vector<OpSample>& samples);
void add_large_indexing_op_samples(std::vector<OpSample>& samples);
void add_sequence_op_samples(std::vector<OpSample>& samples);
void add_large_sequence_op_samples(std::vector<OpSample>& samples);
void add_volume_op_samples(std::vector<OpSample>& samples);
void add_large_volume_op_samples(std::vector<OpSample>& samples);

}  // namespace teff::testing

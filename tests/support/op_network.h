// SPDX-License-Identifier: MIT
#pragma once

#include <span>

#include "support/op_samples.h"
#include "teff/nn/graph/graph_module.h"

namespace teff::testing {

/// A network that applies an operation to tensors of its own, of which those with a derivative are parameters. Its
/// input, a single number, changes nothing, but makes the results follow from the input. In evaluation mode.
nn::GraphModule op_network(const OpSample& sample);

/// The derivatives of the sum of all outputs, the i-th number of each times cos(i), flow back.
void backward_of_all(std::span<const Tensor> outputs);

}  // namespace teff::testing

// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "fuzz/target.h"
#include "teff/nn/graph/graph_module.h"

namespace teff::fuzz {

/// A model of a few operations of the registry on small tensors, with options that nobody would choose, and inputs for
/// it. What it is follows from the bytes alone.
struct RandomModel {
  nn::GraphModuleData data;
  std::vector<Tensor> inputs;
};

RandomModel make_random_model(std::span<const std::byte> bytes);

/// Other bytes for such a model: a change of these, or all of them anew.
void mutate_decisions(Bytes& bytes, Random& random, Mutator mutate);

}  // namespace teff::fuzz

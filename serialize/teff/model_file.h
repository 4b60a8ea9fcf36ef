// SPDX-License-Identifier: MIT
#pragma once

// Private: an entire model as the content of a .teff file.

#include <span>
#include <vector>

#include "teff/nn/graph/graph_module.h"
#include "teff/serialize/teff/archive.h"

namespace teff::serialize {

/// Inputs, and what the model gives for them in evaluation mode.
struct SelfTest {
  std::vector<Tensor> inputs;
  std::vector<Tensor> outputs;
};

struct ModelContent {
  nn::GraphModuleData module;
  SelfTest self_test;
};

/// Runs the model on the first rows of the example.
SelfTest make_self_test(const nn::GraphModule& module, std::span<const Tensor> example);

/// @throws FormatError, naming output and place, unless the model gives the outputs of the test in evaluation mode, up
/// to rounding: a difference of 1e-4 (in float64 of 1e-10) of the largest element of the output. Other instruction sets
/// and thread counts than those of the file's writer stay far below that; integers must be equal.
void check_self_test(const nn::GraphModule& module, const SelfTest& test);

void save(HeaderWriter& archive, const ModelContent& content);
/// @throws FormatError. Whether the parts fit each other is for GraphModule to say.
void load(HeaderReader& archive, ModelContent& content);

}  // namespace teff::serialize

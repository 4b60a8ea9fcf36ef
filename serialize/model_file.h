// SPDX-License-Identifier: MIT
#pragma once

// Private: an entire model as the content of a .teff file.

#include <span>
#include <vector>

#include "teff/nn/graph_module.h"
#include "teff/serialize/archive.h"

namespace teff::file {

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

void save(HeaderWriter& archive, const ModelContent& content);
/// @throws FormatError. Whether the parts fit each other is for GraphModule to say.
void load(HeaderReader& archive, ModelContent& content);

}  // namespace teff::file

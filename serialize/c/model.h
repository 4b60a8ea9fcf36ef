// SPDX-License-Identifier: MIT
#pragma once

// Private to serialize/c: the handle of a model.

#include <vector>

#include "teff/nn/graph/graph_module.h"

struct teff_model {
  explicit teff_model(teff::nn::GraphModule loaded)
      : module(std::move(loaded)), inputs(module.inputs()), outputs(module.outputs()) {}

  teff::nn::GraphModule module;
  std::vector<teff::nn::GraphPort> inputs, outputs;  // teff_port refers to them
};

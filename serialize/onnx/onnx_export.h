// SPDX-License-Identifier: MIT
#pragma once

// Private: a captured network in ONNX's operators, as plain data.

#include <string>
#include <utility>
#include <vector>

#include "teff/nn/graph/graph_module.h"
#include "teff/serialize/operators/export_call.h"

namespace teff::serialize {

/// An input or output. Sizes that vary have names; "" for those that do not.
struct ExportPort {
  std::string name;
  TensorType type;
  std::vector<std::string> symbols;
};

struct ExportGraph {
  std::vector<ExportNode> nodes;
  NamedTensors initializers;  // under their keys in the state dict
  std::vector<ExportPort> inputs, outputs;
};

/// The network in evaluation mode. Parameters and buffers are initialisers, also those that no operation reads; a
/// tensor of two keys is one, and its second key an Identity. Other tensors are constants.
/// @throws ValueError that lists the operations that ONNX does not have, or names one that cannot be written.
ExportGraph export_graph(const nn::GraphModuleData& module);

}  // namespace teff::serialize

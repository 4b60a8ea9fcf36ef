// SPDX-License-Identifier: MIT
#pragma once

// Private: what the files of TorchValues share beside its class.

#include <cstddef>

#include "teff/serialize/torch/torch_values.h"

namespace teff::serialize {

inline constexpr std::size_t kShownOfName = 100;  // of a name in an error

/// The dtype of "torch.float32", if Teff has it.
std::optional<DType> dtype_named(std::string_view name);

/// The attributes of an nn.Module that hold others. Nodes that are not there are kNoNode.
struct TorchValues::Members {
  NodeId attributes = kNoNode;
  NodeId parameters = kNoNode;
  NodeId buffers = kNoNode;
  NodeId modules = kNoNode;
  NodeId not_saved = kNoNode;  // a set of names of buffers
};

class TorchValues::Guard {
 public:
  Guard(TorchValues& values, NodeId id);
  ~Guard();
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;

 private:
  TorchValues& values_;
};

}  // namespace teff::serialize

// SPDX-License-Identifier: MIT
#pragma once

// Private: what the files of nn/ ask of a module's declared members.

#include <string>
#include <utility>
#include <vector>

#include "teff/nn/module.h"

namespace teff::nn::detail {

/// A parameter or buffer under its name.
struct StateEntry {
  std::string name;
  Tensor tensor;
  bool is_parameter;
  bool is_persistent = true;  // in the state dict
};

struct Members {
  std::vector<StateEntry> state;  // defined ones: parameters, then buffers
  std::vector<std::pair<std::string, Module*>> children;
};

/// What the module itself declares.
Members members_of(const Module& module);

/// All state at and below the module by dotted name, in the order of PyTorch's state dict. What is shared appears
/// under each of its names.
std::vector<StateEntry> named_state(const Module& module);
/// The same without the buffers that are not persistent: what the state dict holds.
std::vector<StateEntry> persistent_state(const Module& module);

/// Puts every module below in training or evaluation mode for its lifetime, and each back into its own afterwards.
class ModeGuard {
 public:
  ModeGuard(Module& module, bool training);
  ~ModeGuard();
  ModeGuard(const ModeGuard&) = delete;
  ModeGuard& operator=(const ModeGuard&) = delete;

 private:
  std::vector<std::pair<Module*, bool>> modes_;
};

}  // namespace teff::nn::detail

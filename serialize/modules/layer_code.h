// SPDX-License-Identifier: MIT
#pragma once

// Private: what PyTorch's layers do with tensors, in the language of TorchScript's archives. A module that Python
// pickled whole has its attributes in its file and their meaning in Python: this is the meaning.

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace teff::serialize {

/// The code of a file of PyTorch, "code/__torch__/torch/nn/modules/conv.py": its layers as classes with a forward. What
/// older versions of PyTorch did not write is a constant of the class. None for other files.
std::optional<std::string> layer_code(std::string_view name);

struct LayerFile {
  std::string_view name;  // "torch.nn.modules.conv"
  std::string_view code;
};
/// Layers that see what is around an element (window_code.cpp), and torchvision's networks (vision_code.cpp).
extern const std::span<const LayerFile> window_files, vision_files;

/// Whether there is a class "torch.nn.modules.conv.Conv2d".
bool has_layer(std::string_view type);

}  // namespace teff::serialize

// SPDX-License-Identifier: MIT
#pragma once

// Private: a TorchScript archive, opened for who reads its code.

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "teff/serialize/contents.h"
#include "teff/serialize/io/byte_source.h"
#include "teff/serialize/options.h"

namespace teff::serialize {

/// An object that the archive's pickle holds: a module, or what a class of Python was scripted to.
struct ScriptObject {
  struct Attribute {
    std::string name;
    Value value;                           // its tensors are stand-ins of the archive's module
    const ScriptObject* object = nullptr;  // if it is one, instead
    bool is_state = false;                 // a parameter or buffer: it has no value here, but a key of the state dict
    bool is_parameter = false;
  };
  std::string type;  // "__torch__.torch.nn.modules.conv.Conv2d"
  std::string path;  // in the tree: "layer1.0"; of one that stands in several places, the first
  std::vector<Attribute> attributes;
};

struct ScriptArchive {
  std::unique_ptr<Contents> module;     // structure: the state dict; modules: the tree
  std::unique_ptr<Contents> constants;  // structure: a list under "": CONSTANTS.c0 and so on; null: none
  std::deque<ScriptObject> objects;     // the first is the whole module
  /// The text of "code/__torch__/torch/nn/functional.py"; none if there is no such entry, or all that were read are
  /// longer than the file allows.
  std::function<std::optional<std::string>(const std::string& name)> code;
  bool is_pickled = false;  // a module with code of Teff's own (modules/): errors name its modules and no lines
};

/// Whether the file of PyTorch is a TorchScript archive. @throws FormatError for a damaged zip.
bool is_script(const ByteSource& source);

/// @throws FormatError, also for a file of PyTorch that is none.
ScriptArchive open_script(std::shared_ptr<const ByteSource> source, const LoadOptions& options);

}  // namespace teff::serialize

// SPDX-License-Identifier: MIT
#pragma once

// Private: a module that Python pickled whole, opened for who makes a network of it.

#include <memory>
#include <string>
#include <vector>

#include "teff/serialize/contents.h"
#include "teff/serialize/io/byte_source.h"
#include "teff/serialize/options.h"

namespace teff::serialize {

/// What its pickle says of a module. One that stands in several places is there several times.
struct PickledModule {
  std::string name;                 // in its parent
  std::string type;                 // "torch.nn.modules.conv.Conv2d"; empty: there is none
  std::string path;                 // in the tree: "layer1.0"
  Dict attributes;                  // that are None, bools, numbers, texts, or lists of these (None for other elements)
  std::vector<std::string> others;  // attributes that are more, and not empty
  std::vector<std::string> parameters;  // names of those that the state dict has under path and name
  std::vector<std::string> buffers;
  std::vector<PickledModule> children;
  bool has_members = false;  // parameters, buffers and children: a module, in short
};

struct PickledNetwork {
  std::unique_ptr<Contents> contents;  // structure: the state dict; modules: the tree as it is printed
  PickledModule module;                // that the file is; none if it is something else
};

/// Opens a file of torch.save that is no TorchScript archive. @throws FormatError, UnsupportedError.
PickledNetwork open_pickled(std::shared_ptr<const ByteSource> source, const LoadOptions& options);

}  // namespace teff::serialize

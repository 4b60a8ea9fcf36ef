// SPDX-License-Identifier: MIT
#pragma once

// Private: a dictionary as a pickle for torch.load.

#include <cstddef>
#include <vector>

#include "teff/engine/dict.h"

namespace teff::serialize {

struct TorchPickle {
  std::vector<std::byte> bytes;
  std::vector<Tensor> storages;  // the entry "data/0" and those after it
};

/// @throws ValueError that names the entry that Python could not read.
TorchPickle pickle_for_torch(const Dict& dict);

}  // namespace teff::serialize

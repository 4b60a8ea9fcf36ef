// SPDX-License-Identifier: MIT
#pragma once

// Numbers that PyTorch computed: see tests/golden/golden_file.py, which writes these files.

#include <string>
#include <vector>

#include "teff/engine/dict.h"

namespace teff::testing {

struct GoldenCase {
  std::string name;
  Dict entries;
};

/// All cases of a file of the folder tests/golden. @throws Error for one that cannot be read.
std::vector<GoldenCase> read_golden(const std::string& file_name);

/// The case of that name. @throws Error if there is none.
const Dict& golden_case(const std::vector<GoldenCase>& cases, const std::string& name);

/// The tensors of a dict, in its order.
std::vector<Tensor> tensors_of(const Dict& dict);

}  // namespace teff::testing

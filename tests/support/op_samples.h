// SPDX-License-Identifier: MIT
#pragma once

// For each operation of the registry: calls on which every promise that holds for all operations is checked
// (engine/op_registry_test.cpp). A new operation needs a sample here.

#include <functional>
#include <iosfwd>
#include <string>
#include <vector>

#include "teff/engine/dict.h"

namespace teff::testing {

/// Makes one input, the same each time for the same seed.
struct InputMaker {
  std::function<Tensor(unsigned seed)> make;
  bool differentiable = true;
};

struct OpSample {
  std::string op;
  Dict attributes;
  std::vector<InputMaker> makers;

  /// Fresh inputs, float64 where they can have a gradient, with all values away from kinks and ties.
  std::vector<Tensor> inputs() const;
  /// The same in another precision; requires_grad as the makers say.
  std::vector<Tensor> leaves(DType dtype) const;
};

std::ostream& operator<<(std::ostream& out, const OpSample& sample);

/// Small ones, of awkward shapes.
const std::vector<OpSample>& op_samples();

/// Large enough for the work to be split among threads.
const std::vector<OpSample>& large_op_samples();

}  // namespace teff::testing

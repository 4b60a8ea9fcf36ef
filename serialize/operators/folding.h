// SPDX-License-Identifier: MIT
#pragma once

// Private: what a network computes of constants and sizes alone while it is recorded by its types.

#include <functional>
#include <vector>

#include "teff/engine/tensor.h"

namespace teff::serialize {

/// Whether its values are there and were not computed by a recorded call.
bool is_constant(const Tensor& tensor);

/// What one run may compute at once, and how many elements of constants its record may hold.
class Folding {
 public:
  /// Counts the constants that these results and the calls behind them refer to, without the inputs and what has a
  /// name.
  /// @throws UnsupportedError if they are more than 131072 elements of a run.
  void count_constants(const TensorList& results, const std::vector<Tensor>& inputs,
                       const std::function<bool(const Tensor&)>& is_named);
  /// Whether what was recorded for the results may be computed, too; then it is counted.
  bool takes(const TensorList& results);

 private:
  double left_ = 1 << 17;  // operations on single values, and elements
};

}  // namespace teff::serialize

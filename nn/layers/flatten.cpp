// SPDX-License-Identifier: MIT
#include "teff/nn/layers/flatten.h"

#include "teff/engine/ops.h"

namespace teff::nn {

Tensor Flatten::forward(const Tensor& input) { return flatten(input, start_dim_, end_dim_); }

std::string Flatten::extra_repr() const {
  return "start_dim=" + std::to_string(start_dim_) + ", end_dim=" + std::to_string(end_dim_);
}

}  // namespace teff::nn

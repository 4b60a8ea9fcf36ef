// SPDX-License-Identifier: MIT
#pragma once

#include "teff/engine/ops.h"
#include "teff/nn/nn.h"

namespace teff::testing {

/// A gated linear unit (Dauphin et al., 2017), its greatest element and where that is: calls of several results, one of
/// which (of the second) is an output that nothing else uses.
struct Gated : nn::Module {
  nn::Linear fc{3, 8};
  TEFF_MODULE(Gated, fc)
  std::vector<Tensor> forward_many(std::span<const Tensor> x) override {
    const std::vector<Tensor> halves = fc(x[0]).chunk(2, 1);
    const auto [values, indices] = (halves[0] * sigmoid(halves[1])).max(1);
    return {values, indices};
  }
};

}  // namespace teff::testing

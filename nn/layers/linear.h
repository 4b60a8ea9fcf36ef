// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "teff/nn/module.h"

namespace TEFF_EXPORT teff {
namespace nn {

struct LinearOptions {
  bool bias = true;
};

/// y = x W^T + b: [..., in_features] -> [..., out_features]. weight [out_features, in_features], bias [out_features];
/// initialised by init::reset_affine_.
class Linear : public Module {
 public:
  /// @throws ValueError for sizes below 1.
  Linear(Integer in_features, Integer out_features, const LinearOptions& options = {});

  Parameter weight;
  Parameter bias;  // undefined without
  TEFF_MODULE(Linear, weight, bias)

  Tensor forward(const Tensor& input) override;
  std::string extra_repr() const override;
};

}  // namespace nn
}  // namespace teff

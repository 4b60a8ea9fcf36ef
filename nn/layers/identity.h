// SPDX-License-Identifier: MIT
#pragma once

#include "teff/nn/module.h"

namespace TEFF_EXPORT teff {
namespace nn {

/// Returns its input: stands where a layer was taken out.
class Identity : public Module {
 public:
  TEFF_MODULE(Identity)
  Tensor forward(const Tensor& input) override { return input; }
};

}  // namespace nn
}  // namespace teff

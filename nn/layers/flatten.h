// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "teff/nn/module.h"

namespace TEFF_EXPORT teff {
namespace nn {

/// Makes one dimension of start_dim ... end_dim: [N, C, H, W] -> [N, C * H * W] by default. Shares elements.
class Flatten : public Module {
 public:
  explicit Flatten(Integer start_dim = 1, Integer end_dim = -1) : start_dim_(start_dim), end_dim_(end_dim) {}
  TEFF_MODULE(Flatten)
  Tensor forward(const Tensor& input) override;
  std::string extra_repr() const override;

 private:
  std::int64_t start_dim_, end_dim_;
};

}  // namespace nn
}  // namespace teff

// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "teff/nn/module.h"

namespace teff::nn {

struct Conv2dOptions {
  Pair stride = 1;
  Pair padding = 0;
  Pair dilation = 1;
  std::int64_t groups = 1;
  bool bias = true;
};

/// teff::conv2d: [N, in_channels, H, W] -> [N, out_channels, Ho, Wo].
/// weight [out_channels, in_channels / groups, kh, kw], bias [out_channels]; initialised by init::reset_affine_.
class Conv2d : public Module {
 public:
  /// @throws ValueError for sizes below 1, negative padding, or channels that groups does not divide.
  Conv2d(std::int64_t in_channels, std::int64_t out_channels, const Pair& kernel_size,
         const Conv2dOptions& options = {});

  Parameter weight;
  Parameter bias;  // undefined without
  TEFF_MODULE(Conv2d, weight, bias)

  Tensor forward(const Tensor& input) override;
  std::string extra_repr() const override;
  const Conv2dOptions& options() const { return options_; }

 private:
  Conv2dOptions options_;
};

}  // namespace teff::nn

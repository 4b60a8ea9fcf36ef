// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "teff/nn/module.h"

namespace TEFF_EXPORT teff {
namespace nn {

struct ConvTranspose2dOptions {
  Pair stride = 1;
  Pair padding = 0;
  Pair output_padding = 0;
  std::int64_t groups = 1;
  bool bias = true;
  Pair dilation = 1;
};

/// teff::conv_transpose2d: [N, in_channels, H, W] -> [N, out_channels, Ho, Wo].
/// weight [in_channels, out_channels / groups, kh, kw], bias [out_channels]; initialised by init::reset_affine_.
class ConvTranspose2d : public Module {
 public:
  /// @throws ValueError for sizes below 1, negative padding, channels that groups does not divide, or output_padding
  /// that is neither below the stride nor below the dilation.
  ConvTranspose2d(Integer in_channels, Integer out_channels, const Pair& kernel_size,
                  const ConvTranspose2dOptions& options = {});

  Parameter weight;
  Parameter bias;  // undefined without
  TEFF_MODULE(ConvTranspose2d, weight, bias)

  Tensor forward(const Tensor& input) override;
  std::string extra_repr() const override;

 private:
  ConvTranspose2dOptions options_;
};

}  // namespace nn
}  // namespace teff

// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "teff/engine/sequence_ops.h"
#include "teff/nn/layers/conv2d.h"

namespace TEFF_EXPORT teff {
namespace nn {

struct Conv3dOptions {
  Triple stride = 1;
  BasicConvPadding<Triple> padding = 0;
  Triple dilation = 1;
  std::int64_t groups = 1;
  bool bias = true;
  PadMode padding_mode = PadMode::constant;  // zeros
};

/// teff::conv3d: [N, in_channels, D, H, W] -> [N, out_channels, Do, Ho, Wo].
/// weight [out_channels, in_channels / groups, kd, kh, kw], bias [out_channels]; initialised by init::reset_affine_.
class Conv3d : public Module {
 public:
  /// @throws ValueError for sizes below 1, negative padding, channels that groups does not divide, or padding "same"
  /// with a stride.
  Conv3d(Integer in_channels, Integer out_channels, const Triple& kernel_size, const Conv3dOptions& options = {});

  Parameter weight;
  Parameter bias;  // undefined without
  TEFF_MODULE(Conv3d, weight, bias)

  Tensor forward(const Tensor& input) override;
  std::string extra_repr() const override;

 private:
  detail::ConvSizes sizes() const;

  Conv3dOptions options_;
};

}  // namespace nn
}  // namespace teff

// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "teff/engine/sequence_ops.h"
#include "teff/nn/module.h"

namespace TEFF_EXPORT teff {
namespace nn {

struct ConvTranspose3dOptions {
  Triple stride = 1;
  Triple padding = 0;
  Triple output_padding = 0;
  std::int64_t groups = 1;
  bool bias = true;
  Triple dilation = 1;
};

/// teff::conv_transpose3d: [N, in_channels, D, H, W] -> [N, out_channels, Do, Ho, Wo].
/// weight [in_channels, out_channels / groups, kd, kh, kw], bias [out_channels]; initialised by init::reset_affine_.
class ConvTranspose3d : public Module {
 public:
  /// @throws ValueError for sizes below 1, negative padding, channels that groups does not divide, or output_padding
  /// that is neither below the stride nor below the dilation.
  ConvTranspose3d(Integer in_channels, Integer out_channels, const Triple& kernel_size,
                  const ConvTranspose3dOptions& options = {});

  Parameter weight;
  Parameter bias;  // undefined without
  TEFF_MODULE(ConvTranspose3d, weight, bias)

  Tensor forward(const Tensor& input) override;
  std::string extra_repr() const override;

 private:
  ConvTranspose3dOptions options_;
};

}  // namespace nn
}  // namespace teff

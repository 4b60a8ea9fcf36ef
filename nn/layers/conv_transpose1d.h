// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "teff/nn/module.h"

namespace TEFF_EXPORT teff {
namespace nn {

struct ConvTranspose1dOptions {
  std::int64_t stride = 1;
  std::int64_t padding = 0;
  std::int64_t output_padding = 0;
  std::int64_t groups = 1;
  bool bias = true;
  std::int64_t dilation = 1;
};

/// teff::conv_transpose1d: [N, in_channels, L] -> [N, out_channels, Lo].
/// weight [in_channels, out_channels / groups, k], bias [out_channels]; initialised by init::reset_affine_.
class ConvTranspose1d : public Module {
 public:
  /// @throws ValueError for sizes below 1, negative padding, channels that groups does not divide, or output_padding
  /// that is neither below the stride nor below the dilation.
  ConvTranspose1d(Integer in_channels, Integer out_channels, Integer kernel_size,
                  const ConvTranspose1dOptions& options = {});

  Parameter weight;
  Parameter bias;  // undefined without
  TEFF_MODULE(ConvTranspose1d, weight, bias)

  Tensor forward(const Tensor& input) override;
  std::string extra_repr() const override;

 private:
  ConvTranspose1dOptions options_;
};

}  // namespace nn
}  // namespace teff

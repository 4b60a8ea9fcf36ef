// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "teff/nn/layers/conv2d.h"

namespace TEFF_EXPORT teff {
namespace nn {

struct Conv1dOptions {
  std::int64_t stride = 1;
  BasicConvPadding<std::int64_t> padding = 0;
  std::int64_t dilation = 1;
  std::int64_t groups = 1;
  bool bias = true;
  PadMode padding_mode = PadMode::constant;  // zeros
};

/// teff::conv1d: [N, in_channels, L] -> [N, out_channels, Lo].
/// weight [out_channels, in_channels / groups, k], bias [out_channels]; initialised by init::reset_affine_.
class Conv1d : public Module {
 public:
  /// @throws ValueError for sizes below 1, negative padding, channels that groups does not divide, or padding "same"
  /// with a stride.
  Conv1d(Integer in_channels, Integer out_channels, Integer kernel_size, const Conv1dOptions& options = {});

  Parameter weight;
  Parameter bias;  // undefined without
  TEFF_MODULE(Conv1d, weight, bias)

  Tensor forward(const Tensor& input) override;
  std::string extra_repr() const override;

 private:
  detail::ConvSizes sizes() const;

  Conv1dOptions options_;
};

}  // namespace nn
}  // namespace teff

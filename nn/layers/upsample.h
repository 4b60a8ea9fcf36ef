// SPDX-License-Identifier: MIT
#pragma once

#include "teff/engine/image_ops.h"
#include "teff/nn/module.h"

namespace TEFF_EXPORT teff {
namespace nn {

/// teff::interpolate: `nn::Upsample({.scale_factor = 2, .mode = InterpolateMode::bilinear})`, [N, C, H, W] ->
/// [N, C, Ho, Wo].
class Upsample : public Module {
 public:
  /// @throws ValueError unless exactly one of size and scale_factor is given, and positive.
  explicit Upsample(const InterpolateOptions& options);
  TEFF_MODULE(Upsample)

  Tensor forward(const Tensor& input) override;
  std::string extra_repr() const override;

 private:
  InterpolateOptions options_;
};

}  // namespace nn
}  // namespace teff

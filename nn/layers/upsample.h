// SPDX-License-Identifier: MIT
#pragma once

#include <optional>

#include "teff/engine/image_ops.h"
#include "teff/nn/module.h"

namespace TEFF_EXPORT teff {
namespace nn {

/// teff::interpolate: `nn::Upsample({.scale_factor = 2, .mode = InterpolateMode::bilinear})`, [N, C, H, W] ->
/// [N, C, Ho, Wo], and so of rows and volumes.
class Upsample : public Module {
 public:
  /// @throws ValueError unless exactly one of size and scale_factor is given, and positive.
  explicit Upsample(const InterpolateOptions& options) : Upsample("Upsample", options) {}
  TEFF_MODULE(Upsample)

  Tensor forward(const Tensor& input) override;
  std::string extra_repr() const override;

 protected:
  Upsample(const char* layer, const InterpolateOptions& options);

 private:
  InterpolateOptions options_;
};

struct UpsamplingOptions {
  std::optional<ImageSize> size = {};
  std::optional<ScaleFactor> scale_factor = {};
};

/// Upsample in mode nearest.
class UpsamplingNearest2d : public Upsample {
 public:
  explicit UpsamplingNearest2d(const UpsamplingOptions& options)
      : Upsample("UpsamplingNearest2d", {.size = options.size, .scale_factor = options.scale_factor}) {}
  TEFF_MODULE(UpsamplingNearest2d)
};

/// Upsample in mode bilinear with align_corners.
class UpsamplingBilinear2d : public Upsample {
 public:
  explicit UpsamplingBilinear2d(const UpsamplingOptions& options)
      : Upsample("UpsamplingBilinear2d", {.size = options.size,
                                          .scale_factor = options.scale_factor,
                                          .mode = InterpolateMode::bilinear,
                                          .align_corners = true}) {}
  TEFF_MODULE(UpsamplingBilinear2d)
};

}  // namespace nn
}  // namespace teff

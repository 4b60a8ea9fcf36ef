// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "teff/nn/data/transforms.h"
#include "teff/nn/train/augmentation.h"

namespace TEFF_EXPORT teff {
namespace transforms {

struct RotateOptions {
  /// nearest or bilinear.
  GridSampleMode interpolation = GridSampleMode::nearest;
  /// The result is as large as the turned image needs; its centre must then be the image's.
  bool expand = false;
  /// What it is turned about: column and row, counted in pixels from the upper left corner. Default: the middle.
  std::optional<std::pair<double, double>> center = {};
  /// The pixels that come from outside: one number, or one for each channel. Empty: 0, and with bilinear the border
  /// fades into it.
  std::vector<double> fill = {};
};

/// The image [..., C, H, W] turned counter-clockwise by an angle in degrees: torchvision's rotate for tensors. float32,
/// float64, or uint8, which is computed in float32 and rounded.
/// @throws ShapeError for an image without pixels or of other channels than fill has numbers; TypeError for other
/// dtypes; ValueError for bicubic and an angle that is not finite.
Tensor rotate(const Tensor& image, double angle, const RotateOptions& options = {});

/// rotate by an angle from [-degrees, degrees], or from a range. The fill is {0} if the options have none.
class RandomRotation {
 public:
  /// @throws ValueError for negative degrees, a range that is not least <= greatest and finite, and bicubic.
  explicit RandomRotation(double degrees, RotateOptions options = {});
  explicit RandomRotation(const Range& degrees, RotateOptions options = {});
  Tensor operator()(const Tensor& image, Generator& generator) const;

 private:
  Range degrees_;
  RotateOptions options_;
};

}  // namespace transforms
}  // namespace teff

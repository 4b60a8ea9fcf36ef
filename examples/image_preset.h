// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>

#include <teff/teff.h>

namespace images {

/// Pictures uint8 [C, H, W] of another size, bilinear: each pixel is a mean of those under it, so that nothing is
/// skipped where the picture shrinks (antialiasing). The pixels are those that PIL computes, and so torchvision's
/// Resize of PIL's images. @throws teff::TypeError, teff::ShapeError for other tensors; teff::ValueError for a size
/// below 1, or of more than 100 million pixels.
teff::Tensor resize(const teff::Tensor& image, const teff::Pair& size);

/// The middle of it. @throws teff::ShapeError if the picture is smaller.
teff::Tensor center_crop(const teff::Tensor& image, const teff::Pair& size);

/// What torchvision's networks for ImageNet expect to be done to a picture: the shorter side resized to `resize`, the
/// middle crop x crop of that, and for each channel (x / 255 - mean) / std.
struct Preset {
  std::int64_t resize = 256;
  std::int64_t crop = 224;
  std::array<float, 3> mean{0.485F, 0.456F, 0.406F};
  std::array<float, 3> std{0.229F, 0.224F, 0.225F};

  /// uint8 [3, H, W] -> float32 [3, crop, crop]. @throws as resize and center_crop.
  teff::Tensor operator()(const teff::Tensor& image) const;
};

}  // namespace images

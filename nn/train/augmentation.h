// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "teff/nn/data/transforms.h"

// More of torchvision's changes to images, to be used as those of nn/data/transforms.h, and with its random numbers
// after the same seed. Images are [..., C, H, W].

namespace TEFF_EXPORT teff {
namespace transforms {

/// Rows in reverse order. @throws ShapeError for less than two dimensions.
Tensor vflip(const Tensor& image);

/// The mirror image, top for bottom, with probability p.
class RandomVerticalFlip {
 public:
  /// @throws ValueError unless 0 <= p <= 1.
  explicit RandomVerticalFlip(double p = 0.5);
  Tensor operator()(const Tensor& image, Generator& generator) const;

 private:
  double p_;
};

/// The middle of that size {height, width}; a smaller image has zeros around it.
class CenterCrop {
 public:
  /// @throws ValueError for a size below 1.
  explicit CenterCrop(const Pair& size);
  /// @throws ShapeError for less than two dimensions.
  Tensor operator()(const Tensor& image) const;
  Tensor operator()(const Tensor& image, Generator&) const { return (*this)(image); }

 private:
  Pair size_;
};

struct ResizeOptions {
  /// A pixel of a smaller image is a weighted mean of all that it covers, and not of the four around one place.
  /// torchvision 0.14 has it for tensors only if asked to, as Teff; PIL and newer ones always.
  bool antialias = false;
};

/// The image at another size, bilinear. float32, float64, or uint8, which is computed in float32 and rounded: a result
/// half way between two numbers may be the other one in torchvision.
class Resize {
 public:
  /// The shorter side becomes this long; the other keeps the proportion, rounded down.
  template <WholeNumber T>
  explicit Resize(T shorter_side, const ResizeOptions& options = {}) : Resize(Pair(shorter_side), options) {
    shorter_side_ = true;
  }
  /// Becomes {height, width}. @throws ValueError for a size below 1, as the other.
  explicit Resize(const Pair& size, const ResizeOptions& options = {});
  /// @throws ShapeError for less than two dimensions or no pixels; TypeError for other dtypes.
  Tensor operator()(const Tensor& image) const;
  Tensor operator()(const Tensor& image, Generator&) const { return (*this)(image); }

 private:
  Pair size_;
  ResizeOptions options_;
  bool shorter_side_ = false;
};

/// The least and the greatest, as of a draw.
struct Range {
  double least, greatest;
};

struct RandomResizedCropOptions {
  Range scale = {0.08, 1};           // part of the image's area
  Range ratio = {3.0 / 4, 4.0 / 3};  // width / height
  bool antialias = false;            // see ResizeOptions
};

/// A part of random area and proportion, at a random place, resized (see Resize) to {height, width}. Where ten draws do
/// not fit in the image it is the greatest middle part of a proportion that is allowed.
class RandomResizedCrop {
 public:
  /// @throws ValueError for a size below 1, and ranges that are not 0 < least <= greatest (scale: 0 <= least).
  explicit RandomResizedCrop(const Pair& size, const RandomResizedCropOptions& options = {});
  /// @throws what Resize throws.
  Tensor operator()(const Tensor& image, Generator& generator) const;

 private:
  Pair size_;
  RandomResizedCropOptions options_;
};

struct RandomErasingOptions {
  double p = 0.5;
  Range scale = {0.02, 0.33};  // part of the image's area
  Range ratio = {0.3, 3.3};    // height / width
  /// What is put there: one number, or one for each channel; none: normal random numbers.
  std::optional<std::vector<double>> value = std::vector<double>{0};
};

/// Overwrites a random rectangle with probability p; not where ten draws do not fit in the image.
class RandomErasing {
 public:
  /// @throws ValueError unless 0 <= p <= 1, 0 <= scale <= 1, 0 < ratio, and for an empty value.
  explicit RandomErasing(RandomErasingOptions options = {});
  /// @throws ShapeError unless the image is [..., C, H, W] with as many channels as there are values.
  Tensor operator()(const Tensor& image, Generator& generator) const;

 private:
  RandomErasingOptions options_;
};

}  // namespace transforms
}  // namespace teff

// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "teff/engine/image_ops.h"
#include "teff/nn/data/dataset.h"

// Changes to images [C, H, W] on their way to a network, under torchvision's names, and with its numbers where they are
// random:
//
//   using namespace teff::transforms;
//   data::TransformedDataset augmented(images, Compose{RandomCrop(28, {.padding = 2}), RandomHorizontalFlip()});
//   data::DataLoader loader(augmented, {.batch_size = 32, .shuffle = true});
//
// All take images of any dtype, in any number of leading dimensions, unless said otherwise, and leave the image that
// they get as it is. They are values without state: what is random comes from the generator of the call.

namespace TEFF_EXPORT teff {
namespace transforms {

/// Anything that makes an image of an image.
using Transform = std::function<Tensor(const Tensor& image, Generator& generator)>;

/// One after the other.
class Compose {
 public:
  /// @throws TypeError for an empty function.
  Compose(std::initializer_list<Transform> transforms) : Compose(std::vector<Transform>(transforms)) {}
  explicit Compose(std::vector<Transform> transforms);
  Tensor operator()(const Tensor& image, Generator& generator) const;

 private:
  std::vector<Transform> transforms_;
};

/// Integers, 0 to the greatest of their dtype, as floating-point numbers from 0 to 1; other images as they are but for
/// their dtype.
class ConvertImageDtype {
 public:
  /// @throws TypeError unless the dtype is float32 or float64.
  explicit ConvertImageDtype(DType dtype = DType::float32);
  Tensor operator()(const Tensor& image) const;
  Tensor operator()(const Tensor& image, Generator&) const { return (*this)(image); }

 private:
  DType dtype_;
};

/// (x - mean) / std for each channel of an image [..., C, H, W] of float32 or float64.
class Normalize {
 public:
  /// One number for each channel, or one for all.
  /// @throws ValueError unless there are as many of both, at least one, and no std is 0.
  Normalize(std::vector<double> mean, std::vector<double> std);
  /// @throws TypeError, ShapeError if the image is not of that kind.
  Tensor operator()(const Tensor& image) const;
  Tensor operator()(const Tensor& image, Generator&) const { return (*this)(image); }

 private:
  std::vector<double> mean_, std_;
};

/// Pixels around an image, in torchvision's order.
struct Borders {
  std::int64_t left, top, right, bottom;
  template <WholeNumber T>
  Borders(T all) : Borders(all, all) {}
  Borders(Integer left_right, Integer top_bottom) : Borders(left_right, top_bottom, left_right, top_bottom) {}
  Borders(Integer l, Integer t, Integer r, Integer b) : left(l), top(t), right(r), bottom(b) {}
};

struct PadOptions {
  double fill = 0;                           // mode constant: the new pixels' value
  PadMode padding_mode = PadMode::constant;  // replicate is torchvision's "edge"
};

/// Pixels around the image; negative padding crops.
class Pad {
 public:
  Pad(const Borders& padding, const PadOptions& options = {}) : padding_(padding), options_(options) {}
  /// @throws ShapeError for less than two dimensions; what teff::pad throws.
  Tensor operator()(const Tensor& image) const;
  Tensor operator()(const Tensor& image, Generator&) const { return (*this)(image); }

 private:
  Borders padding_;
  PadOptions options_;
};

struct RandomCropOptions {
  Borders padding = 0;  // around the image, before it is cropped
  double fill = 0;
  PadMode padding_mode = PadMode::constant;
};

/// A part of that size {height, width}, at a place that is drawn: its row, then its column. Nothing is drawn where
/// there is one place.
class RandomCrop {
 public:
  /// @throws ValueError for a size below 1.
  explicit RandomCrop(const Pair& size, const RandomCropOptions& options = {});
  /// @throws ShapeError if the padded image is smaller; what Pad throws.
  Tensor operator()(const Tensor& image, Generator& generator) const;

 private:
  Pair size_;
  Pad pad_;
};

/// The mirror image, left for right, with probability p.
class RandomHorizontalFlip {
 public:
  /// @throws ValueError unless 0 <= p <= 1.
  explicit RandomHorizontalFlip(double p = 0.5);
  Tensor operator()(const Tensor& image, Generator& generator) const;

 private:
  double p_;
};

/// Columns in reverse order.
Tensor hflip(const Tensor& image);

}  // namespace transforms
}  // namespace teff

namespace TEFF_EXPORT teff {
namespace data {

/// A dataset with its data transformed. In a DataLoader what is random depends on the epoch's base seed and the batch
/// alone: neither on prefetching nor on a break after which training was resumed.
class TransformedDataset : public Dataset {
 public:
  /// @throws TypeError for a null dataset or an empty function.
  TransformedDataset(std::shared_ptr<Dataset> dataset, transforms::Transform transform);
  /// Refers to the dataset, which must live as long.
  TransformedDataset(Dataset& dataset, transforms::Transform transform);

  std::int64_t size() const override { return dataset_->size(); }
  /// Draws from default_generator().
  Example get(std::int64_t index) override;
  Example batch(std::span<const std::int64_t> indices) override;
  /// Transforms one example after the other.
  Example batch_with(std::span<const std::int64_t> indices, Generator& generator) override;

 private:
  std::shared_ptr<Dataset> dataset_;
  transforms::Transform transform_;
};

}  // namespace data
}  // namespace teff

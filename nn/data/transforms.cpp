// SPDX-License-Identifier: MIT
#include "teff/nn/data/transforms.h"

#include <algorithm>
#include <limits>

#include "teff/engine/error.h"
#include "teff/engine/ops.h"
#include "teff/engine/random.h"
#include "teff/nn/text.h"

namespace teff::transforms {
namespace {

using nn::detail::expect;

void expect_image(const char* owner, const Tensor& image) {
  if (image.dim() >= 2) return;
  throw ShapeError(std::string(owner) + ": expected an image [..., H, W], got " + to_string(image.shape()));
}

/// The numbers as a tensor that broadcasts to [..., C, H, W].
Tensor by_channel(const std::vector<double>& numbers, DType dtype) {
  return tensor(numbers, {static_cast<std::int64_t>(numbers.size()), 1, 1}).to(dtype);
}

/// Uniform in [0, count).
std::int64_t draw_below(std::int64_t count, Generator& generator) {
  std::int64_t drawn = 0;
  random_(&drawn, 1, 0, count, generator);
  return drawn;
}

template <class Element>
void reverse_rows(const Tensor& from, const Tensor& to) {
  const auto* row = static_cast<const Element*>(from.raw_data());
  auto* out = static_cast<Element*>(to.raw_data());
  const std::int64_t width = from.size(-1);
  for (std::int64_t left = from.numel(); left > 0; left -= width, row += width, out += width) {
    std::reverse_copy(row, row + width, out);
  }
}

/// The greatest value of an integer dtype.
double greatest(DType dtype) {
  switch (dtype) {
    case DType::uint8:
      return std::numeric_limits<std::uint8_t>::max();
    case DType::int8:
      return std::numeric_limits<std::int8_t>::max();
    case DType::int16:
      return std::numeric_limits<std::int16_t>::max();
    case DType::int32:
      return std::numeric_limits<std::int32_t>::max();
    case DType::int64:
      return static_cast<double>(std::numeric_limits<std::int64_t>::max());
    case DType::uint16:
      return std::numeric_limits<std::uint16_t>::max();
    case DType::uint32:
      return std::numeric_limits<std::uint32_t>::max();
    case DType::uint64:
      return static_cast<double>(std::numeric_limits<std::uint64_t>::max());
    default:
      return 1;
  }
}

}  // namespace

Compose::Compose(std::vector<Transform> transforms) : transforms_(std::move(transforms)) {
  for (const Transform& transform : transforms_) {
    if (!transform) throw TypeError("Compose: expected functions, got an empty one");
  }
}

Tensor Compose::operator()(const Tensor& image, Generator& generator) const {
  Tensor result = image;
  for (const Transform& transform : transforms_) result = transform(result, generator);
  return result;
}

ConvertImageDtype::ConvertImageDtype(DType dtype) : dtype_(dtype) {
  if (dtype == DType::float32 || dtype == DType::float64) return;
  throw TypeError("ConvertImageDtype: expected float32 or float64, got " + std::string(to_string(dtype)));
}

Tensor ConvertImageDtype::operator()(const Tensor& image) const {
  const Tensor converted = image.to(dtype_);
  const double most = greatest(image.dtype());
  return most == 1 ? converted : converted / most;
}

Normalize::Normalize(std::vector<double> mean, std::vector<double> std) : mean_(std::move(mean)), std_(std::move(std)) {
  expect(!mean_.empty() && mean_.size() == std_.size(), "Normalize", "a mean and a std for each channel",
         std::to_string(mean_.size()) + " and " + std::to_string(std_.size()));
  expect(std::find(std_.begin(), std_.end(), 0.0) == std_.end(), "Normalize", "std other than 0", "0");
}

Tensor Normalize::operator()(const Tensor& image) const {
  if (image.dim() < 3 || (mean_.size() != 1 && image.size(-3) != static_cast<std::int64_t>(mean_.size()))) {
    throw ShapeError("Normalize: expected an image [..., C, H, W] with C = " + std::to_string(mean_.size()) + ", got " +
                     to_string(image.shape()));
  }
  if (image.dtype() != DType::float32 && image.dtype() != DType::float64) {
    throw TypeError("Normalize: expected an image of float32 or float64, got " + std::string(to_string(image.dtype())) +
                    "; see ConvertImageDtype");
  }
  return (image - by_channel(mean_, image.dtype())) / by_channel(std_, image.dtype());
}

Tensor Pad::operator()(const Tensor& image) const {
  expect_image("Pad", image);
  const IntList padding{padding_.left, padding_.right, padding_.top, padding_.bottom};
  return options_.padding_mode == PadMode::constant ? pad(image, padding, options_.fill)
                                                    : pad(image, padding, options_.padding_mode);
}

RandomCrop::RandomCrop(const Pair& size, const RandomCropOptions& options)
    : size_(size), pad_(options.padding, {options.fill, options.padding_mode}) {
  nn::detail::expect_at_least(1, "RandomCrop", "size", size);
}

Tensor RandomCrop::operator()(const Tensor& image, Generator& generator) const {
  const Tensor padded = pad_(image);
  const std::int64_t rows = padded.size(-2) - size_.height, columns = padded.size(-1) - size_.width;
  if (rows < 0 || columns < 0) {
    throw ShapeError("RandomCrop: expected an image of at least " + to_string(size_) + " pixels, got " +
                     to_string(image.shape()) + (padded.shape() == image.shape() ? "" : ", padded to ") +
                     (padded.shape() == image.shape() ? "" : to_string(padded.shape())));
  }
  if (rows == 0 && columns == 0) return padded;
  const std::int64_t top = draw_below(rows + 1, generator), left = draw_below(columns + 1, generator);
  return pad(padded, {-left, left - columns, -top, top - rows});
}

RandomHorizontalFlip::RandomHorizontalFlip(double p) : p_(p) {
  expect(p >= 0 && p <= 1, "RandomHorizontalFlip", "p in [0, 1]", nn::detail::python_float(p));
}

Tensor RandomHorizontalFlip::operator()(const Tensor& image, Generator& generator) const {
  float drawn = 0;
  uniform_(&drawn, 1, 0, 1, generator);
  return drawn < static_cast<float>(p_) ? hflip(image) : image;
}

Tensor hflip(const Tensor& image) {
  expect_image("hflip", image);
  const Tensor flipped = empty(image.shape(), {.dtype = image.dtype()});
  switch (size_of(image.dtype())) {
    case 1:
      reverse_rows<std::uint8_t>(image, flipped);
      break;
    case 2:
      reverse_rows<std::uint16_t>(image, flipped);
      break;
    case 4:
      reverse_rows<std::uint32_t>(image, flipped);
      break;
    default:
      reverse_rows<std::uint64_t>(image, flipped);
  }
  return flipped;
}

}  // namespace teff::transforms

namespace teff::data {

TransformedDataset::TransformedDataset(std::shared_ptr<Dataset> dataset, transforms::Transform transform)
    : dataset_(std::move(dataset)), transform_(std::move(transform)) {
  if (dataset_ == nullptr) throw TypeError("TransformedDataset: expected a dataset, got a null pointer");
  if (!transform_) throw TypeError("TransformedDataset: expected a transform, got an empty function");
}

TransformedDataset::TransformedDataset(Dataset& dataset, transforms::Transform transform)
    : TransformedDataset(std::shared_ptr<Dataset>(std::shared_ptr<Dataset>(), &dataset), std::move(transform)) {}

Example TransformedDataset::get(std::int64_t index) {
  const Example one = batch({&index, 1});
  return {one.data[0], one.target.defined() ? one.target[0] : Tensor()};
}

Example TransformedDataset::batch(std::span<const std::int64_t> indices) {
  return batch_with(indices, default_generator());
}

Example TransformedDataset::batch_with(std::span<const std::int64_t> indices, Generator& generator) {
  Example batch = dataset_->batch_with(indices, generator);
  std::vector<Tensor> images;
  for (std::int64_t i = 0; i < batch.data.size(0); ++i) images.push_back(transform_(batch.data[i], generator));
  return {stack(images), batch.target};
}

}  // namespace teff::data

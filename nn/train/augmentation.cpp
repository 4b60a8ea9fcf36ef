// SPDX-License-Identifier: MIT
#include "teff/nn/train/augmentation.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "teff/engine/ops.h"
#include "teff/nn/train/draws.h"
#include "teff/nn/train/resample.h"

namespace teff::transforms {
namespace {

using nn::detail::expect;

void expect_range(const char* owner, const char* rule, const Range& range, bool ok) {
  expect(ok && range.least <= range.greatest && std::isfinite(range.greatest), owner, rule,
         range_text(range.least, range.greatest));
}

double draw(const Range& range, Generator& generator) { return draw_uniform(range.least, range.greatest, generator); }

double draw_ratio(const Range& ratio, Generator& generator) {
  const auto log_of = [](double x) { return static_cast<double>(std::log(static_cast<float>(x))); };
  const Range logs{log_of(ratio.least), log_of(ratio.greatest)};
  return std::exp(static_cast<float>(draw(logs, generator)));
}

struct Rectangle {
  std::int64_t top, left, height, width;
};

Tensor cut(const Tensor& image, const Rectangle& part) {
  return pad(image,
             {-part.left, part.left + part.width - image.size(-1), -part.top, part.top + part.height - image.size(-2)});
}

/// The greatest part in the middle whose ratio is allowed.
Rectangle middle_part(std::int64_t height, std::int64_t width, const Range& ratio) {
  const double own = static_cast<double>(width) / static_cast<double>(height);
  Rectangle part{0, 0, height, width};
  if (own < ratio.least) part.height = std::min(height, rounded(static_cast<double>(width) / ratio.least));
  if (own > ratio.greatest) part.width = std::min(width, rounded(static_cast<double>(height) * ratio.greatest));
  part.top = (height - part.height) / 2;
  part.left = (width - part.width) / 2;
  return part;
}

Rectangle part_to_keep(std::int64_t height, std::int64_t width, const RandomResizedCropOptions& options,
                       Generator& generator) {
  const double area = static_cast<double>(height * width);
  for (int attempt = 0; attempt < 10; ++attempt) {
    const double own_area = area * draw(options.scale, generator), ratio = draw_ratio(options.ratio, generator);
    const std::int64_t w = rounded(std::sqrt(own_area * ratio)), h = rounded(std::sqrt(own_area / ratio));
    if (w < 1 || w > width || h < 1 || h > height) continue;
    const std::int64_t top = draw_up_to(height - h, generator), left = draw_up_to(width - w, generator);
    return {top, left, h, w};
  }
  return middle_part(height, width, options.ratio);
}

/// Each channel's rectangle of image [..., C, H, W] becomes that of value [C, h, w], of its dtype.
void overwrite(const Tensor& image, const Tensor& value, const Rectangle& part) {
  const auto size = static_cast<std::int64_t>(size_of(image.dtype()));
  auto* bytes = static_cast<std::byte*>(image.raw_data());
  const auto* from = static_cast<const std::byte*>(value.raw_data());
  const std::int64_t height = image.size(-2), width = image.size(-1), planes = image.numel() / (height * width);
  for (std::int64_t plane = 0; plane < planes; ++plane) {
    for (std::int64_t row = 0; row < part.height; ++row) {
      const std::int64_t to = ((plane * height + part.top + row) * width + part.left) * size;
      const std::int64_t at = ((plane % value.size(0)) * part.height + row) * part.width * size;
      std::memcpy(bytes + to, from + at, static_cast<std::size_t>(part.width * size));
    }
  }
}

}  // namespace

Tensor vflip(const Tensor& image) {
  expect_image("vflip", image, 2, "[..., H, W]");
  return flip(image, {-2});
}

RandomVerticalFlip::RandomVerticalFlip(double p) : p_(p) { expect_probability("RandomVerticalFlip", p); }

Tensor RandomVerticalFlip::operator()(const Tensor& image, Generator& generator) const {
  return draw({0, 1}, generator) < in_float(p_) ? vflip(image) : image;
}

CenterCrop::CenterCrop(const Pair& size) : size_(size) { nn::detail::expect_at_least(1, "CenterCrop", "size", size); }

Tensor CenterCrop::operator()(const Tensor& image) const {
  expect_image("CenterCrop", image, 2, "[..., H, W]");
  const std::int64_t rows = std::max<std::int64_t>(size_.height - image.size(-2), 0);
  const std::int64_t columns = std::max<std::int64_t>(size_.width - image.size(-1), 0);
  const Tensor padded = pad(image, {columns / 2, (columns + 1) / 2, rows / 2, (rows + 1) / 2});
  const auto half = [](std::int64_t left) { return rounded(static_cast<double>(left) / 2); };
  return cut(padded,
             {half(padded.size(-2) - size_.height), half(padded.size(-1) - size_.width), size_.height, size_.width});
}

Resize::Resize(const Pair& size, const ResizeOptions& options) : size_(size), options_(options) {
  nn::detail::expect_at_least(1, "Resize", "size", size);
}

Tensor Resize::operator()(const Tensor& image) const {
  expect_image("Resize", image, 2, "[..., H, W]");
  expect_pixel_dtype("Resize", image);
  const std::int64_t height = image.size(-2), width = image.size(-1);
  if (image.numel() == 0) {
    throw ShapeError("Resize: expected an image with pixels, got " + to_string(image.shape()));
  }
  Pair size = size_;
  if (shorter_side_) {
    (width <= height ? size.height : size.width) = static_cast<std::int64_t>(
        static_cast<double>(size_.height * std::max(width, height)) / static_cast<double>(std::min(width, height)));
  }
  const bool bytes = image.dtype() == DType::uint8;
  Tensor pixels = image.reshape({image.numel() / (height * width), height, width});
  if (bytes) pixels = pixels.to(DType::float32);
  pixels = resampled(pixels, size, options_.antialias);
  if (bytes) pixels = round(pixels).to(DType::uint8);
  Shape shape = image.shape();
  shape[shape.size() - 2] = size.height;
  shape[shape.size() - 1] = size.width;
  return pixels.reshape(shape);
}

RandomResizedCrop::RandomResizedCrop(const Pair& size, const RandomResizedCropOptions& options)
    : size_(size), options_(options) {
  nn::detail::expect_at_least(1, "RandomResizedCrop", "size", size);
  expect_range("RandomResizedCrop", "scale with 0 <= least <= greatest", options.scale, options.scale.least >= 0);
  expect_range("RandomResizedCrop", "ratio with 0 < least <= greatest", options.ratio, options.ratio.least > 0);
}

Tensor RandomResizedCrop::operator()(const Tensor& image, Generator& generator) const {
  if (image.dim() < 2 || image.numel() == 0) {
    throw ShapeError("RandomResizedCrop: expected an image [..., H, W] with pixels, got " + to_string(image.shape()));
  }
  return Resize(size_,
                {options_.antialias})(cut(image, part_to_keep(image.size(-2), image.size(-1), options_, generator)));
}

RandomErasing::RandomErasing(RandomErasingOptions options) : options_(std::move(options)) {
  const Range &scale = options_.scale, &ratio = options_.ratio;
  expect_probability("RandomErasing", options_.p);
  expect_range("RandomErasing", "scale in [0, 1]", scale, scale.least >= 0 && scale.greatest <= 1);
  expect_range("RandomErasing", "ratio with 0 < least <= greatest", ratio, ratio.least > 0);
  expect(!options_.value || !options_.value->empty(), "RandomErasing", "one value or one for each channel", "none");
}

Tensor RandomErasing::operator()(const Tensor& image, Generator& generator) const {
  expect_image("RandomErasing", image, 3, "[..., C, H, W]");
  const std::int64_t channels = image.size(-3), height = image.size(-2), width = image.size(-1);
  const std::int64_t values = options_.value ? static_cast<std::int64_t>(options_.value->size()) : 1;
  if (values != 1 && values != channels) {
    throw ShapeError("RandomErasing: expected an image of " + std::to_string(values) + " channels, got " +
                     to_string(image.shape()));
  }
  if (!(draw({0, 1}, generator) < in_float(options_.p))) return image;
  const double area = static_cast<double>(height * width);
  for (int attempt = 0; attempt < 10; ++attempt) {
    const double own_area = area * draw(options_.scale, generator), ratio = draw_ratio(options_.ratio, generator);
    Rectangle part{0, 0, rounded(std::sqrt(own_area * ratio)), rounded(std::sqrt(own_area / ratio))};
    if (part.height >= height || part.width >= width) continue;
    Tensor value = zeros({channels, part.height, part.width});
    if (options_.value) {
      value = value + tensor(*options_.value, {values, 1, 1}).to(DType::float32);
    } else {
      normal_(static_cast<float*>(value.raw_data()), value.numel(), 0, 1, generator);
    }
    part.top = draw_up_to(height - part.height, generator);
    part.left = draw_up_to(width - part.width, generator);
    const Tensor erased = image.detach().clone();
    overwrite(erased, value.to(image.dtype()), part);
    return erased;
  }
  return image;
}

}  // namespace teff::transforms

// SPDX-License-Identifier: MIT
#include "examples/image_preset.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

namespace images {

using namespace teff;

namespace {

constexpr std::int64_t kMaxPixels = 100'000'000;
constexpr int kFractionBits = 22;  // of weights: 8 bits of a pixel and these fit an int, as in PIL

/// An output is the sum of weight[i] * input[first + i].
struct Taps {
  std::int64_t first;
  std::vector<std::int32_t> weights;
};

/// A triangle over the inputs: as wide as two outputs where the axis shrinks, as two inputs where it grows.
Taps taps_at(std::int64_t place, double scale, std::int64_t in) {
  const double radius = std::max(scale, 1.0), center = (static_cast<double>(place) + 0.5) * scale;
  const auto first = std::max<std::int64_t>(0, static_cast<std::int64_t>(center - radius + 0.5));
  const auto end = std::min(in, static_cast<std::int64_t>(center + radius + 0.5));
  std::vector<double> heights;
  double sum = 0;
  for (std::int64_t i = first; i < end; ++i) {
    const double distance = (static_cast<double>(i) - center + 0.5) * (1.0 / radius);
    heights.push_back(std::max(0.0, 1 - std::abs(distance)));
    sum += heights.back();
  }
  Taps taps{first, {}};
  for (const double height : heights) {
    taps.weights.push_back(static_cast<std::int32_t>(0.5 + height / sum * (1 << kFractionBits)));
  }
  return taps;
}

/// One value at a time of `inner` that lie side by side.
void add_up(const Taps& taps, const std::uint8_t* from, std::int64_t inner, std::uint8_t* to) {
  for (std::int64_t i = 0; i < inner; ++i) {
    std::int32_t sum = 1 << (kFractionBits - 1);
    const std::uint8_t* pixel = from + taps.first * inner + i;
    for (const std::int32_t weight : taps.weights) {
      sum += weight * *pixel;
      pixel += inner;
    }
    to[i] = static_cast<std::uint8_t>(std::clamp(sum >> kFractionBits, 0, 255));
  }
}

/// Dimension `dim` of the picture gets the size `out`.
Tensor resample(const Tensor& image, std::int64_t dim, std::int64_t out) {
  const std::int64_t in = image.size(dim), inner = dim == 1 ? image.size(2) : 1;
  if (in == out) return image;
  std::vector<Taps> taps;
  const double scale = static_cast<double>(in) / static_cast<double>(out);
  for (std::int64_t place = 0; place < out; ++place) taps.push_back(taps_at(place, scale, in));
  Shape shape = image.shape();
  shape[static_cast<std::size_t>(dim)] = out;
  const Tensor result = empty(shape, {.dtype = DType::uint8});
  const std::uint8_t* from = image.data<std::uint8_t>();
  std::uint8_t* to = result.data<std::uint8_t>();
  for (std::int64_t o = 0; o < image.numel() / (in * inner); ++o, from += in * inner) {
    for (const Taps& place : taps) {
      add_up(place, from, inner, to);
      to += inner;
    }
  }
  return result;
}

void check_picture(const char* function, const Tensor& image) {
  const std::string text = std::string(function) + ": expected a picture uint8 [C, H, W], got ";
  if (image.dtype() != DType::uint8) throw TypeError(text + std::string(to_string(image.dtype())));
  if (image.dim() != 3 || image.numel() == 0) throw ShapeError(text + to_string(image.shape()));
}

/// (height, width) of the picture with its shorter side changed to `side`.
Pair with_shorter_side(const Tensor& image, std::int64_t side) {
  const std::int64_t height = image.size(1), width = image.size(2);
  return height < width ? Pair(side, side * width / height) : Pair(side * height / width, side);
}

Tensor per_channel(const std::array<float, 3>& values) {
  return tensor(std::vector<float>(values.begin(), values.end()), {3, 1, 1});
}

}  // namespace

Tensor resize(const Tensor& image, const Pair& size) {
  check_picture("resize", image);
  const bool valid = size.height >= 1 && size.width >= 1 && size.height <= kMaxPixels &&
                     size.width <= kMaxPixels / size.height && size.width <= kMaxPixels / image.size(1);
  if (!valid) {
    throw ValueError("resize: expected a size of 1 to " + std::to_string(kMaxPixels) + " pixels, got " +
                     to_string(size) + " for a picture " + to_string(image.shape()));
  }
  return resample(resample(image, 2, size.width), 1, size.height);
}

Tensor center_crop(const Tensor& image, const Pair& size) {
  check_picture("center_crop", image);
  const std::int64_t rows = image.size(1) - size.height, columns = image.size(2) - size.width;
  if (rows < 0 || columns < 0) {
    throw ShapeError("center_crop: expected a picture of at least " + to_string(size) + " pixels, got " +
                     to_string(image.shape()));
  }
  const auto half = [](std::int64_t n) { return std::llrint(static_cast<double>(n) / 2); };  // Python's round(n / 2)
  const std::int64_t top = half(rows), left = half(columns);
  return image.slice(1, top, top + size.height).slice(2, left, left + size.width);
}

Tensor Preset::operator()(const Tensor& image) const {
  check_picture("Preset", image);
  const Tensor middle = center_crop(images::resize(image, with_shorter_side(image, resize)), crop);
  return (middle.to(DType::float32) / 255.0 - per_channel(mean)) / per_channel(std);
}

}  // namespace images

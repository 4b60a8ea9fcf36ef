// SPDX-License-Identifier: MIT
#include "teff/nn/train/rotation.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "teff/engine/ops.h"
#include "teff/nn/train/draws.h"

namespace teff::transforms {
namespace {

/// Where a pixel of the result comes from, both counted from the middle: x' = a x + b y + c, y' = d x + e y + f.
struct AffineMap {
  double a, b, c, d, e, f;
};

AffineMap map_back(double angle, const RotateOptions& options, const Tensor& image) {
  const double turn = angle * std::numbers::pi / 180;
  AffineMap map{std::cos(turn), -std::sin(turn), 0, std::sin(turn), std::cos(turn), 0};
  if (options.center) {
    const double x = options.center->first - static_cast<double>(image.size(-1)) * 0.5;
    const double y = options.center->second - static_cast<double>(image.size(-2)) * 0.5;
    map.c = x - map.a * x - map.b * y;
    map.f = y - map.d * x - map.e * y;
  }
  return map;
}

/// Of the turned corners, to 1e-4 of a pixel, computed in float32 as torchvision does.
Pair size_of_turned(const AffineMap& map, double height, double width) {
  std::array<float, 2> least{HUGE_VALF, HUGE_VALF}, greatest{-HUGE_VALF, -HUGE_VALF};
  for (const double x : {-0.5 * width, 0.5 * width}) {
    for (const double y : {-0.5 * height, 0.5 * height}) {
      const std::array<float, 2> corner{static_cast<float>(map.a * x + map.b * y + map.c),
                                        static_cast<float>(map.d * x + map.e * y + map.f)};
      for (std::size_t i = 0; i < 2; ++i) {
        least[i] = std::min(least[i], corner[i]);
        greatest[i] = std::max(greatest[i], corner[i]);
      }
    }
  }
  const auto length = [&](std::size_t i, double own) {
    const auto steps = [&](float value) { return std::trunc((value + static_cast<float>(own * 0.5)) / 1e-4F) * 1e-4F; };
    return static_cast<std::int64_t>(std::ceil(steps(greatest[i])) - std::floor(steps(least[i])));
  };
  return {length(1, height), length(0, width)};
}

/// For grid_sample: [1, H, W, 2] in units of half the image.
Tensor sampling_grid(const AffineMap& map, const Pair& size, const Tensor& image) {
  const Tensor grid = empty({1, size.height, size.width, 2}, {.dtype = DType::float64});
  double* to = grid.data<double>();
  const double half_width = 0.5 * static_cast<double>(image.size(-1));
  const double half_height = 0.5 * static_cast<double>(image.size(-2));
  const auto from_middle = [](std::int64_t i, std::int64_t n) {
    return static_cast<double>(i) + 0.5 - 0.5 * static_cast<double>(n);
  };
  for (std::int64_t row = 0; row < size.height; ++row) {
    const double y = from_middle(row, size.height);
    for (std::int64_t column = 0; column < size.width; ++column) {
      const double x = from_middle(column, size.width);
      *to++ = (map.a * x + map.b * y + map.c) / half_width;
      *to++ = (map.d * x + map.e * y + map.f) / half_height;
    }
  }
  return grid;
}

/// Samples an image [N, C, H, W], and with it a mask of ones that tells what came from outside.
Tensor sampled(const Tensor& pixels, const Tensor& grid, const RotateOptions& options) {
  const GridSampleOptions sampling{.mode = options.interpolation};
  const Tensor grids = expand(grid, {pixels.size(0), grid.size(1), grid.size(2), 2});
  if (options.fill.empty()) return grid_sample(pixels, grids, sampling);
  const Tensor inside = ones({pixels.size(0), 1, pixels.size(2), pixels.size(3)}, {.dtype = pixels.dtype()});
  const Tensor both = grid_sample(cat({pixels, inside}, 1), grids, sampling);
  const Tensor turned = slice(both, 1, 0, pixels.size(1)), mask = slice(both, 1, pixels.size(1));
  const auto values = static_cast<std::int64_t>(options.fill.size());
  const Tensor fill = tensor(options.fill, {1, values, 1, 1}).to(pixels.dtype());
  if (options.interpolation == GridSampleMode::nearest) return where(lt(mask, 0.5), fill, turned);
  return turned * mask + (1.0 - mask) * fill;
}

void expect_interpolation(const char* owner, GridSampleMode mode) {
  nn::detail::expect(mode != GridSampleMode::bicubic, owner, "interpolation nearest or bilinear",
                     std::string(to_string(mode)));
}

}  // namespace

Tensor rotate(const Tensor& image, double angle, const RotateOptions& options) {
  expect_interpolation("rotate", options.interpolation);
  nn::detail::expect(std::isfinite(angle), "rotate", "a finite angle", nn::detail::python_float(angle));
  expect_pixel_dtype("rotate", image);
  const std::int64_t channels = image.dim() > 2 ? image.size(-3) : 1;
  const auto values = static_cast<std::int64_t>(options.fill.size());
  if (image.dim() < 2 || image.numel() == 0 || (values > 1 && values != channels)) {
    throw ShapeError("rotate: expected an image [..., H, W] with pixels" +
                     (values > 1 ? " of " + std::to_string(values) + " channels" : std::string()) + ", got " +
                     to_string(image.shape()));
  }
  const std::int64_t height = image.size(-2), width = image.size(-1);
  const AffineMap map = map_back(angle, options, image);
  const Pair size = options.expand ? size_of_turned(map, static_cast<double>(height), static_cast<double>(width))
                                   : Pair(height, width);
  Tensor pixels = image.reshape({image.numel() / (channels * height * width), channels, height, width});
  const bool bytes = image.dtype() == DType::uint8;
  if (bytes) pixels = pixels.to(DType::float32);
  pixels = sampled(pixels, sampling_grid(map, size, image).to(pixels.dtype()), options);
  if (bytes) pixels = round(pixels).to(DType::uint8);
  Shape shape = image.shape();
  shape[shape.size() - 2] = size.height;
  shape[shape.size() - 1] = size.width;
  return pixels.reshape(shape);
}

RandomRotation::RandomRotation(double degrees, RotateOptions options)
    : RandomRotation(Range{-degrees, degrees}, std::move(options)) {}

RandomRotation::RandomRotation(const Range& degrees, RotateOptions options)
    : degrees_(degrees), options_(std::move(options)) {
  expect_interpolation("RandomRotation", options_.interpolation);
  nn::detail::expect(
      degrees.least <= degrees.greatest && std::isfinite(degrees.least) && std::isfinite(degrees.greatest),
      "RandomRotation", "degrees with least <= greatest", range_text(degrees.least, degrees.greatest));
  if (options_.fill.empty()) options_.fill = {0};
}

Tensor RandomRotation::operator()(const Tensor& image, Generator& generator) const {
  return rotate(image, draw_uniform(degrees_.least, degrees_.greatest, generator), options_);
}

}  // namespace teff::transforms

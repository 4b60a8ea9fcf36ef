// SPDX-License-Identifier: MIT
#include "teff/nn/train/color.h"

#include <algorithm>
#include <array>

#include "teff/engine/ops.h"
#include "teff/nn/train/draws.h"

namespace teff::transforms {
namespace {

using nn::detail::expect;
using Adjust = Tensor (*)(const Tensor&, double);
constexpr std::array<Adjust, 4> kAdjustments = {adjust_brightness, adjust_contrast, adjust_saturation, adjust_hue};
constexpr std::array<const char*, 4> kNames = {"brightness", "contrast", "saturation", "hue"};

void expect_colours(const char* owner, const Tensor& image) {
  expect_pixel_dtype(owner, image);
  if (image.dim() >= 3 && (image.size(-3) == 1 || image.size(-3) == 3)) return;
  throw ShapeError(std::string(owner) + ": expected an image [..., 1 or 3, H, W], got " + to_string(image.shape()));
}

bool is_grey(const Tensor& image) { return image.size(-3) == 1; }

void expect_factor(const char* owner, double factor) {
  expect(factor >= 0 && std::isfinite(factor), owner, "a finite factor of at least 0",
         nn::detail::python_float(factor));
}

Tensor blend(const Tensor& image, const Tensor& other, double ratio) {
  const double most = image.dtype() == DType::uint8 ? 255 : 1;
  return clamp(ratio * image + (1 - ratio) * other, 0.0, most).to(image.dtype());
}

/// float32 or float64 [..., H, W] each.
struct Channels {
  Tensor a, b, c;
  explicit Channels(const Tensor& image) : Channels(unbind(image, -3)) {}
  explicit Channels(const std::vector<Tensor>& parts) : a(parts[0]), b(parts[1]), c(parts[2]) {}
};

Tensor to_hsv(const Tensor& image) {
  const Channels rgb(image);
  const Tensor most = amax(image, -3), spread = most - amin(image, -3);
  const Tensor grey = eq(spread, 0), divisor = where(grey, Scalar(1.0), spread);
  const Tensor red = (most - rgb.a) / divisor, green = (most - rgb.b) / divisor, blue = (most - rgb.c) / divisor;
  const Tensor hue = where(eq(most, rgb.a), blue - green, where(eq(most, rgb.b), red - blue + 2.0, green - red + 4.0));
  return stack({fmod(hue / 6.0 + 1.0, 1.0), spread / where(grey, Scalar(1.0), most), most}, -3);
}

Tensor to_rgb(const Tensor& hsv) {
  const Channels of(hsv);
  const Tensor &saturation = of.b, &value = of.c;
  const Tensor place = of.a * 6.0, sector = floor(place), f = place - sector;
  const Tensor p = clamp(value * (1.0 - saturation), 0.0, 1.0);
  const Tensor q = clamp(value * (1.0 - saturation * f), 0.0, 1.0);
  const Tensor t = clamp(value * (1.0 - saturation * (1.0 - f)), 0.0, 1.0);
  const std::array<std::array<const Tensor*, 3>, 6> by_sector = {
      {{&value, &t, &p}, {&q, &value, &p}, {&p, &value, &t}, {&p, &q, &value}, {&t, &p, &value}, {&value, &p, &q}}};
  std::vector<Tensor> channels;
  const Tensor own = remainder(sector, 6.0);
  for (std::size_t c = 0; c < 3; ++c) {
    Tensor channel = *by_sector[0][c];
    for (std::size_t i = 1; i < 6; ++i) {
      channel = where(eq(own, static_cast<double>(i)), *by_sector[i][c], channel);
    }
    channels.push_back(channel);
  }
  return stack(channels, -3);
}

}  // namespace

Tensor rgb_to_grayscale(const Tensor& image) {
  expect_colours("rgb_to_grayscale", image);
  if (is_grey(image)) return image;
  const Channels rgb(image);
  return unsqueeze((0.2989 * rgb.a + 0.587 * rgb.b + 0.114 * rgb.c).to(image.dtype()), -3);
}

Tensor adjust_brightness(const Tensor& image, double factor) {
  expect_colours("adjust_brightness", image);
  expect_factor("adjust_brightness", factor);
  return blend(image, zeros_like(image), factor);
}

Tensor adjust_contrast(const Tensor& image, double factor) {
  expect_colours("adjust_contrast", image);
  expect_factor("adjust_contrast", factor);
  const Tensor grey = rgb_to_grayscale(image);
  const Tensor numbers = image.dtype() == DType::uint8 ? grey.to(DType::float32) : grey;
  return blend(image, mean(numbers, {-3, -2, -1}, true), factor);
}

Tensor adjust_saturation(const Tensor& image, double factor) {
  expect_colours("adjust_saturation", image);
  expect_factor("adjust_saturation", factor);
  return is_grey(image) ? image : blend(image, rgb_to_grayscale(image), factor);
}

Tensor adjust_hue(const Tensor& image, double turns) {
  expect_colours("adjust_hue", image);
  expect(turns >= -0.5 && turns <= 0.5, "adjust_hue", "turns in [-0.5, 0.5]", nn::detail::python_float(turns));
  if (is_grey(image)) return image;
  const bool bytes = image.dtype() == DType::uint8;
  const Channels hsv(to_hsv(bytes ? image.to(DType::float32) / 255.0 : image));
  const Tensor turned = to_rgb(stack({remainder(hsv.a + turns, 1.0), hsv.b, hsv.c}, -3));
  return bytes ? (turned * 255.0).to(DType::uint8) : turned;
}

ColorJitter::ColorJitter(const ColorJitterOptions& options)
    : ranges_{options.brightness, options.contrast, options.saturation, options.hue} {
  for (std::size_t i = 0; i < 4; ++i) {
    Jitter& range = ranges_[i];
    const bool hue = i == 3;
    const double least = hue ? -0.5 : 0, greatest = hue ? 0.5 : HUGE_VAL;
    const std::string name = kNames[i];
    if (range.around) {
      expect(range.greatest >= 0, "ColorJitter", name + " at least 0", nn::detail::python_float(range.greatest));
      if (!hue) range = {std::max(0.0, 1 - range.greatest), 1 + range.greatest};
    }
    expect(range.least >= least && range.least <= range.greatest && range.greatest <= greatest &&
               std::isfinite(range.greatest),
           "ColorJitter", name + " with " + (hue ? "-0.5 <= least <= greatest <= 0.5" : "0 <= least <= greatest"),
           range_text(range.least, range.greatest));
  }
}

Tensor ColorJitter::operator()(const Tensor& image, Generator& generator) const {
  expect_colours("ColorJitter", image);
  std::array<std::int64_t, 4> order{};
  randperm(order.data(), 4, generator);
  std::array<double, 4> factors{};
  const auto unchanged = [&](std::size_t i) {
    const double none = i == 3 ? 0 : 1;
    return ranges_[i].least == none && ranges_[i].greatest == none;
  };
  for (std::size_t i = 0; i < 4; ++i) {
    if (!unchanged(i)) factors[i] = draw_uniform(ranges_[i].least, ranges_[i].greatest, generator);
  }
  Tensor result = image;
  for (const std::int64_t next : order) {
    const auto i = static_cast<std::size_t>(next);
    if (!unchanged(i)) result = kAdjustments[i](result, factors[i]);
  }
  return result;
}

RandomGrayscale::RandomGrayscale(double p) : p_(p) { expect_probability("RandomGrayscale", p); }

Tensor RandomGrayscale::operator()(const Tensor& image, Generator& generator) const {
  expect_colours("RandomGrayscale", image);
  if (!(draw_uniform(0, 1, generator) < in_float(p_))) return image;
  const Tensor grey = rgb_to_grayscale(image);
  return is_grey(image) ? grey : cat({grey, grey, grey}, -3);
}

RandomApply::RandomApply(std::vector<Transform> transforms, double p) : transforms_(std::move(transforms)), p_(p) {
  expect_probability("RandomApply", p);
}

Tensor RandomApply::operator()(const Tensor& image, Generator& generator) const {
  return in_float(p_) < draw_uniform(0, 1, generator) ? image : transforms_(image, generator);
}

}  // namespace teff::transforms

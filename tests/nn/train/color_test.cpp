// SPDX-License-Identifier: MIT
#include "teff/nn/train/color.h"

#include "golden/augment_golden.h"
#include "nn/train/image_checks.h"
#include "support/error_of.h"
#include "teff/engine/dict.h"
#include "teff/engine/error.h"

using namespace teff;
using namespace teff::transforms;
namespace augment_golden = teff::golden::augment;
using testing::check_image;
using testing::error_of;

namespace {

Tensor coloured(const std::vector<double>& pixels, DType dtype) { return tensor(pixels, {3, 5, 6}).to(dtype); }
Tensor coloured_image() { return coloured(augment_golden::kImageFloat, DType::float32); }

}  // namespace

/// Bytes are rounded down after sums whose last bits may differ.
#define CHECK_COLOURS(type, name, factor, tenths, off)                                             \
  do {                                                                                             \
    const Tensor image = coloured(augment_golden::kImage##name, type);                             \
    check_image(adjust_brightness(image, factor), augment_golden::kBrightness##name##tenths, off); \
    check_image(adjust_contrast(image, factor), augment_golden::kContrast##name##tenths, off);     \
    check_image(adjust_saturation(image, factor), augment_golden::kSaturation##name##tenths, off); \
    check_image(adjust_hue(image, (factor) / 4), augment_golden::kHue##name##tenths, off);         \
    CHECK(adjust_hue(image, (factor) / 4).dtype() == type);                                        \
    check_image(rgb_to_grayscale(image), augment_golden::kGrey##name, off);                        \
  } while (false)

TEST_CASE("colours are changed as torchvision changes those of tensors") {
  CHECK_COLOURS(DType::float32, Float, 0.0, 0, 0);
  CHECK_COLOURS(DType::float32, Float, 0.6, 6, 0);
  CHECK_COLOURS(DType::float32, Float, 1.7, 17, 0);
  CHECK_COLOURS(DType::float64, Double, 0.0, 0, 0);
  CHECK_COLOURS(DType::float64, Double, 0.6, 6, 0);
  CHECK_COLOURS(DType::float64, Double, 1.7, 17, 0);
  CHECK_COLOURS(DType::uint8, Bytes, 0.0, 0, 1);
  CHECK_COLOURS(DType::uint8, Bytes, 0.6, 6, 1);
  CHECK_COLOURS(DType::uint8, Bytes, 1.7, 17, 1);
}

TEST_CASE("images in several dimensions have their colours changed one by one") {
  const Tensor image = coloured_image(), other = hflip(image);
  const Tensor both = stack({image, other});
  for (const auto adjust : {adjust_brightness, adjust_contrast, adjust_saturation}) {
    CHECK(Value(adjust(both, 0.7)[1]) == Value(adjust(other, 0.7)));
  }
  CHECK(Value(adjust_hue(both, -0.2)[0]) == Value(adjust_hue(image, -0.2)));
}

TEST_CASE("random colours are torchvision's after the same seed") {
  const Tensor image = coloured_image();
  const ColorJitterOptions all{.brightness = 0.4, .contrast = {0.5, 1.5}, .saturation = 0.3, .hue = 0.2};
  CHECK_SEEDED_DRAWS(Jitter, image, ColorJitter(all));
  CHECK_SEEDED_DRAWS(JitterHue, image, ColorJitter({.hue = {-0.1, 0.4}}));
  CHECK_SEEDED_DRAWS(JitterNone, image, ColorJitter({}));
  CHECK_SEEDED_DRAWS(JitterGrey, image.slice(0, 0, 1), ColorJitter({0.4, 0.5, 0.3, 0.2}));
  CHECK_SEEDED_DRAWS(Grayscale, image, RandomGrayscale(0.4));
  CHECK_SEEDED_DRAWS(Apply, image, RandomApply({ColorJitter({.brightness = 0.4}), RandomHorizontalFlip()}, 0.6));
}

TEST_CASE("colours that cannot be are refused") {
  CHECK(error_of<ValueError>([] {
          ColorJitter({.contrast = {-1, 2}});
        }) == "ColorJitter: expected contrast with 0 <= least <= greatest, got (-1.0, 2.0)");
  CHECK(error_of<ValueError>([] { ColorJitter({.brightness = -0.5}); }) ==
        "ColorJitter: expected brightness at least 0, got -0.5");
  CHECK(error_of<ValueError>([] { ColorJitter({.hue = 0.7}); }) ==
        "ColorJitter: expected hue with -0.5 <= least <= greatest <= 0.5, got (-0.7, 0.7)");
  CHECK(error_of<ValueError>([] { RandomGrayscale(-0.1); }) == "RandomGrayscale: expected p in [0, 1], got -0.1");
  CHECK(error_of<ValueError>([] { RandomApply({}, 2); }) == "RandomApply: expected p in [0, 1], got 2.0");
  CHECK(error_of<ValueError>([] {
          adjust_hue(ones({3, 1, 1}), 0.6);
        }) == "adjust_hue: expected turns in [-0.5, 0.5], got 0.6");
  CHECK(error_of<ValueError>([] {
          adjust_contrast(ones({3, 1, 1}), -1);
        }) == "adjust_contrast: expected a finite factor of at least 0, got -1.0");
  CHECK(error_of<ShapeError>([] {
          adjust_brightness(ones({2, 4, 4}), 1);
        }) == "adjust_brightness: expected an image [..., 1 or 3, H, W], got [2, 4, 4]");
  CHECK(error_of<TypeError>([] {
          rgb_to_grayscale(zeros({3, 1, 1}, {.dtype = DType::int64}));
        }) == "rgb_to_grayscale: expected an image of float32, float64 or uint8, got int64");
}

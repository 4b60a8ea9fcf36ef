// SPDX-License-Identifier: MIT
#include "teff/nn/train/rotation.h"

#include "golden/augment_golden.h"
#include "nn/train/image_checks.h"
#include "support/error_of.h"
#include "teff/engine/dict.h"
#include "teff/engine/error.h"

using namespace teff;
using namespace teff::transforms;
using testing::check_image;
using testing::error_of;

namespace {

/// That of make_augment_golden.py.
Tensor image_to_turn(std::int64_t height = 7, std::int64_t width = 10) {
  std::vector<float> pixels;
  for (int i = 0; i < 2 * height * width; ++i) pixels.push_back(static_cast<float>(i * 37 % 101) / 8);
  return tensor(pixels, {2, height, width});
}

constexpr GridSampleMode kBilinear = GridSampleMode::bilinear;

}  // namespace

#define CHECK_ROTATED(name, ...)                                                            \
  do {                                                                                      \
    const Tensor turned = rotate(image_to_turn(), __VA_ARGS__);                             \
    const auto& size = golden::augment::kRotate##name##Size;                                \
    CHECK(std::vector<std::int64_t>(turned.shape().begin(), turned.shape().end()) == size); \
    check_image(turned, golden::augment::kRotate##name);                                    \
  } while (false)

TEST_CASE("images are turned as torchvision turns tensors") {
  CHECK_ROTATED(Nearest, 33);
  CHECK_ROTATED(Bilinear, -100.5, {.interpolation = kBilinear});
  CHECK_ROTATED(Expanded, 25, {.interpolation = kBilinear, .expand = true});
  CHECK_ROTATED(ExpandedSteep, 81, {.expand = true});
  CHECK_ROTATED(Centred, 40, {.interpolation = kBilinear, .center = std::pair(2.0, 3.0)});
  CHECK_ROTATED(Filled, 33, {.fill = {1.5, -2}});
  CHECK_ROTATED(FilledBilinear, 33, {.interpolation = kBilinear, .fill = {1.5, -2}});
  const Tensor bytes = (image_to_turn() * 8).to(DType::uint8);
  check_image(rotate(bytes, 33, {.interpolation = kBilinear}), golden::augment::kRotateBytes, 1);
}

TEST_CASE("a quarter turn moves pixels, also of images without channels or in several dimensions") {
  const Tensor image = image_to_turn(5, 5);
  CHECK(Value(rotate(image, 0)) == Value(image));
  CHECK(Value(rotate(image, 90)) == Value(flip(image.transpose(1, 2), {1})));
  CHECK(Value(rotate(image[0], 90)) == Value(rotate(image, 90)[0]));
  CHECK(Value(rotate(stack({image, image}), 90)[1]) == Value(rotate(image, 90)));
}

TEST_CASE("random rotations are torchvision's after the same seed") {
  CHECK_SEEDED_DRAWS(Rotation, image_to_turn(), RandomRotation(30, {.interpolation = kBilinear}));
  CHECK_SEEDED_DRAWS(RotationRange, image_to_turn(), RandomRotation(Range{10, 170}, {.expand = true, .fill = {3}}));
}

TEST_CASE("rotations that cannot be are refused") {
  CHECK(error_of<ValueError>([] { RandomRotation(-5); }) ==
        "RandomRotation: expected degrees with least <= greatest, got (5.0, -5.0)");
  CHECK(error_of<ValueError>([] { RandomRotation(5, {.interpolation = GridSampleMode::bicubic}); }) ==
        "RandomRotation: expected interpolation nearest or bilinear, got bicubic");
  CHECK(error_of<ValueError>([] { rotate(ones({2, 2}), NAN); }) == "rotate: expected a finite angle, got nan");
  CHECK(error_of<ShapeError>([] {
          rotate(ones({3, 2, 2}), 5, {.fill = {1, 2}});
        }) == "rotate: expected an image [..., H, W] with pixels of 2 channels, got [3, 2, 2]");
  CHECK(error_of<ShapeError>([] {
          rotate(ones({3, 0, 2}), 5);
        }) == "rotate: expected an image [..., H, W] with pixels, got [3, 0, 2]");
}

TEST_CASE("antialiased sizes are PyTorch's") {
  const Tensor image = image_to_turn(13, 17);
  const ResizeOptions antialias{.antialias = true};
  check_image(Resize({5, 6}, antialias)(image), golden::augment::kAntialiasSmaller);
  check_image(Resize(4, antialias)(image), golden::augment::kAntialiasShorter);
  check_image(Resize({20, 23}, antialias)(image), golden::augment::kAntialiasLarger);
  check_image(Resize({4, 30}, antialias)(image), golden::augment::kAntialiasMixed);
  check_image(Resize({3, 4}, antialias)(image.to(DType::float64)), golden::augment::kAntialiasDouble);
  CHECK_SEEDED_DRAWS(AntialiasCrop, image, RandomResizedCrop({3, 4}, {.antialias = true}));
}

// SPDX-License-Identifier: MIT
#include "teff/nn/train/augmentation.h"

#include <doctest/doctest.h>

#include <cmath>

#include "golden/train_golden.h"
#include "support/error_of.h"
#include "teff/engine/error.h"
#include "teff/engine/ops.h"
#include "teff/engine/random.h"

using namespace teff;
using namespace teff::transforms;
using testing::error_of;

namespace {

/// That of make_train_golden.py.
Tensor golden_image() {
  std::vector<float> pixels;
  for (int i = 0; i < 2 * 9 * 12; ++i) pixels.push_back(static_cast<float>(i * 37 % 101) / 8);
  return tensor(pixels, {2, 9, 12});
}

void check_pixels(const Tensor& image, const std::vector<double>& expected) {
  REQUIRE(image.numel() == static_cast<std::int64_t>(expected.size()));
  const Tensor values = image.to(DType::float64);
  for (std::size_t i = 0; i < expected.size(); ++i) {
    CHECK(values.span<double>()[i] == doctest::Approx(expected[i]).epsilon(1e-5));
  }
}

double weighted_sum(const Tensor& image) {
  double sum = 0, weight = 0;
  const Tensor values = image.to(DType::float64);
  for (const double value : values.span<double>()) sum += value * ++weight;
  return sum;
}

/// Twenty images of one seed: a sum of each, the last, and what the generator gives then.
void check_draws(const Transform& transform, const std::vector<double>& sums, const std::vector<double>& last,
                 const std::vector<std::int64_t>& left) {
  Generator generator(31);
  Tensor image;
  for (const double sum : sums) {
    image = transform(golden_image(), generator);
    CHECK(weighted_sum(image) == doctest::Approx(sum).epsilon(1e-5));
  }
  check_pixels(image, last);
  std::vector<std::int64_t> next(2);
  random_(next.data(), 2, 0, 1000000, generator);
  CHECK(next == left);
}

}  // namespace

#define CHECK_DRAWS(name, ...) \
  check_draws(__VA_ARGS__, golden::train::k##name##Sums, golden::train::k##name##Last, golden::train::k##name##Left)

TEST_CASE("random flips, crops and erasures are torchvision's after the same seed") {
  CHECK_DRAWS(VerticalFlip, RandomVerticalFlip(0.3));
  CHECK_DRAWS(ResizedCrop, RandomResizedCrop({5, 6}));
  CHECK_DRAWS(ResizedCropRare, RandomResizedCrop(4, {.scale = {0.9, 1}, .ratio = {3, 4}}));
  CHECK_DRAWS(ResizedCropTall, RandomResizedCrop(4, {.scale = {0.9, 1}, .ratio = {0.2, 0.25}}));
  CHECK_DRAWS(Erasing, RandomErasing({.p = 0.6}));
  CHECK_DRAWS(ErasingChannels, RandomErasing({0.9, {0.1, 0.5}, {0.5, 2}, std::vector<double>{1.5, -2}}));
  CHECK_DRAWS(ErasingNormal, RandomErasing({1, {0.1, 0.9}, {0.3, 3.3}, std::nullopt}));
}

TEST_CASE("the middle of an image, with zeros around where it is small") {
  check_pixels(CenterCrop({4, 7})(golden_image()), golden::train::kCenterCropSmaller);
  check_pixels(CenterCrop({12, 15})(golden_image()), golden::train::kCenterCropLarger);
  check_pixels(CenterCrop({4, 15})(golden_image()), golden::train::kCenterCropMixed);
  check_pixels(CenterCrop({6, 9})(golden_image()), golden::train::kCenterCropOdd);
}

TEST_CASE("images are resized as torchvision resizes tensors") {
  check_pixels(Resize({5, 7})(golden_image()), golden::train::kResizeExact);
  check_pixels(Resize(5)(golden_image()), golden::train::kResizeShorter);
  check_pixels(Resize(13)(golden_image()), golden::train::kResizeLonger);
  const Tensor bytes = (golden_image() * 8).to(DType::uint8);
  const Tensor resized = Resize({4, 5})(bytes);
  REQUIRE(resized.dtype() == DType::uint8);
  REQUIRE(resized.numel() == static_cast<std::int64_t>(golden::train::kResizeBytes.size()));
  for (std::size_t i = 0; i < golden::train::kResizeBytes.size(); ++i) {
    CHECK(std::abs(resized.span<std::uint8_t>()[i] - golden::train::kResizeBytes[i]) <= 0.5001);
  }
  CHECK(Resize(5)(zeros({3, 2, 9, 12})).shape() == Shape{3, 2, 5, 6});
  CHECK(Resize(5)(zeros({12, 9})).shape() == Shape{6, 5});
}

TEST_CASE("an image that is erased stays what it was") {
  const Tensor image = ones({1, 8, 8});
  Generator generator(0);
  const Tensor erased = RandomErasing({.p = 1})(image, generator);
  CHECK(image.sum().item<float>() == 64);
  CHECK(erased.sum().item<float>() < 64);
}

TEST_CASE("what no image can become is refused") {
  Generator generator(0);
  CHECK(error_of<ValueError>([] { RandomVerticalFlip(1.5); }) == "RandomVerticalFlip: expected p in [0, 1], got 1.5");
  CHECK(error_of<ValueError>([] {
          RandomErasing({.scale = {0.5, 0.1}});
        }) == "RandomErasing: expected scale in [0, 1], got (0.5, 0.1)");
  CHECK(error_of<ValueError>([] {
          RandomResizedCrop(3, {.ratio = {0, 1}});
        }) == "RandomResizedCrop: expected ratio with 0 < least <= greatest, got (0.0, 1.0)");
  CHECK(error_of<ShapeError>([&] {
          RandomErasing({.value = std::vector<double>{1, 2, 3}})(ones({2, 4, 4}), generator);
        }) == "RandomErasing: expected an image of 3 channels, got [2, 4, 4]");
  CHECK(error_of<ShapeError>([] { vflip(ones({4})); }) == "vflip: expected an image [..., H, W], got [4]");
  CHECK(error_of<ShapeError>([] {
          Resize(4)(zeros({1, 0, 4}));
        }) == "Resize: expected an image with pixels, got [1, 0, 4]");
  CHECK(error_of<TypeError>([] {
          Resize(4)(zeros({1, 2, 4}, {.dtype = DType::int64}));
        }) == "Resize: expected an image of float32, float64 or uint8, got int64");
}

// SPDX-License-Identifier: MIT
#include <memory>

#include "golden/data_golden.h"
#include "nn/nets.h"

using namespace teff;
using namespace teff::nn_testing;
using namespace teff::transforms;

namespace {

using Numbers = std::vector<std::int64_t>;

Numbers whole_numbers_of(const Tensor& tensor) {
  const Tensor whole = tensor.to(DType::int64);
  return {whole.span<std::int64_t>().begin(), whole.span<std::int64_t>().end()};
}

/// The images of make_data_golden.py.
Tensor numbered_images() {
  const Tensor numbers = arange(11 * 40);
  for (std::int64_t& number : numbers.span<std::int64_t>()) number %= 251;
  return numbers.view({11, 2, 4, 5});
}

Tensor small_image() { return (arange(24) * 10).view({2, 3, 4}).to(DType::uint8); }

Numbers two_epochs(const Transform& transform, DType dtype, std::int64_t prefetch) {
  data::TensorDataset images(numbered_images().to(dtype));
  data::TransformedDataset dataset(images, transform);
  manual_seed(7);
  const data::DataLoader loader(dataset, {.batch_size = 4, .shuffle = true, .prefetch = prefetch});
  Numbers all;
  for (int epoch = 0; epoch < 2; ++epoch) {
    for (const auto& batch : loader) {
      CHECK(batch.data.dtype() == dtype);
      const Numbers some = whole_numbers_of(batch.data);
      all.insert(all.end(), some.begin(), some.end());
    }
  }
  return all;
}

const Compose kCropAndFlip{RandomCrop({3, 4}, {.padding = 2, .fill = -1}), RandomHorizontalFlip(0.3)};

}  // namespace

TEST_CASE("random transforms in a loader are torchvision's in PyTorch's workers") {
  const Compose reflected{RandomHorizontalFlip(), RandomCrop(5, {.padding = {1, 2}, .padding_mode = PadMode::reflect})};
  for (const std::int64_t prefetch : {0, 1, 3}) {
    CAPTURE(prefetch);
    CHECK(two_epochs(kCropAndFlip, DType::float32, prefetch) == golden::kCropped);
    CHECK(two_epochs(reflected, DType::uint8, prefetch) == golden::kReflected);
  }
}

TEST_CASE("an augmented epoch goes on where it stopped") {
  data::TensorDataset images(numbered_images());
  data::TransformedDataset dataset(images, kCropAndFlip);
  const auto run = [&](data::DataLoader& loader, std::int64_t batches, Numbers& seen) {
    for (const auto& batch : loader) {
      const Numbers some = whole_numbers_of(batch.data);
      seen.insert(seen.end(), some.begin(), some.end());
      if (--batches == 0) break;
    }
  };
  for (const std::int64_t prefetch : {0, 2}) {
    const data::DataLoaderOptions options{.batch_size = 3, .shuffle = true, .prefetch = prefetch};
    data::DataLoader whole(dataset, options), first(dataset, options), second(dataset, options);
    Numbers expected, seen;
    manual_seed(3);
    run(whole, -1, expected);
    manual_seed(3);
    run(first, 2, seen);
    manual_seed(99);
    second.load_state_dict(first.state_dict());
    run(second, -1, seen);
    CHECK(seen == expected);
  }
}

TEST_CASE("transforms without chance give torchvision's numbers and leave the image as it is") {
  const Tensor image = small_image();
  const auto expected = [&](const std::vector<double>& values) {
    return tensor(values, image.shape()).to(DType::float32);
  };
  CHECK(same_bits(ConvertImageDtype()(image), expected(golden::kConverted)));
  CHECK(same_bits(Normalize({0.4914, 0.2}, {0.247, 0.6})(ConvertImageDtype()(image)), expected(golden::kNormalized)));
  CHECK(whole_numbers_of(transforms::Pad({1, 2, 3, 0}, {.fill = 7})(image)) == golden::kPadded);
  CHECK(whole_numbers_of(transforms::Pad({2, 1}, {.padding_mode = PadMode::replicate})(image)) == golden::kPaddedEdge);
  CHECK(whole_numbers_of(transforms::Pad(1, {.padding_mode = PadMode::reflect})(image)) == golden::kPaddedReflect);
  CHECK(same_bits(image, small_image()));
}

TEST_CASE("a flip reverses the rows of every dtype") {
  for (const DType dtype : {DType::uint8, DType::int16, DType::float32, DType::float64, DType::int64}) {
    CAPTURE(to_string(dtype));
    const Tensor image = small_image().to(dtype);
    CHECK(whole_numbers_of(hflip(image)) == golden::kFlipped);
    CHECK(same_bits(hflip(hflip(image)), image));
    CHECK(hflip(image).dtype() == dtype);
  }
  CHECK(hflip(zeros({2, 0})).shape() == Shape{2, 0});
}

TEST_CASE("a crop where there is one place draws nothing") {
  Generator generator(5);
  CHECK(same_bits(RandomCrop({3, 4})(small_image(), generator), small_image()));
  CHECK(generator.get_state() == Generator(5).get_state());
  CHECK(RandomCrop({1, 4})(small_image(), generator).shape() == Shape{2, 1, 4});
}

TEST_CASE("a flip of probability 0 or 1 is certain") {
  Generator generator(5);
  for (int i = 0; i < 20; ++i) {
    CHECK(same_bits(RandomHorizontalFlip(0)(small_image(), generator), small_image()));
    CHECK(same_bits(RandomHorizontalFlip(1)(small_image(), generator), hflip(small_image())));
  }
}

TEST_CASE("a transformed dataset keeps targets, and takes any function") {
  data::TensorDataset images(numbered_images(), arange(11));
  data::TransformedDataset dataset(images, [](const Tensor& image, Generator&) { return image + 1; });
  CHECK(dataset.size() == 11);
  const data::Example one = dataset.get(3);
  CHECK(same_bits(one.data, numbered_images()[3] + 1));
  CHECK(one.target.item<std::int64_t>() == 3);
  data::TransformedDataset without(std::make_shared<data::TensorDataset>(numbered_images()), Compose{});
  CHECK_FALSE(without.get(0).target.defined());
  CHECK(same_bits(without.batch(std::vector<std::int64_t>{2, 1}).data[0], numbered_images()[2]));
}

TEST_CASE("alone, a transformed dataset draws from the default generator") {
  data::TensorDataset images(numbered_images());
  data::TransformedDataset dataset(images, kCropAndFlip);
  manual_seed(4);
  const Tensor image = dataset.get(5).data;
  Generator generator(4);
  CHECK(same_bits(image, kCropAndFlip(numbered_images()[5], generator)));
}

TEST_CASE("transforms are validated") {
  Generator generator;
  const Tensor image = zeros({2, 3, 4});
  CHECK(error_of<ValueError>([] {
          Normalize({1, 2}, {1});
        }) == "Normalize: expected a mean and a std for each channel, got 2 and 1");
  CHECK(error_of<ValueError>([] { Normalize({}, {}); }) ==
        "Normalize: expected a mean and a std for each channel, got 0 and 0");
  CHECK(error_of<ValueError>([] { Normalize({1}, {0}); }) == "Normalize: expected std other than 0, got 0");
  CHECK(error_of<ShapeError>([&] {
          Normalize({1, 2, 3}, {1, 1, 1})(image);
        }) == "Normalize: expected an image [..., C, H, W] with C = 3, got [2, 3, 4]");
  CHECK(error_of<ShapeError>([&] {
          Normalize({1}, {1})(zeros({3, 4}));
        }) == "Normalize: expected an image [..., C, H, W] with C = 1, got [3, 4]");
  CHECK(error_of<TypeError>([&] { Normalize({1}, {1})(small_image()); }) ==
        "Normalize: expected an image of float32 or float64, got uint8; see ConvertImageDtype");
  CHECK(error_of<TypeError>([] { ConvertImageDtype{DType::uint8}; }) ==
        "ConvertImageDtype: expected float32 or float64, got uint8");
  CHECK(error_of<ValueError>([] { RandomCrop({0, 3}); }) == "RandomCrop: expected size >= 1, got (0, 3)");
  CHECK(error_of<ShapeError>([&] {
          RandomCrop({4, 4})(image, generator);
        }) == "RandomCrop: expected an image of at least (4, 4) pixels, got [2, 3, 4]");
  CHECK(error_of<ShapeError>([&] {
          RandomCrop(8, {.padding = {1, 0}})(image, generator);
        }) == "RandomCrop: expected an image of at least (8, 8) pixels, got [2, 3, 4], padded to [2, 3, 6]");
  CHECK(error_of<ValueError>([] { RandomHorizontalFlip(1.5); }) ==
        "RandomHorizontalFlip: expected p in [0, 1], got 1.5");
  CHECK(error_of<ShapeError>([] { hflip(zeros({3})); }) == "hflip: expected an image [..., H, W], got [3]");
  CHECK(error_of<ShapeError>([] { transforms::Pad(1)(zeros({3})); }) == "Pad: expected an image [..., H, W], got [3]");
  CHECK_THROWS_AS(data::TransformedDataset(nullptr, Compose{}), TypeError);
  data::TensorDataset images(image);
  CHECK_THROWS_AS(data::TransformedDataset(images, Transform()), TypeError);
}

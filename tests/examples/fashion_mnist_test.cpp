// SPDX-License-Identifier: MIT
#include "examples/fashion_mnist.h"

#include <doctest/doctest.h>

#include <vector>

using namespace teff;
using fashion::FashionMnist;

namespace {

const std::string kFolder = TEFF_TESTS_DIR "/../examples/data/fashion-mnist";

}  // namespace

TEST_CASE("the embedded part of Fashion-MNIST has as many images of each class") {
  for (const auto& [part, each] :
       {std::pair(FashionMnist::Part::train, 100), std::pair(FashionMnist::Part::test, 25)}) {
    const FashionMnist images(kFolder, part);
    CHECK(images.size() == 10 * each);
    std::vector<int> counts(10);
    for (std::int64_t i = 0; i < images.size(); ++i) ++counts[static_cast<std::size_t>(images.label(i))];
    CHECK(counts == std::vector<int>(10, each));
  }
}

TEST_CASE("a batch has the images padded with black, normalised, three times the one channel") {
  FashionMnist images(kFolder, FashionMnist::Part::test);
  const std::vector<std::int64_t> indices = {7, 0};
  const data::Example batch = images.batch(indices);
  REQUIRE(batch.data.shape() == Shape{2, 3, 32, 32});
  REQUIRE(batch.target.shape() == Shape{2});
  for (std::int64_t n = 0; n < 2; ++n) {
    const std::int64_t index = indices[static_cast<std::size_t>(n)];
    CHECK(batch.target[n].item<std::int64_t>() == images.label(index));
    bool equal = true;
    for (std::int64_t i = 0; i < 3 * 32 * 32; ++i) {
      const std::int64_t y = i / 32 % 32 - 2, x = i % 32 - 2;
      const bool inside = y >= 0 && y < 28 && x >= 0 && x < 28;
      const std::uint8_t pixel = inside ? images.pixels(index)[static_cast<std::size_t>(y * 28 + x)] : 0;
      const float expected = (static_cast<float>(pixel) / 255.0F - 0.5F) / 0.5F;
      equal = equal && batch.data.data<float>()[n * 3 * 32 * 32 + i] == expected;
    }
    CHECK(equal);
  }
  CHECK(images.get(7).data.shape() == Shape{3, 32, 32});
}

TEST_CASE("an image that is not there is refused") {
  FashionMnist images(kFolder, FashionMnist::Part::test);
  CHECK_THROWS_WITH_AS(images.get(250), "FashionMnist: expected an index below 250, got 250", IndexError);
  CHECK_THROWS_AS(images.get(-1), IndexError);
  CHECK_THROWS_AS(FashionMnist("/nowhere", FashionMnist::Part::test), IoError);
}

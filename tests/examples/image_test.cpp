// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "examples/image_file.h"
#include "examples/image_preset.h"
#include "support/golden.h"
#include "support/temp_file.h"
#include "teff/nn/train/image_folder.h"

using namespace teff;
using namespace teff::testing;

namespace {

/// The cases whose names begin so.
std::vector<GoldenCase> cases(const std::string& kind) {
  std::vector<GoldenCase> chosen;
  for (const GoldenCase& one : read_golden("images.golden")) {
    if (one.name.starts_with(kind)) chosen.push_back(one);
  }
  REQUIRE(!chosen.empty());
  return chosen;
}

void write(const std::string& path, std::span<const std::uint8_t> bytes) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

double largest_difference(const Tensor& a, const Tensor& b) {
  REQUIRE(a.shape() == b.shape());
  return (a.to(DType::float64) - b.to(DType::float64)).abs().max().item<double>();
}

Pair size_of(const Dict& entries) {
  const List& size = entries.at("size").as_list();
  return {size[0].as_int(), size[1].as_int()};
}

/// A picture of one pixel.
const std::string kPixel = "P6 # red, green, blue\n1 1 255\n\x01\x02\x03";

void write(const std::string& path, const std::string& text) {
  write(path, {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
}

}  // namespace

TEST_CASE("picture files have the pixels that PIL gives") {
  const TempFolder folder;
  for (const auto& [key, entries] : cases("file ")) {
    const std::string& name = key;  // clang 14 captures no structured binding
    CAPTURE(name);
    const std::string path = folder / entries.at("name").as_text();
    write(path, entries.at("bytes").as_tensor().span<std::uint8_t>());
    const Tensor image = images::read_image(path);
    CHECK(image.dtype() == DType::uint8);
    const double allowed = path.ends_with(".jpg") ? 4 : 0;
    CHECK(largest_difference(image, entries.at("pixels").as_tensor()) <= allowed);
  }
}

TEST_CASE("resize gives PIL's very pixels") {
  for (const auto& [key, entries] : cases("resize ")) {
    const std::string& name = key;  // clang 14 captures no structured binding
    CAPTURE(name);
    const Tensor resized = images::resize(entries.at("picture").as_tensor(), size_of(entries));
    CHECK(largest_difference(resized, entries.at("result").as_tensor()) == 0);
  }
}

TEST_CASE("the preset does what torchvision's transforms do") {
  for (const auto& [key, entries] : cases("preset ")) {
    const std::string& name = key;  // clang 14 captures no structured binding
    CAPTURE(name);
    const images::Preset preset{.resize = entries.at("resize").as_int(), .crop = entries.at("crop").as_int()};
    CHECK(largest_difference(preset(entries.at("picture").as_tensor()), entries.at("result").as_tensor()) < 1e-6);
  }
}

TEST_CASE("what is no picture is refused with its path") {
  const TempFolder folder;
  write(folder / "text.png", "no picture");
  CHECK_THROWS_WITH_AS(images::read_image(folder / "text.png"),
                       (folder / "text.png: expected a PNG, JPEG, PPM or PGM picture, got something else").c_str(),
                       FormatError);
  write(folder / "huge.ppm", "P6 20000 20000 255\n");
  CHECK_THROWS_WITH_AS(images::read_image(folder / "huge.ppm"),
                       (folder / "huge.ppm: expected 1 to 100000000 pixels, got 20000 rows of 20000").c_str(),
                       FormatError);
  write(folder / "cut.ppm", kPixel.substr(0, kPixel.size() - 1));
  CHECK_THROWS_WITH_AS(images::read_image(folder / "cut.ppm"),
                       (folder / "cut.ppm: expected 3 bytes of pixels, got 2").c_str(), FormatError);
  write(folder / "word.ppm", "P6 1 x 255\n");
  CHECK_THROWS_WITH_AS(images::read_image(folder / "word.ppm"),
                       (folder / "word.ppm: expected a number at byte 5, got none").c_str(), FormatError);
  write(folder / "wide.pgm", "P5 1 1 65535\n  ");
  CHECK_THROWS_WITH_AS(images::read_image(folder / "wide.pgm"),
                       (folder / "wide.pgm: expected values up to 255, got up to 65535").c_str(), FormatError);
  CHECK_THROWS_AS(images::read_image(folder / "absent.png"), IoError);
  CHECK_THROWS_AS(images::read_image(folder.path()), IoError);
}

TEST_CASE("a picture file that is cut off anywhere is refused") {
  const TempFile file("cut");
  for (const auto& [key, entries] : cases("file ")) {
    const std::string& name = key;  // clang 14 captures no structured binding
    CAPTURE(name);
    const std::span<const std::uint8_t> bytes = entries.at("bytes").as_tensor().span<std::uint8_t>();
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      CAPTURE(size);
      write(file, bytes.first(size));
      CHECK_THROWS_AS(images::read_image(file), FormatError);
    }
  }
}

TEST_CASE("a picture of more pixels than asked for is refused") {
  for (const auto& [key, entries] : cases("file ")) {
    const std::string& name = key;  // clang 14 captures no structured binding
    CAPTURE(name);
    const Tensor bytes = entries.at("bytes").as_tensor(), pixels = entries.at("pixels").as_tensor();
    const std::int64_t count = pixels.size(1) * pixels.size(2);
    CHECK(images::decode_image(bytes.span<std::uint8_t>(), count).shape() == pixels.shape());
    CHECK_THROWS_AS(images::decode_image(bytes.span<std::uint8_t>(), count - 1), FormatError);
  }
}

TEST_CASE("a small file that claims many pixels is refused before there is memory for them") {
  using namespace std::string_view_literals;
  constexpr std::string_view kPng =  // 9000 x 9000 pixels of one bit, without data
      "\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\x23\x28\0\0\x23\x28\1\0\0\0\0\x45\xae\x4f\x17"
      "\0\0\0\x08IDAT\x78\x9c\x03\0\0\0\0\1\x48\x06\x89\xd2\0\0\0\0IEND\xae\x42\x60\x82"sv;
  CHECK_THROWS_WITH_AS(images::decode_image({reinterpret_cast<const std::uint8_t*>(kPng.data()), kPng.size()}),
                       "expected at most 536640 pixels in 65 bytes, got 9000 rows of 9000", FormatError);
  for (const auto& [key, entries] : cases("file ")) {
    if (!entries.at("name").as_text().ends_with(".jpg")) continue;
    const Tensor file = entries.at("bytes").as_tensor().clone();
    const auto bytes = file.span<std::uint8_t>();
    for (std::size_t i = 0; i + 9 < bytes.size(); ++i) {
      const bool is_frame = bytes[i] == 0xff && bytes[i + 1] >= 0xc0 && bytes[i + 1] <= 0xc2;
      if (is_frame) std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(i) + 5, 4, std::uint8_t{0x23});
    }
    CHECK_THROWS_WITH_AS(images::decode_image(bytes), doctest::Contains("got 8995 rows of 8995"), FormatError);
  }
}

TEST_CASE("sizes that do not fit are refused") {
  const Tensor image = zeros({3, 4, 5}, {.dtype = DType::uint8});
  CHECK_THROWS_AS(images::resize(image, 0), ValueError);
  CHECK_THROWS_AS(images::resize(image, {1, 1'000'000'000'000}), ValueError);
  CHECK_THROWS_AS(images::resize(zeros({3, 4, 5}), 2), TypeError);
  CHECK_THROWS_AS(images::resize(zeros({4, 5}, {.dtype = DType::uint8}), 2), ShapeError);
  CHECK_THROWS_WITH_AS(images::center_crop(image, 5),
                       "center_crop: expected a picture of at least (5, 5) pixels, got [3, 4, 5]", ShapeError);
}

TEST_CASE("pictures in folders are read as a dataset") {
  const TempFolder folder;
  for (const char* name : {"dog/b.ppm", "dog/a.PPM", "cat/z/1.ppm", "cat/notes.txt"}) write(folder / name, kPixel);
  data::ImageFolder pictures(folder.path(), [](const std::string& path) { return images::read_image(path); });
  CHECK(pictures.classes() == std::vector<std::string>{"cat", "dog"});
  CHECK(pictures.size() == 3);
  const data::Example example = pictures.get(2);
  CHECK(Value(example.data) == Value(tensor<std::uint8_t>({1, 2, 3}, {3, 1, 1})));
  CHECK(example.target.item<std::int64_t>() == 1);
}

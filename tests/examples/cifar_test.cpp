// SPDX-License-Identifier: MIT
#include "examples/cifar.h"

#include <doctest/doctest.h>

#include <fstream>
#include <vector>

#include <teff/teff.h>

#include "support/error_of.h"
#include "support/temp_file.h"

using namespace teff;
using namespace teff::testing;
using cifar::Cifar;
using cifar::Kind;

namespace {

using Buffer = std::vector<std::uint8_t>;

std::uint8_t pixel(std::size_t image, std::size_t place) { return static_cast<std::uint8_t>(image * 50 + place % 251); }

/// A file of records with these bytes in front of their pixels.
Buffer records(const std::vector<Buffer>& labels) {
  Buffer bytes;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    bytes.insert(bytes.end(), labels[i].begin(), labels[i].end());
    for (std::size_t j = 0; j < cifar::kImageBytes; ++j) bytes.push_back(pixel(i, j));
  }
  return bytes;
}

std::string refusal(const Buffer& bytes, Kind kind) {
  return error_of<FormatError>([&] { cifar::parse_records(bytes, kind, "f"); });
}

void write(const std::string& path, const Buffer& bytes) {
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

std::vector<std::int64_t> labels_of(const Tensor& labels) {
  const auto numbers = labels.span<std::int64_t>();
  return {numbers.begin(), numbers.end()};
}

}  // namespace

TEST_CASE("records are classes and pixels by channel, row and column") {
  for (const Kind kind : {Kind::cifar10, Kind::cifar100}) {
    const bool ten = kind == Kind::cifar10;
    const cifar::Records read =
        cifar::parse_records(ten ? records({{9}, {0}}) : records({{19, 99}, {3, 0}}), kind, "f");
    CHECK(labels_of(read.labels) == std::vector<std::int64_t>{ten ? 9 : 99, 0});
    REQUIRE(read.images.shape() == Shape{2, 3, 32, 32});
    REQUIRE(read.images.dtype() == DType::uint8);
    const auto pixels = read.images.span<std::uint8_t>();
    bool equal = true;
    for (std::size_t i = 0; i < pixels.size(); ++i) {
      equal = equal && pixels[i] == pixel(i / cifar::kImageBytes, i % cifar::kImageBytes);
    }
    CHECK(equal);
  }
}

TEST_CASE("a folder of CIFAR-10 has its training images in five files") {
  const TempFolder folder;
  for (std::uint8_t i = 1; i <= 5; ++i) {
    write(folder / ("data_batch_" + std::to_string(i) + ".bin"), records({{i}}));
  }
  write(folder / "test_batch.bin", records({{7}, {8}, {9}}));
  Cifar train(folder.path(), Kind::cifar10, Cifar::Part::train), test(folder.path(), Kind::cifar10, Cifar::Part::test);
  CHECK(train.size() == 5);
  CHECK(labels_of(train.batch(std::vector<std::int64_t>{4, 0}).target) == std::vector<std::int64_t>{5, 1});
  const data::Example one = test.get(1);
  CHECK(one.target.item<std::int64_t>() == 8);
  REQUIRE(one.data.shape() == Shape{3, 32, 32});
  CHECK(one.data[1][2][3].item<float>() == static_cast<float>(pixel(1, 1024 + 2 * 32 + 3)) / 255.0F);
  CHECK_THROWS_AS(test.get(3), IndexError);
}

TEST_CASE("a folder of CIFAR-100 has a file for each part") {
  const TempFolder folder;
  write(folder / "train.bin", records({{1, 44}}));
  write(folder / "test.bin", records({{2, 55}, {3, 66}}));
  CHECK(Cifar(folder.path(), Kind::cifar100, Cifar::Part::train).get(0).target.item<std::int64_t>() == 44);
  CHECK(Cifar(folder.path(), Kind::cifar100, Cifar::Part::test).size() == 2);
}

TEST_CASE("what is not a file of records is refused") {
  const Buffer whole = records({{1}, {2}});
  CHECK(refusal({}, Kind::cifar10) == "f: expected records of 3073 bytes, got 0 bytes");
  CHECK(refusal(whole, Kind::cifar100) == "f: expected records of 3074 bytes, got 6146 bytes");
  CHECK(refusal(Buffer(whole.begin(), whole.end() - 1), Kind::cifar10) ==
        "f: expected records of 3073 bytes, got 6145 bytes");
  CHECK(refusal(records({{1}, {10}}), Kind::cifar10) == "f: record 1: expected a class below 10, got 10");
  CHECK(refusal(records({{20, 3}}), Kind::cifar100) == "f: record 0: expected a class below 20, got 20");
  CHECK(refusal(records({{19, 100}}), Kind::cifar100) == "f: record 0: expected a class below 100, got 100");
}

TEST_CASE("a CIFAR file that is not there cannot be read") {
  const TempFolder folder;
  CHECK_THROWS_WITH_AS(Cifar(folder.path(), Kind::cifar100, Cifar::Part::test),
                       doctest::Contains("test.bin: cannot read: No such file"), IoError);
}

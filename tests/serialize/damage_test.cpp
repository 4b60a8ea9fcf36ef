// SPDX-License-Identifier: MIT
#include <random>

#include "serialize/file_fixture.h"
#include "serialize/sample_models.h"
#include "support/temp_file.h"

using namespace teff;
using namespace teff::testing;

namespace {

/// A small dict with tensors, ties, text, padding between tensors, and a tail.
std::string small_dict() {
  const Tensor weight = tensor<std::int32_t>({1, 2, 3});
  return saved({{"w", weight},
                {"tied", weight},
                {"mask", tensor<bool>({true, false, true})},
                {"empty", zeros({0, 3})},
                {"epoch", 5},
                {"more", Dict{{"lr", 0.1}, {"name", "sgd"}, {"list", List{true, nullptr}}}}},
               {.durable = false, .metadata = {{"by", "test"}}});
}

std::string small_model() {
  manual_seed(0);
  TinyNet net;
  return saved_model(net, ones({2, 2}));
}

struct Sample {
  const char* name;
  std::string bytes;
  std::string (*refuse)(std::string_view);
};

std::vector<Sample> samples() {
  return {{"dict", small_dict(), refusal}, {"empty dict", saved({}), refusal}, {"model", small_model(), model_refusal}};
}

}  // namespace

TEST_CASE("every single-bit flip is refused") {
  for (const Sample& sample : samples()) {
    CAPTURE(sample.name);
    REQUIRE(sample.refuse(sample.bytes) == "loaded");
    int accepted = 0;
    for (std::size_t bit = 0; bit < 8 * sample.bytes.size(); ++bit) {
      std::string damaged = sample.bytes;
      damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
      if (sample.refuse(damaged) == "loaded") ++accepted;
    }
    CHECK(accepted == 0);
  }
}

TEST_CASE("every truncation is refused") {
  for (const Sample& sample : samples()) {
    CAPTURE(sample.name);
    int accepted = 0;
    for (std::size_t size = 0; size < sample.bytes.size(); ++size) {
      if (sample.refuse(sample.bytes.substr(0, size)) == "loaded") ++accepted;
    }
    CHECK(accepted == 0);
  }
}

TEST_CASE("anything appended is refused, and so is a doubled file") {
  for (const Sample& sample : samples()) {
    CAPTURE(sample.name);
    CHECK(contains(sample.refuse(sample.bytes + '\0'), "something was appended"));
    CHECK(contains(sample.refuse(sample.bytes + std::string(64, '\0')), "something was appended"));
    CHECK(contains(sample.refuse(sample.bytes + "\n"), "something was appended"));
    CHECK(contains(sample.refuse(sample.bytes + sample.bytes), "something was appended"));
  }
}

TEST_CASE("random damage is refused: cut out, swapped, zeroed, repeated, overwritten") {
  constexpr unsigned kSeed = 1;
  std::mt19937 random(kSeed);
  for (const Sample& sample : samples()) {
    CAPTURE(sample.name);
    const std::string& original = sample.bytes;
    const auto draw = [&](std::size_t below) { return static_cast<std::size_t>(random()) % below; };
    int accepted = 0;
    for (int round = 0; round < 3000; ++round) {
      std::string damaged = original;
      const std::size_t begin = draw(original.size()), size = 1 + draw(original.size() - begin);
      switch (draw(5)) {
        case 0:
          damaged.erase(begin, size);
          break;
        case 1:
          std::swap_ranges(&damaged[begin], &damaged[begin] + size / 2, &damaged[begin] + (size + 1) / 2);
          break;
        case 2:
          damaged.replace(begin, size, size, '\0');
          break;
        case 3:
          damaged.insert(begin, original, begin, size);
          break;
        case 4:
          for (std::size_t i = 0; i < size; ++i) damaged[begin + i] = static_cast<char>(random());
          break;
      }
      if (damaged != original && sample.refuse(damaged) == "loaded") ++accepted;
    }
    CHECK(accepted == 0);
  }
}

TEST_CASE("a damaged file is refused when it is mapped, too") {
  const TempFile file;
  std::string bytes = small_dict();
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  write_file(file, bytes);
  CHECK_THROWS_AS(load(file, {.mmap = true}), FormatError);
}

TEST_CASE("without verification the structure is checked all the same") {
  const TempFile file;
  std::string bytes = saved({{"w", tensor<std::int32_t>({1, 2})}});
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  write_file(file, bytes);
  CHECK_THROWS_AS(load(file), FormatError);
  CHECK_NOTHROW(load(file, {.verify = false}));
  bytes[70] = static_cast<char>(bytes[70] ^ 1);
  write_file(file, bytes);
  CHECK_THROWS_AS(load(file, {.verify = false}), FormatError);
}

TEST_CASE("a refusal names function, file, tensor, offset, and both checksums") {
  std::string bytes = saved({{"conv1.weight", tensor<std::int32_t>({1, 2})}});
  bytes.back() = 'x';
  const std::string expected =
      xxh3_text(saved({{"conv1.weight", tensor<std::int32_t>({1, 2})}}).substr(bytes.size() - 8));
  CHECK(refusal(bytes) == "load: x.teff: tensor \"conv1.weight\" at offset 192: damaged: expected checksum " +
                              expected + ", got " + xxh3_text(bytes.substr(bytes.size() - 8)));
}

TEST_CASE("names in a refusal cannot drive a terminal") {
  std::string bytes = saved({{"a", Dict{{"\x1b[31m\"", List{tensor<std::int32_t>({1, 2})}}}}});
  bytes.back() = 'x';
  CHECK(contains(refusal(bytes), "tensor \"a/\\x1b[31m\\x22[0]\" at offset"));
}

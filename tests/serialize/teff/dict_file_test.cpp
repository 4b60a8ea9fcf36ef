// SPDX-License-Identifier: MIT
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "serialize/file_fixture.h"
#include "support/temp_file.h"
#include "teff/engine/ops.h"

using namespace teff;
using namespace teff::testing;

namespace {

/// A tensor of the dtype whose bytes are 1, 2, 3, ... (0 and 1 for bool).
Tensor patterned(DType dtype, const Shape& shape) {
  const Tensor tensor = empty(shape, {.dtype = dtype});
  auto* bytes = static_cast<unsigned char*>(tensor.raw_data());
  for (std::size_t i = 0; i < tensor.nbytes(); ++i) {
    bytes[i] = static_cast<unsigned char>(dtype == DType::bool_ ? i % 2 : i + 1);
  }
  return tensor;
}

constexpr DType kAllTypes[] = {DType::float32, DType::float64, DType::int64,  DType::int32,         DType::int16,
                               DType::int8,    DType::uint8,   DType::bool_,  DType::float16,       DType::bfloat16,
                               DType::uint16,  DType::uint32,  DType::uint64, DType::float8_e4m3fn, DType::float8_e5m2};

/// Lists in each other, `depth` of them.
Value nested(int depth) {
  Value value = 1;
  for (int i = 0; i < depth; ++i) {
    List list;
    list.push_back(std::move(value));
    value = std::move(list);
  }
  return value;
}

}  // namespace

TEST_CASE("a dict comes back with every kind of value, in its order") {
  const Dict dict{{"zeta", nullptr},
                  {"alpha", true},
                  {"no", false},
                  {"epoch", -5},
                  {"loss", 0.4},
                  {"name", "Net"},
                  {"raw", Bytes{std::byte{0}, std::byte{255}}},
                  {"weight", tensor<std::int32_t>({1, 2, 3})},
                  {"list", List{1, "two", List{}, Dict{{"three", 3}}}},
                  {"dict", Dict{{"b", 1}, {"a", Dict{}}}},
                  {"", "an empty key"}};
  CHECK(same(round_trip(dict), dict));
  CHECK(same(round_trip(Dict{}), Dict{}));
}

TEST_CASE("numbers come back bit by bit") {
  const double payload = std::bit_cast<double>(std::uint64_t{0x7ff800000000beef});
  const double values[] = {payload, -payload, -0.0, 5e-324, std::numeric_limits<double>::infinity(), 0.1};
  for (const double value : values) {
    const double loaded = round_trip({{"x", value}}).at("x").as_float();
    CHECK(std::bit_cast<std::uint64_t>(loaded) == std::bit_cast<std::uint64_t>(value));
  }
  for (const std::int64_t value :
       {std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max()}) {
    CHECK(round_trip({{"x", value}}).at("x").as_int() == value);
  }
}

TEST_CASE("tensors of every dtype and rank come back bit by bit") {
  Dict dict;
  for (const DType dtype : kAllTypes) {
    for (const Shape& shape :
         {Shape{}, Shape{0}, Shape{5}, Shape{3, 7}, Shape{4, 0, 2}, Shape{1, 2, 1, 2, 1, 2, 1, 2}}) {
      dict.insert(std::string(to_string(dtype)) + to_string(shape), patterned(dtype, shape));
    }
  }
  CHECK(same(round_trip(dict), dict));
  CHECK(same(round_trip(dict, {.mmap = true}), dict));
  CHECK(same(round_trip(dict, {.verify = false}), dict));
}

TEST_CASE("special floats in a tensor come back bit by bit") {
  const Tensor special = tensor<float>(
      {-0.0f, std::numeric_limits<float>::denorm_min(), std::nanf("0x1234"), -std::numeric_limits<float>::infinity()});
  const Tensor loaded = round_trip({{"x", special}}).at("x").as_tensor();
  CHECK(std::memcmp(loaded.raw_data(), special.raw_data(), special.nbytes()) == 0);
}

TEST_CASE("a tensor larger than a chunk and a task comes back") {
  const Dict dict{{"a", rand({1500, 1001})}, {"b", rand({3, 5})}, {"c", rand({1 << 20})}, {"d", rand({7})}};
  CHECK(same(round_trip(dict), dict));
  CHECK(same(round_trip(dict, {.mmap = true}), dict));
}

TEST_CASE("thousands of small tensors come back") {
  Dict dict;
  for (int i = 0; i < 3000; ++i) dict.insert("layer" + std::to_string(i), full({i % 5}, i));
  CHECK(same(round_trip(dict), dict));
}

TEST_CASE("names are keys and never paths") {
  Dict dict;
  for (const std::string& key :
       {std::string("../../etc/passwd"), std::string("/absolute"), std::string("nul\0inside", 10),
        std::string("\x1b[31mred"), std::string("gewichte-größe-重み"), std::string("a.b.c"), std::string(65535, 'k'),
        std::string("\xff\xfe not UTF-8")}) {
    dict.insert(key, tensor<std::int32_t>({1}));
  }
  CHECK(same(round_trip(dict), dict));
}

TEST_CASE("a name of 64 KiB is refused when it is saved") {
  const Dict dict{{"outer", Dict{{std::string(65536, 'k'), 1}}}};
  const TempFile file;
  const std::string text = error_of<ValueError>([&] { save(dict, file); });
  CHECK(contains(text, "save: " + file.path() + ": \"outer/kkk"));
  CHECK(contains(text, "expected a name of at most 65535 bytes, got 65536"));
}

TEST_CASE("text may be longer than a name") {
  const Dict dict{{"log", std::string(1 << 20, 'x') + std::string("\0\n", 2)}};
  CHECK(same(round_trip(dict), dict));
}

TEST_CASE("dictionaries and lists may lie 64 deep in each other, and no deeper") {
  const Dict dict{{"x", nested(63)}};
  CHECK(same(round_trip(dict), dict));
  const TempFile file;
  CHECK(contains(error_of<ValueError>([&] { save({{"x", nested(64)}}, file); }), "deeper than 64"));
  CHECK(contains(error_of<ValueError>([&] { save({{"x", nested(90)}}, file); }), "deeper than 64"));
}

TEST_CASE("an undefined tensor and a bool tensor of other bytes are refused when they are saved") {
  const TempFile file;
  CHECK(contains(error_of<ValueError>([&] {
                   save({{"bias", Tensor()}}, file);
                 }),
                 "\"bias\": expected a tensor, got an undefined one"));
  const Tensor mask = patterned(DType::bool_, {2});
  static_cast<unsigned char*>(mask.raw_data())[1] = 2;
  CHECK(contains(error_of<ValueError>([&] {
                   save({{"mask", mask}}, file);
                 }),
                 "\"mask\": expected bool values of 0 or 1, got others"));
}

TEST_CASE("a tensor that occurs twice is written once and comes back as one") {
  const Tensor weight = rand({64, 64});
  const Dict dict{{"encoder", weight}, {"decoder", weight}};
  CHECK(saved(dict).size() < saved({{"encoder", weight}, {"decoder", weight.clone()}}).size() - 10000);
  const Dict loaded = round_trip(dict);
  CHECK(loaded.at("encoder").as_tensor().is(loaded.at("decoder").as_tensor()));
  CHECK(same(loaded, dict));
}

TEST_CASE("tensors on the same elements are written once and come back sharing them") {
  const Tensor weight = rand({64, 64});
  const Dict dict{{"matrix", weight}, {"flat", weight.view({-1})}, {"same", weight.detach()}};
  CHECK(saved(dict).size() < 2 * weight.nbytes());
  for (const bool mmap : {false, true}) {
    const Dict loaded = round_trip(dict, {.mmap = mmap});
    CHECK(same(loaded, dict));
    loaded.at("matrix").as_tensor().fill_(7);
    CHECK(loaded.at("flat").as_tensor()[4095].item<float>() == 7);
    CHECK(loaded.at("same").as_tensor().shares_memory_with(loaded.at("matrix").as_tensor()));
    CHECK(!loaded.at("same").as_tensor().is(loaded.at("matrix").as_tensor()));
  }
}

TEST_CASE("a view is saved as its own values only") {
  const Tensor whole = rand({1000, 100});
  const Dict dict{{"row", whole[3]}, {"rows", whole.slice(0, 3, 5)}};
  CHECK(saved(dict).size() < 2000);
  const Dict loaded = round_trip(dict);
  CHECK(same(loaded, dict));
  CHECK(!loaded.at("row").as_tensor().shares_memory_with(loaded.at("rows").as_tensor()));
}

TEST_CASE("loaded tensors are aligned, and do not require a gradient") {
  const Tensor weight = rand({3});
  weight.requires_grad_();
  for (const bool mmap : {false, true}) {
    const Dict loaded = round_trip({{"a", weight}, {"b", rand({5})}}, {.mmap = mmap});
    CHECK(!loaded.at("a").as_tensor().requires_grad());
    CHECK(reinterpret_cast<std::uintptr_t>(loaded.at("b").as_tensor().raw_data()) % 64 == 0);
  }
}

TEST_CASE("equal values give equal bytes, whatever the memory that they lie in") {
  const auto build = [](double dirt) {
    full({1000}, dirt);  // what the next tensors of these sizes find in their memory
    return Dict{{"w", arange(0, 250, 1, {.dtype = DType::float32})},
                {"b", tensor<std::int32_t>({1, 2, 3})},
                {"n", List{1, "x"}}};
  };
  const std::string first = saved(build(1));
  CHECK(first == saved(build(2)));
  const TempFile file;
  write_file(file, first);
  CHECK(saved(load(file)) == first);
}

TEST_CASE("the empty dict is the file that FORMAT.md shows") {
  const unsigned char bytes[] = {
      0x89, 0x54, 0x45, 0x46, 0x46, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0x01, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00,
      0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x18, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x58, 0x00, 0x00, 0x00,
      0x00, 0x00, 0x00, 0x00, 0x2a, 0x8a, 0xc7, 0xe4, 0x4e, 0xf9, 0x3d, 0x74, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
      0x00, 0x00, 0x0f, 0xc3, 0xd2, 0xe8, 0x76, 0xfb, 0xf5, 0xb6, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
      0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00};
  CHECK(saved({}) == std::string(reinterpret_cast<const char*>(bytes), sizeof bytes));
}

TEST_CASE("metadata are written, and do not show in the dict") {
  const Dict dict{{"x", 1}};
  const std::string plain = saved(dict), described = saved(dict, {.durable = false, .metadata = {{"author", "me"}}});
  CHECK(contains(described, "author"));
  CHECK(!contains(plain, "author"));
  const TempFile file;
  write_file(file, described);
  CHECK(same(load(file), dict));
}

TEST_CASE("a mapped tensor can be written to, and the file keeps its values") {
  const TempFile file;
  save({{"w", ones({3000})}}, file);
  const std::string before = read_file(file);
  {
    const Tensor mapped = load(file, {.mmap = true}).at("w").as_tensor();
    mapped.fill_(5);
    CHECK(mapped.sum().item<float>() == 15000);
  }
  CHECK(read_file(file) == before);
}

TEST_CASE("a mapped tensor outlives the file's name") {
  Tensor mapped;
  {
    const TempFile file;
    save({{"w", full({100}, 2)}}, file);
    mapped = load(file, {.mmap = true}).at("w").as_tensor();
    save({{"w", full({100}, 3)}}, file);  // a new file under the same name: the mapping keeps the old one
  }
  CHECK(mapped.sum().item<float>() == 200);
}

TEST_CASE("a file with dtypes from uint16 on sets feature 2, and no other does") {
  for (int i = static_cast<int>(DType::float32); i <= static_cast<int>(kLastDType); ++i) {
    const auto dtype = static_cast<DType>(i);
    CAPTURE(to_string(dtype));
    const std::string bytes = saved({{"x", List{zeros({2}, {.dtype = dtype})}}});
    CHECK(word_at(bytes, 16) == (dtype > DType::bfloat16 ? 4 : 0));
    std::string without = bytes;
    without[16] = 0;
    if (dtype > DType::bfloat16) {
      CHECK(contains(refusal(repaired(without)), "expected the preamble to name feature 2, which is used here"));
    }
    without[16] = 4;
    if (dtype <= DType::bfloat16) {
      CHECK(contains(refusal(repaired(without)), "expected the file to use feature 2, as its preamble says"));
    }
  }
}

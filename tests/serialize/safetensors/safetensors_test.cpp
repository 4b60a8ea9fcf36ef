// SPDX-License-Identifier: MIT
#include <filesystem>
#include <fstream>
#include <sstream>

#include "serialize/torch/zip_fixture.h"
#include "support/temp_file.h"
#include "teff/serialize/io/byte_source.h"
#include "teff/serialize/safetensors/safetensors_file.h"
#include "teff/teff.h"

using namespace teff;
using namespace teff::testing;

namespace {

/// A file with this header and so many bytes of data.
std::string file_with(const std::string& json, std::size_t data_bytes = 0) {
  return word(json.size()) + json + std::string(data_bytes, '\0');
}

std::string safetensors_bytes(const Dict& dict, const Dict& metadata = {}) {
  std::ostringstream stream;
  save(dict, stream, {.format = FileFormat::safetensors, .metadata = metadata});
  return stream.str();
}

/// {"a": <entry>} with the entry's fields as JSON.
std::string one(const std::string& dtype, const std::string& shape, const std::string& offsets) {
  return R"({"a":{"dtype":)" + dtype + R"(,"shape":)" + shape + R"(,"data_offsets":)" + offsets + "}}";
}

void check_refused(const std::string& bytes, const std::string& part) {
  const std::string error = refusal(bytes);
  CAPTURE(part);
  CHECK_MESSAGE(contains(error, part), error);
}

Dict metadata_of(const std::string& bytes) { return File(std::as_bytes(std::span(bytes))).metadata(); }

}  // namespace

TEST_CASE("the bytes are those that the format describes: wide types first, then names") {
  const Dict dict{{"b", tensor<float>({1})},
                  {"a", tensor<float>({2})},
                  {"i", tensor<std::int64_t>({3})},
                  {"flag", tensor<bool>({true})}};
  const std::string header = R"({"__metadata__":{"by":"test","x":"\"1\""},)"
                             R"("i":{"dtype":"I64","shape":[1],"data_offsets":[0,8]},)"
                             R"("a":{"dtype":"F32","shape":[1],"data_offsets":[8,12]},)"
                             R"("b":{"dtype":"F32","shape":[1],"data_offsets":[12,16]},)"
                             R"("flag":{"dtype":"BOOL","shape":[1],"data_offsets":[16,17]}})";
  const std::string padded = header + std::string((8 - header.size() % 8) % 8, ' ');
  CHECK(safetensors_bytes(dict, {{"x", "\"1\""}, {"by", "test"}}) ==
        word(padded.size()) + padded + word(3) + number(0x40000000, 4) + number(0x3f800000, 4) + '\1');
  CHECK(safetensors_bytes({}) == word(8) + "{}      ");
}

TEST_CASE("what is written is read again") {
  const Tensor base = arange(24).to(DType::float32);
  Dict dict{{"matrix", base.view({2, 3, 4})}, {"row", base.slice(0, 3, 7)},  {"scalar", scalar_tensor(1.5)},
            {"empty", zeros({0, 3})},         {"a/\"\\\n\u00e9", ones({1})}, {"", ones({2})}};
  for (const DType dtype :
       {DType::float64, DType::int64, DType::int32, DType::int16, DType::int8, DType::uint8, DType::bool_,
        DType::float16, DType::bfloat16, DType::uint16, DType::uint32, DType::uint64}) {
    dict.insert(std::string(to_string(dtype)), arange(3).to(dtype));
  }
  const std::string bytes = safetensors_bytes(dict, {{"key", "value"}});
  CHECK(load_bytes(bytes) == dict);
  CHECK(metadata_of(bytes) == Dict{{"key", "value"}});
  CHECK(metadata_of(safetensors_bytes(dict)).empty());
  const TempFile file("x.safetensors");
  save(dict, file);
  CHECK(read_file(file) == safetensors_bytes(dict));
  CHECK(load(file, {.mmap = true}) == dict);
}

TEST_CASE("floats of 8 bits are neither written nor read, and named") {
  CHECK(error_of<ValueError>([] {
          safetensors_bytes({{"w", ones({2}).to(DType::float8_e5m2)}});
        }) ==
        "save: stream: entry \"w\": expected a dtype that .safetensors files have here, got float8_e5m2; convert with "
        "to(DType::float16), or save the dictionary as .teff");
}

TEST_CASE("files are recognised whatever the length of their header") {  // 640 begins as a pickle does
  for (std::size_t length = 1; length < 1400; length += 8) {
    const std::string bytes = safetensors_bytes({{std::string(length, 'k'), tensor<float>({1})}});
    CAPTURE(bytes.size());
    CHECK(refusal(bytes) == "loaded");
  }
}

TEST_CASE("the order of a foreign header is kept, and data that are not aligned are copied") {
  const std::string json =
      R"({"b":{"dtype":"F32","shape":[1],"data_offsets":[1,5]}, "a":{"shape":[1],"data_offsets":[0,1],"dtype":"U8"}} )";
  const TempFile file("x.safetensors");
  write_file(file, word(json.size()) + json + '\7' + number(0x3f800000, 4));
  for (const bool mmap : {false, true}) {
    CHECK(same(load(file, {.mmap = mmap}), {{"b", ones({1})}, {"a", tensor<std::uint8_t>({7})}}));
  }
}

TEST_CASE("every rule of the header is enforced") {
  CHECK(refusal(file_with(one(R"("F32")", "[2]", "[0,8]"), 8)) == "loaded");
  check_refused(file_with(R"({"a":1})"), "expected '{', got '1'");
  check_refused(file_with(R"({"a":{"dtype":"F32","shape":[2]}})"),
                "tensor \"a\": expected dtype, shape and data_offsets");
  check_refused(file_with(R"({"a":{"dtype":"F32","dtype":"F32"}})"), "expected a field once, got it again");
  check_refused(file_with(R"({"a":{"strides":[1]}})"), "expected dtype, shape or data_offsets, got \"strides\"");
  check_refused(file_with(one(R"("F33")", "[2]", "[0,8]"), 8), "expected a dtype of the format, got \"F33\"");
  check_refused(file_with(one("1", "[2]", "[0,8]"), 8), "expected '\"', got '1'");
  check_refused(file_with(one(R"("F32")", "2", "[0,8]"), 8), "expected '[', got '2'");
  check_refused(file_with(one(R"("F32")", "[-2]", "[0,8]"), 8), "expected a whole number without sign");
  check_refused(file_with(one(R"("F32")", "[2.0]", "[0,8]"), 8), "expected a whole number");
  check_refused(file_with(one(R"("F32")", "[2]", "[0]"), 8), "expected two offsets, got fewer");
  check_refused(file_with(one(R"("F32")", "[2]", "[0,8,8]"), 8), "expected two offsets, got more");
  check_refused(file_with(one(R"("F32")", "[1,1,1,1,1,1,1,1,2]", "[0,8]"), 8), "expected at most 8 dimensions");
  check_refused(file_with(R"({"__metadata__":{"a":1}})"), "expected '\"', got '1'");
  check_refused(file_with(R"({"__metadata__":{"a":"1","a":"2"}})"), "expected a name once, got it again");
  check_refused(file_with(R"({"__metadata__":{},"__metadata__":{}})"),
                "expected a name once, got \"__metadata__\" again");
  check_refused(file_with(R"({} x)"), "expected the end, got 'x'");
  check_refused(file_with("{\"\xff\":{}}"), "expected text in UTF-8");
  const std::string twice = R"("a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]})";
  check_refused(file_with('{' + twice + ',' + twice + '}'), "expected a name once, got \"a\" again");
}

TEST_CASE("sizes and places must fit each other and the file") {
  const auto f32 = [](const std::string& shape, const std::string& offsets) { return one(R"("F32")", shape, offsets); };
  check_refused(file_with(f32("[3]", "[0,8]"), 8), "expected 12 bytes for F32 [3], got 8");
  check_refused(file_with(f32("[2]", "[0,8]"), 7), "expected 8 bytes of data, got 7: the file was cut off");
  check_refused(file_with(f32("[2]", "[0,8]"), 9), "got 9: something was appended");
  check_refused(file_with(f32("[2]", "[1,9]"), 9), "expected bytes from offset 0 of the data on, got 1 to 9");
  check_refused(file_with(f32("[2]", "[8,0]"), 8), "expected bytes from offset 0");
  check_refused(file_with(f32("[4294967296,4294967296]", "[0,8]"), 8), "tensor \"a\": ");
  check_refused(file_with(f32("[18446744073709551615]", "[0,8]"), 8), "expected a size below 2^63");
  check_refused(file_with(f32("[2]", "[0,18446744073709551615]"), 8), "expected 18446744073709551615 bytes of data");
  check_refused(file_with(f32("[1073741824]", "[0,4294967296]"), 8), "expected 4294967296 bytes of data, got 8");
  const auto two = [](const std::string& first, const std::string& second) {
    return R"({"a":{"dtype":"U8","shape":[4],"data_offsets":)" + first +
           R"(},"b":{"dtype":"U8","shape":[4],"data_offsets":)" + second + "}}";
  };
  CHECK(refusal(file_with(two("[4,8]", "[0,4]"), 8)) == "loaded");
  check_refused(file_with(two("[0,4]", "[0,4]"), 4), "expected bytes from offset 4 of the data on, got 0 to 4");
  check_refused(file_with(two("[0,4]", "[3,7]"), 7), "expected bytes from offset 4 of the data on, got 3 to 7");
  check_refused(file_with(two("[0,4]", "[5,9]"), 9), "expected bytes from offset 4 of the data on, got 5 to 9");
}

TEST_CASE("a header longer than the file or the limit is refused") {
  const auto load_all = [](std::string bytes) {
    return error_of<FormatError>([&] {
      serialize::open_safetensors(std::make_shared<serialize::MemorySource>(std::as_bytes(std::span(bytes))), {});
    });
  };
  CHECK(load_all("abc") == "expected 8 bytes, got 3");
  CHECK(load_all(word(100) + "{}") == "expected a header of at most 2 bytes, got 100: the file was cut off");
  check_refused(word(100) + "{\"a\"", "expected a header of at most 4 bytes, got 100: the file was cut off");
  CHECK(contains(load_all(word(std::uint64_t{1} << 63) + "{}"), "got 9223372036854775808"));
  CHECK(load_all(word(2) + " {}") == "expected '{' at offset 8, got another byte");
}

TEST_CASE("dtypes that Teff has not are refused by name, and the others listed") {
  const std::string json =
      R"({"a":{"dtype":"F8_E8M0","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":[4,8]}})";
  check_refused(file_with(json, 8),
                "expected tensors of dtypes that Teff loads, got \"a\" (F8_E8M0); the others are \"b\" (uint8 [4])");
  std::string bytes = safetensors_bytes({{"a", tensor<bool>({true})}});
  bytes.back() = '\2';
  check_refused(bytes, "tensor \"a\": expected bool values of 0 or 1, got others");
}

TEST_CASE("what the format has no place for is not written") {
  const auto refused = [](const Dict& dict, const Dict& metadata = {}) {
    return error_of<ValueError>([&] { safetensors_bytes(dict, metadata); });
  };
  CHECK(refused({{"epoch", 5}}) ==
        "save: stream: entry \"epoch\": expected a tensor, got an integer: .safetensors holds "
        "tensors by name and nothing else; save the dictionary as .teff or .pt");
  CHECK(contains(refused({{"model", Dict{{"w", ones({1})}}}}), "entry \"model\": expected a tensor, got a dict"));
  CHECK(contains(refused({{"a", Tensor()}}), "got an undefined one"));
  CHECK(contains(refused({{"__metadata__", ones({1})}}), "expected another name: this one is the metadata's"));
  CHECK(contains(refused({{"\xff", ones({1})}}), "expected text in UTF-8"));
  CHECK(contains(refused({}, {{"epoch", 5}}), "expected metadata of text, which is all that .safetensors takes"));
}

TEST_CASE("every truncation is refused, and everything appended") {
  const std::string bytes = safetensors_bytes({{"a", ones({3})}, {"b", tensor<std::int8_t>({1})}}, {{"k", "v"}});
  for (std::size_t size = 0; size < bytes.size(); ++size) CHECK(refusal(bytes.substr(0, size)) != "loaded");
  check_refused(bytes + '\0', "something was appended");
  check_refused(bytes + bytes, "something was appended");
}

TEST_CASE("a file of more than 4 GiB is read with 64 bits") {
  constexpr std::uint64_t kBytes = (std::uint64_t{1} << 32) + 8;
  const std::string end = std::to_string(kBytes);
  std::string json = R"({"a":{"dtype":"F32","shape":[)" + std::to_string(kBytes / 4) + R"(],"data_offsets":[0,)" + end +
                     R"(]},"b":{"dtype":"F32","shape":[1],"data_offsets":[)" + end + ',' + std::to_string(kBytes + 4) +
                     "]}}";
  json.resize((json.size() + 7) / 8 * 8, ' ');  // or the data would not be aligned, and be copied
  const TempFile file("large.safetensors");
  const std::string header = word(json.size()) + json;
  const std::uint64_t data = header.size();
  write_file(file, header);
  std::filesystem::resize_file(file.path(), data + kBytes + 4);
  std::fstream stream(file.path(), std::ios::in | std::ios::out | std::ios::binary);
  REQUIRE(stream.seekp(static_cast<std::streamoff>(data + kBytes)).write("\0\0\x80\x3f", 4).flush());
  const Dict dict = load(file, {.mmap = true});
  CHECK(dict.at("a").as_tensor().numel() == static_cast<std::int64_t>(kBytes / 4));
  CHECK(dict.at("a").as_tensor().data<float>()[kBytes / 4 - 1] == 0);
  CHECK(dict.at("b") == Value(ones({1})));
}

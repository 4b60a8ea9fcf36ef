// SPDX-License-Identifier: MIT
#include <algorithm>
#include <sstream>

#include "serialize/file_fixture.h"
#include "serialize/torch/zip_fixture.h"
#include "support/temp_file.h"
#include "teff/serialize/file.h"
#include "teff/teff.h"

using namespace teff;
using namespace teff::testing;

namespace {

using namespace std::string_literals;

/// A file of version 1.0 with this header and these elements.
std::string npy(const std::string& header, const std::string& elements = {}, const std::string& version = "\1\0"s) {
  return "\x93NUMPY" + version + number(header.size(), version[0] == '\1' ? 2 : 4) + header + elements;
}

std::string npy_of(const std::string& descr, const std::string& shape, const std::string& elements,
                   const std::string& fortran = "False") {
  return npy("{'descr': '" + descr + "', 'fortran_order': " + fortran + ", 'shape': " + shape + ", }\n", elements);
}

Tensor read_npy(const std::string& bytes, const LoadOptions& options = {}) {
  return load_bytes(bytes, options).at("").as_tensor();
}

std::string saved_as(FileFormat format, const Dict& dict) {
  std::ostringstream stream;
  save(dict, stream, {.format = format});
  return stream.str();
}

void check_npy_refused(const std::string& bytes, const std::string& part) {
  const std::string error = refusal(bytes);
  CAPTURE(part);
  CHECK_MESSAGE(contains(error, part), error);
}

std::string not_saved(FileFormat format, const Dict& dict, const Dict& metadata = {}) {
  std::ostringstream stream;
  return error_of<ValueError>([&] { save(dict, stream, {.format = format, .metadata = metadata}); });
}

}  // namespace

TEST_CASE("an array of numpy.save is one tensor without a name") {
  const std::string two = number(0x3f800000, 4) + number(0x40000000, 4);
  CHECK(same(load_bytes(npy_of("<f4", "(2,)", two)), {{"", tensor({1.f, 2.f})}}));
  CHECK(Value(read_npy(npy_of("<f4", "(2, 1)", two))) == Value(tensor({1.f, 2.f}).view({2, 1})));
  CHECK(Value(read_npy(npy_of("<f4", "()", two.substr(0, 4)))) == Value(scalar_tensor(1.f)));
  CHECK(Value(read_npy(npy_of("<f4", "(0, 3)", ""))) == Value(zeros({0, 3})));
}

TEST_CASE("every dtype that has a place is read, in both orders of bytes") {
  const auto check = [](const std::string& name, const Tensor& expected) {
    const std::size_t size = size_of(expected.dtype());
    std::string little(static_cast<const char*>(expected.raw_data()), expected.nbytes()), big;
    for (std::size_t i = 0; i < little.size(); i += size) {
      std::string element = little.substr(i, size);
      std::reverse(element.begin(), element.end());
      big += element;
    }
    CAPTURE(name);
    CHECK(Value(read_npy(npy_of((size == 1 ? '|' : '<') + name, "(3,)", little))) == Value(expected));
    CHECK(Value(read_npy(npy_of('>' + name, "(3,)", big))) == Value(expected));
    CHECK(Value(read_npy(npy_of('=' + name, "(3,)", little))) == Value(expected));
  };
  const Tensor numbers = tensor<double>({1.5, 2, 200});
  for (const auto& [name, dtype] : {std::pair("f2", DType::float16),
                                    {"f4", DType::float32},
                                    {"f8", DType::float64},
                                    {"i1", DType::int8},
                                    {"i2", DType::int16},
                                    {"i4", DType::int32},
                                    {"i8", DType::int64},
                                    {"u1", DType::uint8},
                                    {"u2", DType::uint16},
                                    {"u4", DType::uint32},
                                    {"u8", DType::uint64},
                                    {"b1", DType::bool_}}) {
    check(name, numbers.to(dtype));
  }
}

TEST_CASE("arrays in the order of Fortran are laid out anew") {
  std::string elements;
  for (int i = 0; i < 24; ++i) elements += number(static_cast<std::uint64_t>(i), 2);
  const Tensor array = read_npy(npy_of("<i2", "(2, 3, 4)", elements, "True"));
  CHECK(array.shape() == Shape{2, 3, 4});
  CHECK(Value(array.to(DType::float32)) == Value(arange(24).to(DType::float32).view({4, 3, 2}).transpose(0, 2)));
  CHECK(Value(read_npy(npy_of("<i2", "(24,)", elements, "True"))) == Value(arange(24).to(DType::int16)));
}

TEST_CASE("headers of all versions, and as others write them, are read and not evaluated") {
  const std::string byte(1, '\7');
  const Value seven(tensor<std::uint8_t>({7}));
  const std::string header = "{'descr': '|u1', 'fortran_order': False, 'shape': (1,), }";
  CHECK(Value(read_npy(npy(header, byte))) == seven);
  CHECK(Value(read_npy(npy(header, byte, "\2\0"s))) == seven);
  CHECK(Value(read_npy(npy(header, byte, "\3\0"s))) == seven);
  CHECK(Value(read_npy(npy("{\"shape\":(1L,),\"fortran_order\":False,\"descr\":\"|u1\"}   \n", byte))) == seven);
  check_npy_refused(npy(header, byte, "\4\0"s), "expected version 1.0, 2.0 or 3.0, got 4.0");
  check_npy_refused(npy("{'descr': '|u1', 'fortran_order': False}", byte),
                    "expected descr, fortran_order and shape, got fewer");
  check_npy_refused(npy("{'descr': '|u1', 'descr': '|u1'}", byte), "expected a key once, got it again");
  check_npy_refused(npy("{'descr': '|u1', 'fortran_order': 0, 'shape': (1,)}", byte), "expected True or False");
  check_npy_refused(npy("{'descr': '|u1', 'fortran_order': False, 'shape': (1)}", byte),
                    "expected , at character 52, got \")}\"");
  check_npy_refused(npy("{'descr': '|u1', 'fortran_order': False, 'shape': (-1,)}", byte),
                    "expected a size at character");
  check_npy_refused(npy("{'descr': '|u1', 'fortran_order': False, 'shape': (1*1,)}", byte),
                    "expected , at character 52, got");
  check_npy_refused(npy("{'descr': __import__('os'), 'shape': (1,)}", byte),
                    "expected text at character 10, got \"__import__(");
  check_npy_refused(npy(header + " x", byte), "expected the end at character");
  check_npy_refused(npy("{'a': 1}", byte), "expected descr, fortran_order or shape, got \"a\"");
  check_npy_refused(npy_of("|u1", "(1, 1, 1, 1, 1, 1, 1, 1, 1)", byte), "expected at most 8 dimensions, got more");
  check_npy_refused(npy_of("<f4", "(4294967296, 4294967296)", byte), "expected at most 2^59 elements");
  check_npy_refused("\x93NUMPY\1\0\xff\xff"s + "{}", "expected at most 2 bytes, got 65535");
  check_npy_refused("\x93NUMPY\1\0"s, "expected at least 12 bytes, got 8");
}

TEST_CASE("an array has the elements that its shape says, to the end of the file") {
  check_npy_refused(npy_of("<f4", "(2,)", "1234567"), "expected 8 bytes for <f4 [2], got 7: the file was cut off");
  check_npy_refused(npy_of("<f4", "(2,)", "123456789"), "expected 8 bytes for <f4 [2], got 9: something was appended");
  check_npy_refused(npy_of("<f8", "(1000000000000,)", ""),
                    "expected 8000000000000 bytes for <f8 [1000000000000], got 0");
  check_npy_refused(npy_of("|b1", "(2,)", "\1\2"), "expected bool values of 0 or 1, got others");
}

TEST_CASE("arrays that have no place are named by what they are") {
  const auto kind = [](const std::string& bytes) {
    const std::string error = error_of<UnsupportedError>([&] { load_bytes(bytes); });
    const std::string expected = "load: memory: expected tensors of dtypes that Teff loads, got ";
    const std::string advice = ". LoadOptions{.skip_unsupported = true} leaves them out";
    REQUIRE(error.starts_with(expected));
    REQUIRE(error.ends_with(advice));
    return error.substr(expected.size(), error.size() - expected.size() - advice.size());
  };
  CHECK(kind(npy_of("<c16", "(1,)", std::string(16, '\0'))) == R"(complex, <c16; there are no others)");
  CHECK(kind(npy_of("<U5", "(1,)", std::string(20, '\0'))) == R"(text, <U5; there are no others)");
  CHECK(kind(npy_of("|O", "(1,)", "\x80\4.")) == R"(Python objects, |O; there are no others)");
  CHECK(kind(npy_of("|V2", "(1,)", "ab")) == R"(raw bytes, |V2; there are no others)");
  CHECK(kind(npy_of("<M8[D]", "(1,)", "ab")) == R"(dates, <M8[D]; there are no others)");
  CHECK(kind(npy("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,), }", "12345678")) ==
        R"(records of several fields, [...]; there are no others)");
  CHECK(
      kind(zip_of({{"a.npy", npy_of("<c8", "(1,)", "12345678")}, {"b.npy", npy_of("|u1", "(1,)", "1")}, {"c", "x"}})) ==
      R"("c" (no array), "a" (complex, <c8); the others are "b" (uint8 [1]))");
}

TEST_CASE("an array that has no place does not hide the others") {
  const std::string bytes = zip_of({{"a.npy", npy_of("<c8", "(1,)", "12345678")},
                                    {"b.npy", npy_of("|u1", "(1,)", "\7")},
                                    {"x/c.npy", npy_of("|O", "(1,)", "\x80\4.")}});
  const Dict expected{{"b", tensor<std::uint8_t>({7})}};
  CHECK(same(load_bytes(bytes, {.skip_unsupported = true}), expected));
  CHECK(same(load_bytes(bytes, {.skip = {"a", "x\\/c"}}), expected));
  CHECK(contains(error_of<UnsupportedError>([&] { load_bytes(bytes, {.skip = {"a"}}); }),
                 "got \"x/c\" (Python objects, |O); the others are \"b\" (uint8 [1])"));
  const File file(std::as_bytes(std::span(bytes)));
  REQUIRE(file.unsupported().size() == 2);
  CHECK(file.unsupported()[0].path == "a");
  CHECK(file.unsupported()[0].what == "complex, <c8");
  CHECK(file.entries().size() == 1);
}

TEST_CASE("arrays of numpy.savez are tensors by their names") {
  const std::string a = npy_of("|u1", "(2,)", "\1\2"), b = npy_of("<i2", "()", "\3\0"s);
  const Dict expected{{"a", tensor<std::uint8_t>({1, 2})}, {"x/b", scalar_tensor<std::int16_t>(3)}};
  const std::string bytes = zip_of({{"a.npy", a}, {"x/b.npy", b}});
  const TempFile path("x.npz");
  write_file(path, bytes);
  CHECK(same(load(path), expected));
  CHECK(same(load(path, {.mmap = true}), expected));
  CHECK(File(path).verify().empty());
  std::string damaged = bytes;
  damaged[damaged.find("\1\2")] = 5;
  CHECK(contains(refusal(damaged), "zip: entry \"a.npy\" at offset 35: damaged: expected CRC-32"));
  CHECK(
      same(load_bytes(damaged, {.verify = false}), {{"a", tensor<std::uint8_t>({5, 2})}, {"x/b", expected.at("x/b")}}));
  CHECK(contains(refusal(zip_of({{"a.npy", "no array here"}})), "array \"a\": NumPy's header: expected \\x93NUMPY"));
}

TEST_CASE("what is written is read again, and by its extension") {
  const Tensor base = arange(24).to(DType::float32);
  Dict dict{{"matrix", base.view({2, 3, 4})}, {"row", base.slice(0, 3, 7)}, {"scalar", scalar_tensor(1.5)},
            {"empty", zeros({0, 3})},         {"a/\xc3\xa9", ones({1})},    {"large", ones({100'000})}};
  for (const DType dtype : {DType::float64, DType::int64, DType::int32, DType::int16, DType::int8, DType::uint8,
                            DType::bool_, DType::float16, DType::uint16, DType::uint32, DType::uint64}) {
    dict.insert(std::string(to_string(dtype)), arange(3).to(dtype));
  }
  const std::string bytes = saved_as(FileFormat::npz, dict);
  CHECK(same(load_bytes(bytes), dict));
  CHECK(saved_as(FileFormat::npz, dict) == bytes);
  const TempFolder folder;
  save(dict, folder / "a.npz");
  CHECK(read_file(folder / "a.npz") == bytes);
  CHECK(same(load(folder / "a.npz", {.mmap = true}), dict));
  CHECK(File(folder / "a.npz").format() == FileFormat::npz);
  for (const auto& item : dict) {
    const Value& value = item.value;
    CAPTURE(item.key);
    save({{"", value}}, folder / "a.npy");
    CHECK(same(load(folder / "a.npy"), {{"", value}}));
    CHECK(same(load(folder / "a.npy", {.mmap = true}), {{"", value}}));
  }
  CHECK(saved_as(FileFormat::npy, {{"", tensor<std::uint8_t>({7, 8})}}) ==
        "\x93NUMPY\1\0v\0{'descr': '|u1', 'fortran_order': False, 'shape': (2,), }"s + std::string(60, ' ') + "\n\7\b");
}

TEST_CASE("what NumPy's files have no place for is refused before anything is written") {
  CHECK(
      not_saved(FileFormat::npz, {{"a", 1}}) ==
      "save: stream: entry \"a\": expected a tensor, got an integer: NumPy's files hold arrays and nothing else; save "
      "the dictionary as .teff or .pt");
  CHECK(contains(not_saved(FileFormat::npz, {{"a", ones({1}).to(DType::bfloat16)}}),
                 "entry \"a\": expected a dtype that NumPy has, got bfloat16: convert it to float32"));
  for (const char* name : {"../a", "/a", "a\\b", "a//b"}) {
    CHECK(contains(not_saved(FileFormat::npz, {{name, ones({1})}}), "expected a name that a file in a zip may have"));
  }
  CHECK(contains(not_saved(FileFormat::npz, {}), "expected a tensor for .npz, got an empty dictionary"));
  CHECK(contains(not_saved(FileFormat::npy, {{"a", ones({1})}}),
                 "expected one tensor, under the name \"\", for .npy, got 1 entry under another name"));
  CHECK(contains(not_saved(FileFormat::npy, {{"", ones({1})}}, {{"x", "y"}}), "have no place"));
}

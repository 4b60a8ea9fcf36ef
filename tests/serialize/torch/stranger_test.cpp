// SPDX-License-Identifier: MIT

// What people save beside tensors. The files are PyTorch 1.13's and numpy's: tests/golden/torch/make_stranger_files.py.

#include <limits>
#include <sstream>

#include "serialize/torch/golden_fixture.h"
#include "serialize/torch/zip_fixture.h"
#include "support/temp_file.h"
#include "teff/teff.h"

using namespace teff;
using namespace teff::testing;

namespace {

/// The zip of protocols 2 and 5, the old chain of pickles of protocols 1 and 4.
std::vector<std::string> all_of(const std::string& name) {
  return {torch_golden(name + ".pt"), torch_golden(name + "5.pt"), torch_golden(name + "_legacy1.pt"),
          torch_golden(name + "_legacy4.pt")};
}

Bytes some_bytes(std::initializer_list<int> values) {
  Bytes all;
  for (const int value : values) all.push_back(static_cast<std::byte>(value));
  return all;
}

std::string not_supported(const std::string& path, const LoadOptions& options = {}) {
  return error_of<UnsupportedError>([&] { load(path, options); });
}

/// {"v": what the pickle is}
Value value_in_file(const std::string& pickle) {
  return load_bytes(pt_of(kProto + dict(text("v") + pickle) + '.')).at("v");
}

std::string refusal_of_value(const std::string& pickle) {
  return refusal(pt_of(kProto + dict(text("v") + pickle) + '.'));
}

/// numpy.dtype(code, False, True) with the state (3, order, ...).
std::string numpy_type(const std::string& code, const std::string& order = "<") {
  return global("numpy", "dtype") + text(code) + "\x89\x88\x87R" + tuple("K\x03" + text(order) + "NNN") + "b";
}

std::string short_bytes(const std::string& bytes) { return 'C' + number(bytes.size(), 1) + bytes; }

std::string numpy_scalar(const std::string& code, const std::string& value, const std::string& order = "<") {
  return global("numpy.core.multiarray", "scalar") + numpy_type(code, order) + short_bytes(value) + "\x86R";
}

/// An array of sizes (2, 3) unless others are given.
std::string numpy_array(const std::string& type, const std::string& value, const std::string& sizes = "K\x02K\x03\x86",
                        const std::string& fortran = "\x89", const std::string& core = "numpy.core") {
  return global(core + ".multiarray", "_reconstruct") + global("numpy", "ndarray") + std::string("K\0\x85", 3) +
         short_bytes("b") + "\x87R" + tuple("K\x01" + sizes + type + fortran + short_bytes(value)) + "b";
}

}  // namespace

TEST_CASE("arrays of numpy are tensors: every dtype, both orders of elements and of bytes") {
  for (const std::string& path : all_of("content")) {
    CAPTURE(path);
    const Dict loaded = load(path);
    const Dict& arrays = loaded.at("arrays").as_dict();
    const Shape shape{2, 3};
    CHECK(arrays.at("f2") == Value(counted(0, shape, DType::float16)));
    CHECK(arrays.at("f4") == Value(counted(0, shape)));
    CHECK(arrays.at("f8") == Value(counted(0, shape, DType::float64)));
    CHECK(arrays.at("i1") == Value(counted(0, shape, DType::int8)));
    CHECK(arrays.at("i2") == Value(counted(0, shape, DType::int16)));
    CHECK(arrays.at("i4") == Value(counted(0, shape, DType::int32)));
    CHECK(arrays.at("i8") == Value(counted(0, shape, DType::int64)));
    CHECK(arrays.at("u1") == Value(counted(0, shape, DType::uint8)));
    CHECK(arrays.at("u2") == Value(counted(0, shape, DType::int32)));
    CHECK(arrays.at("u4") == Value(counted(0, shape, DType::int64)));
    CHECK(arrays.at("?") == Value(tensor<bool>({false, true, true, true, true, true}, {2, 3})));
    CHECK(arrays.at("fortran") == Value(counted(0, shape)));
    CHECK(arrays.at("big") == Value(counted(0, shape, DType::int32)));
    CHECK(arrays.at("scalar") == Value(scalar_tensor<double>(2.5)));
    CHECK(arrays.at("empty") == Value(zeros({0, 4})));
  }
}

TEST_CASE("scalars of numpy are numbers, bools, text and bytes") {
  for (const std::string& path : all_of("content")) {
    CAPTURE(path);
    CHECK(load(path).at("scalars") == Value(List{0.5, 0.25, -1.5, -12, -3, 200, "18446744073709551615", true,
                                                 "caf\u00e9", some_bytes({'a', 'b'})}));
  }
}

TEST_CASE("Python's containers, bytes and namespaces load, and keys that are numbers") {
  for (const std::string& path : all_of("content")) {
    CAPTURE(path);
    const Dict loaded = load(path);
    const Tensor weight = counted(0, {3});
    CHECK(loaded.at("history") == Value(Dict{{"loss", List{0.5}}}));
    CHECK(loaded.at("counter") == Value(Dict{{"a", 2}, {"b", 1}}));
    CHECK(loaded.at("deque") == Value(List{1, weight}));
    CHECK(loaded.at("set") == Value(List{7}));
    CHECK(loaded.at("frozenset") == Value(List{8}));
    CHECK(loaded.at("bytes") == Value(some_bytes({0, 255})));
    CHECK(loaded.at("no_bytes") == Value(Bytes{}));
    CHECK(loaded.at("bytearray") == Value(some_bytes({1, 254})));
    CHECK(loaded.at("namespace") == Value(Dict{{"lr", 0.1}, {"inner", Dict{{"a", Value()}}}}));
    CHECK(loaded.at("size") == Value(List{2, 3}));
    CHECK(loaded.at("dtype") == Value("torch.float16"));
    CHECK(loaded.at("device") == Value("cuda:1"));
    CHECK(loaded.at("parameter") == Value(counted(0, {2})));
    CHECK(loaded.at("subclass") == Value(weight));
    CHECK(loaded.at("keys") == Value(Dict{{"1.5", "a"}, {"True", "b"}, {"None", "c"}, {"7", "d"}, {"9", "e"}}));
    CHECK(loaded.at("same") == Value(Dict{{"1", "a"}, {"'1'", "b"}}));
    CHECK(loaded.at("large") ==
          Value(List{"18446744073709551615", "-1180591620717411303424", std::numeric_limits<std::int64_t>::max(),
                     std::numeric_limits<std::int64_t>::min()}));
    CHECK(loaded.at("weight").as_tensor().shares_memory_with(loaded.at("subclass").as_tensor()));
  }
}

TEST_CASE("arrays of numpy that are put together by hand: both spellings, a buffer, and what is wrong") {
  const std::string six = "\1\2\3\4\5\6";
  const Tensor expected = (counted(0, {2, 3}) + ones({2, 3})).to(DType::uint8);
  CHECK(value_in_file(numpy_array(numpy_type("u1"), six)) == Value(expected));
  CHECK(value_in_file(numpy_array(numpy_type("u1"), six, "K\x02K\x03\x86", "\x89", "numpy._core")) == Value(expected));
  CHECK(value_in_file(numpy_array(numpy_type("u1"), six, "K\x02K\x03\x86", "\x88")) ==
        Value(tensor<std::uint8_t>({1, 3, 5, 2, 4, 6}, {2, 3})));
  CHECK(value_in_file(global("numpy._core.numeric", "_frombuffer") +
                      tuple(short_bytes(six) + numpy_type("u1") + "K\x02K\x03\x86" + text("C")) + 'R') ==
        Value(expected));
  CHECK(value_in_file(numpy_scalar("i2", "\1\2", ">")) == Value(258));
  CHECK(value_in_file(numpy_scalar("<i2", "\1\2", "|")) == Value(513));
  CHECK(contains(refusal_of_value(numpy_array(numpy_type("u1"), "\1\2")),
                 "entry \"v\": expected 6 elements of 1 bytes of an array, got 2 bytes"));
  CHECK(contains(refusal_of_value(numpy_array(numpy_type("b1"), six)), "expected bool values of 0 or 1, got others"));
  CHECK(contains(refusal_of_value(numpy_array(numpy_type("f4"), six)), "expected 6 elements of 4 bytes"));
  CHECK(contains(refusal_of_value(numpy_array("N", six)), "expected sizes, dtype and elements of an array of numpy"));
  CHECK(contains(refusal_of_value(numpy_array(numpy_type("i1"), "", "J\xff\xff\xff\x7fJ\xff\xff\xff\x7f\x86")),
                 "entry \"v\": "));
  CHECK(contains(refusal_of_value(numpy_scalar("i4", "\1")), "expected 4 bytes of numpy's type i4, got 1"));
  CHECK(contains(refusal_of_value(numpy_array(numpy_type("c8"), six)), "\"v\" (an array of numpy's type c8)"));
  CHECK(contains(refusal_of_value(numpy_scalar("M8", std::string(8, '\0'))), "\"v\" (a number of numpy's type M8)"));
}

TEST_CASE("integers of any length up to 2048 bits are digits") {
  const std::string power = "\x8a\x09" + std::string(8, '\0') + '\1';
  CHECK(value_in_file(power) == Value("18446744073709551616"));
  CHECK(value_in_file("\x8b" + number(9, 4) + std::string(8, '\0') + '\xff') == Value("-18446744073709551616"));
  CHECK(value_in_file("L18446744073709551616L\n") == Value("18446744073709551616"));
  CHECK(value_in_file("I-5\n") == Value(-5));
  CHECK(value_in_file("I01\n") == Value(true));
  CHECK(contains(refusal_of_value("\x8b" + number(300, 4) + std::string(300, '\1')),
                 "\"v\" (an integer of more than 2048 bits)"));
  CHECK(contains(refusal_of_value("Ix\n"), "INT at offset"));
}

TEST_CASE("objects of unknown classes are refused by place and class, with advice") {
  for (const std::string& path : all_of("objects")) {
    CAPTURE(path);
    const std::string error = not_supported(path);
    CHECK(contains(error, "expected tensors, arrays, numbers, text, and lists, tuples, dicts, sets and frozensets of "
                          "them, got \"node\" (__main__.Node), \"config\" (__main__.Config), "));
    CHECK(contains(error, ", of which nothing was run; the others are "));
    CHECK(contains(error, ". LoadOptions{.skip_unsupported = true} leaves them out, LoadOptions{.inert_objects = true} "
                          "reads the attributes of objects without their classes"));
    const Dict rest = load(path, {.skip_unsupported = true});
    CHECK(same(
        rest,
        {{"class_keys", Dict{}}, {"tuple_keys", Dict{}}, {"ring", List{1, Value()}}, {"weight", counted(0, {3})}}));
  }
}

TEST_CASE("with inert_objects nothing of an object is lost") {
  for (const std::string& path : all_of("objects")) {
    CAPTURE(path);
    const Dict loaded = load(path, {.inert_objects = true});
    const Tensor weight = counted(0, {3});
    CHECK(loaded.at("node") == Value(Dict{{"a", 1}, {"w", weight}}));
    CHECK(loaded.at("config") == Value(Dict{{"lr", 0.1}, {"inner", Dict{{"n", 3}}}}));
    CHECK(loaded.at("with_state") == Value(Dict{{"a", 1}, {"__state__", Dict{{"extra", 2}}}}));
    CHECK(loaded.at("names") == Value(List{"cat", weight}));
    CHECK(loaded.at("pair") == Value(List{weight, 2}));
    CHECK(loaded.at("color") == Value(List{"__main__.Color", "red"}));
    CHECK(loaded.at("time") == Value(List{1, 2, 0}));
    CHECK(loaded.at("path") == Value(List{"runs", "a"}));
    CHECK(loaded.at("complex") == Value(List{1.0, 2.0}));
    CHECK(loaded.at("range") == Value(List{0, 3, 1}));
    CHECK(loaded.at("class") == Value("__main__.Node"));
    CHECK(loaded.at("function") == Value("torch.nn.functional.relu"));
    CHECK(loaded.at("class_keys") == Value(Dict{{"__main__.Node", 1}}));
    CHECK(loaded.at("tuple_keys") == Value(Dict{{"(1, 'a')", 2}}));
    CHECK(loaded.at("parent") ==
          Value(Dict{{"name", "parent"}, {"child", Dict{{"parent", "<__main__.Node that contains this>"}}}}));
    CHECK(loaded.at("ring") == Value(List{1, "<a list that contains this>"}));
    CHECK(loaded.at("weight") == Value(weight));
  }
}

TEST_CASE("one entry that cannot be represented does not hide the others") {
  const std::string path = torch_golden("unsupported.pt");
  CHECK(contains(not_supported(path),
                 "got \"phase\" (ComplexFloatStorage), \"coo\" (sparse), \"csr\" (sparse), \"quantised\" (quantised), "
                 "\"meta\" (a meta tensor, which has no elements), \"deep\" (of 9 dimensions, which may be 8 at most), "
                 "\"list[1]\" (a complex number), \"text\" (an array of numpy's type U1), of which nothing was run; "
                 "the others are \"weight\" (float32 [3]), \"bias\" (float32 [3])"));
  const Dict rest = load(path, {.skip_unsupported = true});
  CHECK(same(rest, {{"weight", counted(0, {3})}, {"list", List{1, Value()}}, {"bias", counted(0, {3})}}));
  const File file(path);
  REQUIRE(file.unsupported().size() == 8);
  CHECK(file.unsupported()[6].path == "list[1]");
  CHECK(file.unsupported()[6].what == "a complex number");
  CHECK(file.entries().size() == 2);
  CHECK(file.verify().empty());
  CHECK(contains(error_of<UnsupportedError>([&] { file.read_all(); }), "File::read_all: " + path + ": expected"));
  CHECK(same(File(path, {.skip_unsupported = true}).read_all(), rest));
}

TEST_CASE("entries are left out by name, and not looked into") {
  const std::string path = torch_golden("unsupported.pt");
  LoadOptions options{.skip = {"phase", "coo", "csr", "quantised", "meta", "deep", "list", "text"}};
  CHECK(same(load(path, options), {{"weight", counted(0, {3})}, {"bias", counted(0, {3})}}));
  options.skip[6] = "list[1]";
  CHECK(load(path, options).at("list") == Value(List{1, Value()}));
  options.skip = {"phase"};
  CHECK(contains(not_supported(path, options), "got \"coo\" (sparse)"));
  options.skip = {"phases"};
  CHECK(error_of<FormatError>([&] { load(path, options); }) ==
        "load: " + path + ": expected the entries to skip among those of the file, got \"phases\"");
  // A list that would unfold without end.
  std::string bomb = "]q\x01";
  for (int i = 1; i < 40; ++i) {
    const std::string id(1, static_cast<char>(i)), next(1, static_cast<char>(i + 1));
    bomb += "](h" + id + "h" + id + "eq" + next;
  }
  const std::string file = pt_of(kProto + dict(text("b") + "(" + bomb + "t" + text("a") + tensor_pickle()) + '.');
  CHECK(contains(refusal(file), "unfolds to much more"));
  CHECK(same(load_bytes(file, {.skip = {"b"}}), {{"a", tensor<float>({1, 2})}}));
}

TEST_CASE("entries of other formats are left out by name, too") {
  const std::string header = R"({"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},)"
                             R"("x":{"dtype":"C64","shape":[1],"data_offsets":[4,12]}})";
  const std::string file = word(header.size()) + header + number(0x3f800000, 4) + word(0);
  CHECK(contains(refusal(file), "got \"x\" (C64); the others are \"w\" (float32 [1])"));
  CHECK(same(load_bytes(file, {.skip_unsupported = true}), {{"w", ones({1})}}));
  CHECK(same(load_bytes(file, {.skip = {"x"}}), {{"w", ones({1})}}));
  CHECK(contains(error_of<FormatError>([&] { load_bytes(file, {.skip = {"x", "y"}}); }), "got \"y\""));
  std::ostringstream teff;
  save({{"a", 1}, {"b", List{1, Dict{{"c", 2}}}}}, teff);
  CHECK(same(load_bytes(teff.str(), {.skip = {"b[1]/c"}}), {{"a", 1}, {"b", List{1, Dict{}}}}));
  CHECK(same(load_bytes(teff.str(), {.skip = {"b[0]"}}), {{"a", 1}, {"b", List{Value(), Dict{{"c", 2}}}}}));
}

TEST_CASE("storages as values that are views have their own elements") {
  const auto storage = [](const std::string& view) {
    return tuple(text("storage") + global("torch", "FloatStorage") + text("0") + text("cpu") + "K\x02" + view) + 'Q';
  };
  std::string file;
  const std::string magic("\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19", 12);
  const std::string object = "](" + storage("N") + storage(text("v") + "K\x01K\x01\x87") + "e";
  for (const std::string& pickle :
       {magic, std::string("M\xe9\x03"), dict(text("little_endian") + "\x88"), object, "]" + text("0") + "a"}) {
    file += kProto + pickle + '.';
  }
  file += word(2) + number(0x3f800000, 4) + number(0x40000000, 4);
  CHECK(same(load_bytes(file), {{"", List{tensor<float>({1, 2}), tensor<float>({2})}}}));
}

TEST_CASE("files of big-endian machines are read, of both containers") {
  const std::string pickle = kProto + dict(text("a") + tensor_pickle()) + '.';
  const std::string big("\x3f\x80\0\0\x40\0\0\0", 8);
  const std::string zip =
      zip_of({{"x/data.pkl", pickle}, {"x/byteorder", "big"}, {"x/data/0", big}, {"x/version", "3"}});
  CHECK(same(load_bytes(zip), {{"a", tensor<float>({1, 2})}}));
  const TempFile file("big.pt");
  write_file(file, zip);
  CHECK(same(load(file, {.mmap = true}), {{"a", tensor<float>({1, 2})}}));
}

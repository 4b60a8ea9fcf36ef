// SPDX-License-Identifier: MIT

// The chain of pickles that PyTorch wrote before 1.6, put together by hand. torch_file_test.cpp has files of PyTorch.

#include "serialize/torch/zip_fixture.h"

using namespace teff;
using namespace teff::testing;

namespace {

struct LegacyPart {
  std::string magic = std::string("\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19", 12);
  std::string version = "M\xe9\x03";
  std::string machine = dict(text("little_endian") + "\x88");
  std::string object = dict(text("a") + tensor_pickle());
  std::string keys = "]" + text("0") + "a";
  std::string data = word(2) + number(0x3f800000, 4) + number(0x40000000, 4);
};

std::string legacy_of(const LegacyPart& part) {
  std::string file;
  for (const std::string& pickle : {part.magic, part.version, part.machine, part.object, part.keys}) {
    file += kProto + pickle + '.';
  }
  return file + part.data;
}

void check_legacy_refused(const LegacyPart& part, const std::string& expected) {
  const std::string error = refusal(legacy_of(part));
  CAPTURE(expected);
  CHECK_MESSAGE(contains(error, expected), error);
}

void check_refused_cut(const std::string& bytes, const std::string& expected) {
  const std::string error = refusal(bytes);
  CHECK_MESSAGE(contains(error, expected), error);
}

/// A tensor whose storage is a view of another one: elements [1, 2) of two.
std::string view_pickle(const std::string& view) {
  std::string pickle = tensor_pickle({.sizes = "K\x01\x85"});
  const std::string end = "K\x02tQ";
  return pickle.replace(pickle.find(end), end.size(), "K\x02" + view + "tQ");
}

}  // namespace

TEST_CASE("the file that the tests below vary is good") {
  CHECK(same(load_bytes(legacy_of({})), {{"a", tensor<float>({1, 2})}}));
}

TEST_CASE("a head that is not PyTorch's is refused") {
  check_legacy_refused({.magic = "K\x01"}, "got a pickle that torch.save did not write, of which nothing was run");
  check_legacy_refused({.magic = std::string("\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x18", 12)},
                       "got a pickle that torch.save did not write");
  check_legacy_refused({.version = "M\xea\x03"}, "expected protocol version 1001");
  check_legacy_refused({.machine = "}"}, "expected the order of bytes of the machine that wrote the file");
  check_legacy_refused({.machine = "N"}, "expected the order of bytes of the machine that wrote the file");
}

TEST_CASE("elements of a big-endian machine are turned round, their number is not") {
  const LegacyPart part{.machine = dict(text("little_endian") + "\x89"),
                        .data = word(2) + std::string("\x3f\x80\0\0\x40\0\0\0", 8)};
  CHECK(same(load_bytes(legacy_of(part)), {{"a", tensor<float>({1, 2})}}));
}

TEST_CASE("a file that ends with its third pickle is cut off") {
  const std::string whole = legacy_of({.object = "", .keys = "", .data = ""});
  check_refused_cut(whole.substr(0, whole.size() - 6),
                    "pickle: it is cut off: expected its end, got that of the bytes at offset");
}

TEST_CASE("the storages must be those that the tensors have, whole, up to the end of the file") {
  check_legacy_refused({.keys = "N"}, "expected a list of storages");
  check_legacy_refused({.keys = "]"}, "expected the end of the file at offset");
  check_legacy_refused({.keys = "]", .data = ""}, "storage: \"0\": expected its bytes in the file, got none");
  check_legacy_refused({.keys = "]" + text("1") + "a"}, "expected the key of a storage, got one that no tensor has");
  check_legacy_refused({.keys = "]K\x01"
                                "a"},
                       "expected the key of a storage");
  check_legacy_refused({.keys = "](" + text("0") + text("0") + "e", .data = LegacyPart().data + LegacyPart().data},
                       "it is listed twice");
  check_legacy_refused({.data = "abc"}, "expected its length, got the end");
  check_legacy_refused({.data = word(3) + std::string(12, '\0')},
                       "expected 2 elements before the end of the file, got 3");
  check_legacy_refused({.data = word(2) + std::string(7, '\0')}, "got 2, and 7 bytes");
  check_legacy_refused({.data = word(2) + std::string(9, '\0')}, "got 1 bytes more");
  check_legacy_refused({.data = word(~std::uint64_t{0}) + std::string(8, '\0')}, "got -1");
  check_legacy_refused({.object = dict(text("a") + tensor_pickle({.type = "NoStorage"}))},
                       "expected a type that Teff knows, got NoStorage");
  check_legacy_refused({.object = dict(text("a") + tensor_pickle() + text("b") + tensor_pickle({.numel = "K\x03"}))},
                       "storage \"0\": expected one type and length, got two");
}

TEST_CASE("a storage that is part of another is read from there") {
  const auto with = [](const std::string& view) { return LegacyPart{.object = dict(text("a") + view_pickle(view))}; };
  CHECK(load_bytes(legacy_of(with(text("v") + "K\x01K\x01\x87"))).at("a") == Value(tensor<float>({2})));
  CHECK(load_bytes(legacy_of(with("N"))).at("a") == Value(tensor<float>({1})));
  check_legacy_refused(with(text("v") + "K\x02K\x01\x87"), "expected a view of its 2 elements, got 1 from 2 on");
  check_legacy_refused(with(text("v") + "K\x01J\xff\xff\xff\xff\x87"), "expected a view of its 2 elements");
  check_legacy_refused(with("K\x01"), "expected the key, offset and size of a view");
}

TEST_CASE("pickles longer than what is read first are read whole") {
  const std::string name(3'000'000, 'x');
  const LegacyPart part{.object = dict(text("a") + tensor_pickle() + text("name") + text(name))};
  CHECK(load_bytes(legacy_of(part)).at("name") == Value(name));
  check_legacy_refused({.object = "X" + number(0xffffff, 4) + "abc"}, "got the end after");
}

TEST_CASE("the class of an old model is refused, and its source not read") {
  const std::string module =
      tuple(text("module") + global("__main__", "Net") + text("net.py") + text("import os")) + "Q";
  const std::string object = module + ")\x81" + dict(text("w") + tensor_pickle()) + "b";
  check_legacy_refused({.object = object}, "got __main__.Net, of which nothing was run");
  CHECK(load_bytes(legacy_of({.object = object}), {.inert_objects = true}).at("w") == Value(tensor<float>({1, 2})));
}

// SPDX-License-Identifier: MIT

// Files of PyTorch that were damaged, or made to do harm.

#include <filesystem>
#include <random>
#include <sstream>

#include "serialize/torch/zip_fixture.h"
#include "support/temp_file.h"
#include "teff/engine/allocator.h"
#include "teff/teff.h"

using namespace teff;
using namespace teff::testing;

namespace {

std::string golden(const std::string& name) { return read_file(TEFF_GOLDEN_DIR "/torch/" + name + ".pt"); }

void check_refused(const std::string& bytes, const std::string& part) {
  const std::string error = refusal(bytes);
  CAPTURE(part);
  CHECK_MESSAGE(contains(error, part), error);
}

/// Whether the bytes are refused, with the one type of error.
bool is_refused(const std::string& bytes) {
  try {
    load_bytes(bytes);
    return false;
  } catch (const FormatError&) {
    return true;
  }
}

/// Refused, or what it was.
bool is_harmless(const std::string& bytes, const Dict& expected) {
  try {
    return same(load_bytes(bytes), expected);
  } catch (const FormatError&) {
    return true;
  }
}

/// A state dict with some of everything, in 1.5 kB.
Dict small_dict() {
  const Tensor weight = tensor<float>({1, -2, 0.5});
  return {
      {"w", weight}, {"tied", weight}, {"mask", tensor<bool>({true, false})}, {"n", scalar_tensor<std::int64_t>(7)}};
}

std::string small_file() {
  std::ostringstream stream;
  save(small_dict(), stream, {.format = FileFormat::pytorch});
  return stream.str();
}

}  // namespace

TEST_CASE("the files that the tests below vary are good") {
  CHECK(same(load_bytes(pt_with({})), {{"a", tensor<float>({1, 2})}}));
  CHECK(same(load_bytes(small_file()), small_dict()));
}

TEST_CASE("every truncation is refused, of both containers") {
  for (const std::string& bytes :
       {small_file(), golden("state_dict"), golden("state_dict_legacy"), golden("views_legacy")}) {
    int accepted = 0;
    for (std::size_t size = 0; size < bytes.size(); ++size) accepted += is_refused(bytes.substr(0, size)) ? 0 : 1;
    CHECK(accepted == 0);
  }
}

TEST_CASE("anything appended is refused, and so is a doubled file") {
  for (const std::string& bytes : {small_file(), golden("state_dict"), golden("state_dict_legacy")}) {
    for (const std::string& more : {std::string(1, '\0'), std::string("\n"), std::string(100, '\0'), bytes}) {
      CHECK(is_refused(bytes + more));
    }
  }
}

TEST_CASE("every single-bit flip is refused, or changes no value") {
  for (const std::string& bytes : {small_file(), golden("state_dict")}) {
    const Dict expected = load_bytes(bytes);
    int changed = 0;
    for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
      std::string damaged = bytes;
      damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
      changed += is_harmless(damaged, expected) ? 0 : 1;
    }
    CHECK(changed == 0);
  }
}

TEST_CASE("random damage is refused or harmless in the zip, and never more than an error in the old form") {
  constexpr unsigned kSeed = 1;
  std::mt19937 random(kSeed);
  for (const char* name : {"checkpoint", "views", "checkpoint_legacy", "model_legacy", "protocol4"}) {
    CAPTURE(name);
    const std::string original = golden(name);
    const bool checked = !contains(name, "legacy");
    const Dict expected = contains(name, "model") ? Dict() : load_bytes(original);
    const auto draw = [&](std::size_t below) { return static_cast<std::size_t>(random()) % below; };
    int changed = 0;
    for (int round = 0; round < 1000; ++round) {
      std::string damaged = original;
      const std::size_t begin = draw(original.size()),
                        size = 1 + draw(std::min<std::size_t>(64, original.size() - begin));
      switch (draw(4)) {
        case 0:
          damaged.erase(begin, size);
          break;
        case 1:
          damaged.insert(begin, original, draw(original.size() - size), size);
          break;
        case 2:
          damaged.replace(begin, size, size, '\0');
          break;
        case 3:
          for (std::size_t i = 0; i < size; ++i) damaged[begin + i] = static_cast<char>(random());
          break;
      }
      try {
        const Dict loaded = load_bytes(damaged, {.inert_objects = !checked});
        changed += checked && !same(loaded, expected) ? 1 : 0;
      } catch (const FormatError&) {
      }
    }
    CHECK(changed == 0);
  }
}

TEST_CASE("the pickle of an attacker is refused and not run") {
  const TempFolder folder;
  const std::string command = "touch " + (folder / "was_here");
  const std::string attack = kProto + global("os", "system") + text(command) + "\x85R.";
  check_refused(pt_of(attack), "got os.system, of which nothing was run");
  check_refused(pt_of(kProto + dict(text("a") + global("posix", "system") + text(command) + "\x85R") + '.'),
                "got \"a\" (posix.system), of which nothing was run");
  CHECK(same(load_bytes(pt_of(attack), {.inert_objects = true}), {{"", List{command}}}));
  CHECK_FALSE(std::filesystem::exists(folder / "was_here"));
}

TEST_CASE("entries that PyTorch's files have, and must have") {
  const std::string pickle = kProto + "}.";
  const auto with = [&](const std::string& name, const std::string& data) {
    return zip_of({{"x/data.pkl", pickle}, {name, data}});
  };
  CHECK(refusal(with("x/version", "3\n")) == "loaded");
  CHECK(refusal(with("x/.data/version", "10\n")) == "loaded");
  check_refused(with("x/version", "11\n"), "expected version 1 to 10 of PyTorch's files, got \"11\"");
  check_refused(with("x/version", "x"), "got \"x\"");
  check_refused(with("x/version", std::string(2000, '3')), "expected at most 1000 bytes");
  check_refused(with("x/a", "3"), "a zip file without the entry \"version\"");
  check_refused(zip_of({{"x/version", "3"}}), "without the entry \"data.pkl\"");
  CHECK(refusal(pt_of(pickle, {{"x/byteorder", "little"}})) == "loaded");
  CHECK(refusal(pt_of(pickle, {{"x/byteorder", "big"}})) == "loaded");
  check_refused(pt_of(pickle, {{"x/byteorder", "odd"}}), "expected the byte order \"little\" or \"big\", got \"odd\"");
  check_refused(pt_of(pickle, {{"x/constants.pkl", ""}}), "expected a module of TorchScript");
  check_refused(pt_of(pickle, {{.name = "x/code/a.py", .data = "abc", .method = 8}, {"x/constants.pkl", ""}}),
                "TorchScript");
  check_refused(pt_of(pickle, {{.name = "x/a", .data = "abc", .method = 12}}), "it is compressed by method 12");
  check_refused(pt_of(pickle + "x"), "expected nothing after the pickle at offset 40, got 1 bytes");
}

TEST_CASE("a tensor that does not fit its storage, or a storage its entry, is refused") {
  check_refused(pt_with({.numel = "K\x03"}), "storage: \"0\": expected 12 bytes for 3 elements, got 8");
  check_refused(pt_with({.numel = "K\x01", .sizes = "K\x01\x85"}), "expected 4 bytes for 1 elements, got 8");
  check_refused(pt_with({.numel = "\x8a\x08" + word(std::uint64_t{1} << 62)}), "expected a number of elements");
  check_refused(pt_with({.numel = "J\xff\xff\xff\xff"}), "expected a number of elements, got -1");
  check_refused(pt_with({.numel = "N"}), "expected a number of elements, got something else");
  check_refused(pt_with({.key = "1"}), "storage: \"1\": expected its bytes in the file, got none");
  check_refused(pt_with({.key = "../data/0"}), "expected its bytes in the file, got none");
  check_refused(pt_with({.key = std::string(200, 'x')}), "expected a key of at most 100 bytes");
  check_refused(pt_with({.type = "NoStorage"}), "got \"a\" (NoStorage); there are no others");
  check_refused(pt_with({.type = "Size"}), "expected a type of storage, got torch.Size");
  check_refused(pt_with({.sizes = "K\x03\x85"}),
                "entry \"a\": expected a tensor within the 2 elements of its storage, got "
                "shape [3], strides [1], offset 0");
  check_refused(pt_with({.offset = "K\x01"}), "offset 1");
  check_refused(pt_with({.offset = "J\xff\xff\xff\xff", .sizes = "K\x01\x85"}), "offset -1");
  check_refused(pt_with({.strides = "K\x02\x85"}), "strides [2]");
  check_refused(pt_with({.strides = "J\xff\xff\xff\xff\x85"}), "strides [-1]");
  const std::string huge = "\x8a\x08" + word(std::uint64_t{1} << 61) + "\x85";
  check_refused(pt_with({.sizes = huge}), "entry \"a\": ");
  check_refused(pt_with({.strides = huge}), "expected a tensor within");
  check_refused(pt_with({.sizes = "K\x02K\x02\x86", .strides = huge.substr(0, 10) + huge.substr(0, 10) + "\x86"}),
                "expected a tensor within");
  check_refused(pt_with({.sizes = "J\xff\xff\xff\xff\x85"}), "entry \"a\": ");
  check_refused(pt_with({.sizes = "K\x02K\x01\x86"}), "expected as many strides as sizes");
  check_refused(
      pt_with({.sizes = tuple("K\1K\1K\1K\1K\1K\1K\1K\1K\2"), .strides = tuple("K\1K\1K\1K\1K\1K\1K\1K\1K\1")}),
      "\"a\" (of 9 dimensions, which may be 8 at most)");
  check_refused(pt_with({.sizes = "](K\x02"
                                  "e"}),
                "expected the sizes of a tensor, got something else");
  check_refused(pt_with({.sizes = "N\x85"}), "expected the sizes of a tensor");
}

TEST_CASE("one storage has one type and length") {
  const auto two = [](const TensorPart& a, const TensorPart& b) {
    return pt_of(kProto + dict(text("a") + tensor_pickle(a) + text("b") + tensor_pickle(b)) + '.');
  };
  CHECK(refusal(two({}, {})) == "loaded");
  check_refused(two({}, {.type = "IntStorage"}),
                "expected one type and length, got 2 elements of float32, and 2 of int32");
  check_refused(two({}, {.numel = "K\x01"}), "expected one type and length");
}

TEST_CASE("an expanded tensor cannot take much more memory than the file") {
  const std::string zero("K\0\x85", 3);
  CHECK(load_bytes(pt_with({.sizes = "M\xe8\x03\x85", .strides = zero})).at("a") == Value(ones({1000})));
  check_refused(
      pt_with({.sizes = "J\xff\xff\xff\x7f\x85", .strides = zero}),
      "entry \"a\": expected expanded tensors of at most 8 times the file's size, got shape [2147483647], strides [0]");
}

TEST_CASE("bool bytes are 0 or 1") {
  const std::string pickle = kProto + dict(text("a") + tensor_pickle({.type = "BoolStorage", .key = "1"})) + '.';
  CHECK(load_bytes(pt_of(pickle, {{"x/data/1", std::string("\1\0", 2)}})).at("a") ==
        Value(tensor<bool>({true, false})));
  check_refused(pt_of(pickle, {{"x/data/1", "\1\2"}}), "expected bool values of 0 or 1, got others");
}

TEST_CASE("damaged data are told by entry and both checksums; without checksums they pass") {
  std::vector<ZipPart> parts{{"x/data.pkl", kProto + dict(text("a") + tensor_pickle()) + '.'},
                             {.name = "x/data/0", .data = std::string(8, '\0'), .crc = 0x12345678},
                             {"x/version", "3"}};
  check_refused(zip_of(parts), "zip: entry \"x/data/0\" at offset");
  check_refused(zip_of(parts), "damaged: expected CRC-32 12345678, got 6522df69");
  CHECK(load_bytes(zip_of(parts), {.verify = false}).at("a") == Value(zeros({2})));
  parts[1].crc = 0;  // which it is not: others have one
  check_refused(zip_of(parts), "damaged: expected CRC-32 00000000, got 6522df69");
  for (ZipPart& part : parts) part.crc = 0;  // not computed
  CHECK(load_bytes(zip_of(parts)).at("a") == Value(zeros({2})));
}

TEST_CASE("a file that claims much makes Teff allocate little") {
  const std::string large_numel = "\x8a\x08" + word(std::uint64_t{1} << 40);
  std::string bomb = "]q\x01";
  for (int i = 1; i < 60; ++i) {
    const std::string id(1, static_cast<char>(i)), next(1, static_cast<char>(i + 1));
    bomb += "](h" + id + "h" + id + "eq" + next;
  }
  for (const std::string& bytes :
       {pt_with({.numel = large_numel, .sizes = large_numel + "\x85"}),
        pt_with({.sizes = large_numel + "\x85", .strides = std::string("K\0\x85", 3)}),
        pt_of(kProto + "(" + bomb + "t."), pt_of(kProto + std::string(200'000, ']')),
        word(100'000'000) + "{\"a\":{\"dtype\":\"U8\",\"shape\":[100000000],\"data_offsets\":[0,100000000]}}"}) {
    reset_peak_memory_stats();
    const std::size_t before = memory_stats().bytes_in_use;
    CHECK(is_refused(bytes));
    CHECK(memory_stats().peak_bytes_in_use - before <= 2 * bytes.size() + (1 << 20));
  }
}

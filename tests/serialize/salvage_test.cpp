// SPDX-License-Identifier: MIT
#include "serialize/file_fixture.h"
#include "serialize/sample_models.h"
#include "support/temp_file.h"
#include "teff/serialize/file.h"

using namespace teff;
using namespace teff::testing;

namespace {

Dict four_entries() {
  return {{"first", tensor<std::int32_t>({1, 2, 3})},
          {"epoch", 7},
          {"list", List{tensor({1.5f}), tensor({true, false}), "text"}},
          {"last", ones({1000})}};
}

std::uint64_t offset_of(const std::string& path, const std::string& entry) {
  for (const FileEntry& one : File(path).entries()) {
    if (one.path == entry) return one.offset.value();
  }
  FAIL("no entry " << entry);
  return 0;
}

std::vector<std::string> names(const std::vector<FileDamage>& damages) {
  std::vector<std::string> result;
  for (const FileDamage& damage : damages) result.push_back(damage.entry);
  return result;
}

void flip(const std::string& path, std::uint64_t offset, char bits = 1) {
  std::string bytes = read_file(path);
  bytes[offset] = static_cast<char>(bytes[offset] ^ bits);
  write_file(path, bytes);
}

}  // namespace

TEST_CASE("of an intact file everything is salvaged and nothing reported") {
  const TempFile file;
  save(four_entries(), file);
  const Salvage whole = salvage(file);
  CHECK(same(whole.dict, four_entries()));
  CHECK(whole.damages.empty());
  CHECK(File(file).verify().empty());
}

TEST_CASE("damaged entries are left out and named, the others are kept") {
  const TempFile file;
  save(four_entries(), file);
  const std::uint64_t first = offset_of(file, "first"), bools = offset_of(file, "list[1]");
  flip(file, first);
  flip(file, bools, 4);
  const Salvage rest = salvage(file);
  CHECK(same(rest.dict, {{"epoch", 7}, {"list", List{tensor({1.5f}), nullptr, "text"}}, {"last", ones({1000})}}));
  REQUIRE(names(rest.damages) == std::vector<std::string>{"first", "list[1]"});
  CHECK(rest.damages[0].reason.starts_with("at offset " + std::to_string(first) + ": damaged: expected checksum "));
  CHECK(rest.damages[1].reason ==
        "at offset " + std::to_string(bools) + ": expected bool values of 0 or 1, got others");
  CHECK(names(File(file).verify()) == names(rest.damages));
}

TEST_CASE("every bit of the tensors and of the padding is verified") {
  const TempFile file;
  save({{"a", tensor<std::int64_t>({1, 2, 3})}, {"b", tensor<int8_t>({1})}}, file);
  const std::string bytes = read_file(file);
  const std::uint64_t header_end = 64 + word_at(bytes, 24);
  const std::uint64_t a = offset_of(file, "a"), b = offset_of(file, "b");
  for (std::uint64_t place = header_end; place < bytes.size(); ++place) {
    flip(file, place);
    const std::vector<FileDamage> damages = File(file).verify();
    REQUIRE(damages.size() == 1);
    const bool in_a = place >= a && place < a + 24, in_b = place >= b;
    CHECK(damages[0].entry == (in_a ? "a" : in_b ? "b" : ""));
    CHECK(salvage(file).dict.size() == (in_a || in_b ? 1 : 2));
    flip(file, place);
  }
}

TEST_CASE("of a truncated file what was not cut off is salvaged") {
  const TempFile file;
  save(four_entries(), file);
  const std::string bytes = read_file(file);
  write_file(file, bytes.substr(0, bytes.size() - 1));
  const Salvage rest = salvage(file);
  CHECK(rest.dict.size() == 3);
  REQUIRE(names(rest.damages) == std::vector<std::string>{"", "last"});
  CHECK(rest.damages[0].reason == "preamble: expected a file of " + std::to_string(bytes.size()) + " bytes, got " +
                                      std::to_string(bytes.size() - 1) + ": the file was cut off");
  CHECK(contains(rest.damages[1].reason, "the end of the file at offset " + std::to_string(bytes.size() - 1)));
  for (std::size_t size = 64 + word_at(bytes, 24); size < bytes.size(); size += 7) {
    write_file(file, bytes.substr(0, size));
    CHECK(salvage(file).dict.at("epoch") == Value(7));
  }
}

TEST_CASE("what was appended is reported") {
  const TempFile file;
  save(four_entries(), file);
  write_file(file, read_file(file) + "tail");
  const Salvage rest = salvage(file);
  CHECK(same(rest.dict, four_entries()));
  REQUIRE(rest.damages.size() == 1);
  CHECK(contains(rest.damages[0].reason, "something was appended"));
}

TEST_CASE("all names of a damaged tensor are reported, and those of metadata") {
  const Tensor weight = ones({3});
  const TempFile file;
  save({{"weight", weight}, {"tied", weight}, {"view", weight.view({3, 1})}, {"x", 1}}, file,
       {.metadata = {{"mean", zeros({2})}}});
  flip(file, offset_of(file, "weight"));
  const std::string bytes = read_file(file);
  CHECK(names(File(file).verify()) == std::vector<std::string>{"weight", "tied", "view"});
  CHECK(same(salvage(file).dict, {{"x", 1}}));
  flip(file, offset_of(file, "weight"));
  flip(file, offset_of(file, "weight") - 64);
  CHECK(names(File(file).verify()) == std::vector<std::string>{"metadata: mean"});
  CHECK_THROWS_AS(File(file).metadata(), FormatError);
  CHECK(salvage(file).dict.size() == 4);
}

TEST_CASE("of a damaged model the intact part of the state dict is salvaged") {
  TinyNet net;
  const TempFile file;
  save_model(net, ones({1, 2}), file);
  flip(file, offset_of(file, "state_dict/fc.weight"));
  flip(file, offset_of(file, "self_test/outputs[0]"));
  const Salvage rest = salvage(file);
  CHECK(same(rest.dict, {{"fc.bias", net.fc.bias.detach()}}));
  CHECK(names(rest.damages) == std::vector<std::string>{"state_dict/fc.weight", "self_test/outputs[0]"});
}

TEST_CASE("without an intact beginning nothing is certain") {
  const TempFile file("x.teff");
  save(four_entries(), file);
  const std::string bytes = read_file(file);
  for (const std::uint64_t place : {0, 11, 24, 40, 60, 64, 100}) {
    flip(file, place);
    CHECK_THROWS_AS(salvage(file), FormatError);
    flip(file, place);
  }
  for (const std::size_t size : {0, 63, 64, 100}) {
    write_file(file, bytes.substr(0, size));
    CHECK_THROWS_AS(salvage(file), FormatError);
  }
  write_file(file, "PK\x03\x04");
  CHECK(error_of<FormatError>([&] { salvage(file); }) ==
        "salvage: " + file.path() + ": expected a .teff file, got one in the format of PyTorch");
}

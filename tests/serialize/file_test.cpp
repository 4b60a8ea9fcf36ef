// SPDX-License-Identifier: MIT
#include <sstream>

#include "serialize/file_fixture.h"
#include "serialize/sample_models.h"
#include "support/temp_file.h"
#include "teff/serialize/file.h"

using namespace teff;
using namespace teff::testing;

namespace {

std::span<const std::byte> bytes_of(const std::string& text) { return std::as_bytes(std::span(text)); }

/// Ties, views, an empty tensor, lists and keys that need escapes.
Dict nested() {
  const Tensor weight = arange(6).to(DType::float32);
  return {{"epoch", 3},
          {"model", Dict{{"conv.weight", weight}, {"tied", weight}, {"view", weight.view({2, 3})}}},
          {"state", List{Dict{{"m", tensor({1.5f, 2.5f})}}, nullptr, tensor<int8_t>({7})}},
          {"a/b[0]\\", zeros({0, 2})},
          {"", Dict{{"", tensor({true, false})}}}};
}

std::vector<std::string> paths(const File& file) {
  std::vector<std::string> result;
  for (const FileEntry& entry : file.entries()) result.push_back(entry.path);
  return result;
}

}  // namespace

TEST_CASE("a file tells what it holds without reading it") {
  const TempFile path;
  save(nested(), path, {.metadata = {{"classes", List{"cat", "dog"}}, {"mean", tensor({0.5f})}}});
  const File file(path);
  CHECK(file.format() == FileFormat::teff);
  CHECK(file.version() == 1);
  CHECK(file.size() == read_file(path).size());
  CHECK(file.model() == nullptr);
  CHECK(file.metadata() == Dict{{"classes", List{"cat", "dog"}}, {"mean", tensor({0.5f})}});
  CHECK(file.structure().at("epoch").as_int() == 3);
  std::ostringstream printed, expected;
  printed << file.structure();
  expected << nested();
  CHECK(printed.str() == expected.str());
}

TEST_CASE("entries have path, type, place and checksum, and name whose elements they share") {
  const std::string bytes = saved(nested());
  const File file(bytes_of(bytes));
  const std::vector<FileEntry> entries = file.entries();
  CHECK(paths(file) == std::vector<std::string>{"model/conv.weight", "model/tied", "model/view", "state[0]/m",
                                                "state[2]", "a\\/b\\[0]\\\\", "/"});
  CHECK(entries[0].type == TensorType{{6}, DType::float32});
  CHECK(entries[0].bytes == 24);
  REQUIRE(entries[0].offset);
  const std::string elements = bytes.substr(*entries[0].offset, 24);
  CHECK(entries[0].checksum == xxh3(elements));
  CHECK(entries[0].shared_with == "");
  CHECK(entries[1].shared_with == "model/conv.weight");
  CHECK(entries[2].shared_with == "model/conv.weight");
  CHECK(entries[2].type == TensorType{{2, 3}, DType::float32});
  CHECK(entries[3].shared_with == "");
  CHECK(!entries[5].offset);
  CHECK(!entries[5].checksum);
}

TEST_CASE("every entry, and every part of the structure, is read by its path") {
  const TempFile path;
  save(nested(), path);
  for (const LoadOptions& options : {LoadOptions{}, LoadOptions{.mmap = true}}) {
    const File file(path, options);
    for (const FileEntry& entry : file.entries()) CHECK(file.read(entry.path).as_tensor().type() == entry.type);
    CHECK(file.read("model/conv.weight") == Value(arange(6).to(DType::float32)));
    CHECK(file.read("epoch") == Value(3));
    CHECK(file.read("state[0]") == nested().at("state").as_list()[0]);
    CHECK(file.read("state[1]").is_none());
    CHECK(file.read(escape_key("a/b[0]\\")) == Value(zeros({0, 2})));
    CHECK(file.read("/") == Value(tensor({true, false})));
    const Dict model = file.read("model").as_dict();
    CHECK(same(model, nested().at("model").as_dict()));
    CHECK(model.at("tied").as_tensor().is(model.at("conv.weight").as_tensor()));
    CHECK(model.at("view").as_tensor().shares_memory_with(model.at("tied").as_tensor()));
  }
}

TEST_CASE("a path that leads nowhere is an error that says where it ends") {
  const std::string bytes = saved(nested());
  const File file(bytes_of(bytes));
  const auto error = [&](const char* path) { return error_of<IndexError>([&] { file.read(path); }); };
  CHECK(
      error("model/fc") ==
      R"(path "model/fc": expected one of the keys "conv.weight", "tied", "view" behind "model/fc", got one that is not there)");
  CHECK(error("state[3]") == R"(path "state[3]": expected a place below 3 behind "state[3]", got 3)");
  CHECK(error("state[x]") == R"(path "state[x]": expected a place like [3] behind "state[", got something else)");
  CHECK(error("state[99999999999999999999]").find("expected a place like [3]") != std::string::npos);
  CHECK(error("state[0") == R"(path "state[0": expected a place like [3] behind "state[0", got something else)");
  CHECK(error("state[0]m") == R"(path "state[0]m": expected / or [ behind "state[0]", got something else)");
  CHECK(error("epoch/x") == R"(path "epoch/x": expected a dict behind "epoch/", got an integer)");
  CHECK(error("epoch[0]") == R"(path "epoch[0]": expected a list behind "epoch[0]", got an integer)");
  CHECK(error("epoch\\") == R"(path "epoch\x5c": expected a character behind \ behind "epoch\x5c", got the end)");
}

TEST_CASE("one entry is read and checked although another is damaged") {
  const TempFile path;
  save({{"good", ones({100})}, {"bad", ones({100})}}, path);
  std::string bytes = read_file(path);
  bytes.back() ^= 1;
  write_file(path, bytes);
  const File file(path);
  CHECK(file.read("good") == Value(ones({100})));
  const std::string error = error_of<FormatError>([&] { file.read("bad"); });
  CHECK(contains(error, "File::read: " + path.path() + ": tensor \"bad\" at offset "));
  CHECK(contains(error, ": damaged: expected checksum "));
  CHECK_NOTHROW(File(path, {.verify = false}).read("bad"));
}

TEST_CASE("values of the structure cannot be read by mistake") {
  const std::string bytes = saved(nested());
  const File file(bytes_of(bytes));
  const Tensor tensor = file.structure().at("model").as_dict().at("tied").as_tensor();
  CHECK(tensor.shape() == Shape{6});
  const std::string reason = ": expected values, got a tensor of which only shape and dtype are known";
  CHECK(error_of<Error>([&] { tensor.span<float>(); }) == "tensor" + reason);
  CHECK(error_of<Error>([&] { (tensor + 1).sum(); }) == "add" + reason);
  CHECK(error_of<Error>([&] { Tensor(tensor).fill_(0); }) == "tensor" + reason);
  const TempFile other;
  CHECK_THROWS_AS(save(file.structure(), other), ValueError);
}

TEST_CASE("a model is listed as its state dict, constants and self-test") {
  Regularised net;
  const std::string bytes = saved_model(net, randn({3, 1, 8, 8}));
  const File file(bytes_of(bytes));
  REQUIRE(file.model() != nullptr);
  CHECK(file.model()->summary == net.summary());
  CHECK(file.model()->training);
  std::vector<std::string> expected;
  for (const auto& [key, value] : net.state_dict()) expected.push_back("state_dict/" + key);
  expected.insert(expected.end(), {"self_test/inputs[0]", "self_test/outputs[0]"});
  CHECK(paths(file) == expected);
  Regularised other;
  other.load_state_dict(file.read("state_dict").as_dict());
  CHECK(same(other.state_dict(), net.state_dict()));
  net.eval();
  CHECK(Value(net(file.read("self_test/inputs[0]").as_tensor()).detach()) == file.read("self_test/outputs[0]"));
  nn::GraphModule without_values(*file.model());
  CHECK_THROWS_AS(without_values(randn({1, 1, 8, 8})), Error);
  without_values.eval();
  CHECK_THROWS_AS(nn::InferenceSession(without_values, {{1, 1, 8, 8}}), Error);
}

TEST_CASE("long keys in each other make no path longer than the file allows") {
  Dict dict{{"x", zeros({0})}};
  for (int i = 0; i < 500; ++i) dict.insert(std::to_string(i), zeros({0}));
  for (int depth = 0; depth < 10; ++depth) dict = {{std::string(60'000, 'k'), dict}};
  const std::string bytes = saved(dict);
  CHECK(error_of<FormatError>([&] { File(bytes_of(bytes)).entries(); }) ==
        "File::entries: memory: expected paths of at most 16 times the file, got longer ones");
}

TEST_CASE("what cannot be opened is refused as by load") {
  const TempFile path("x.teff");
  write_file(path, "hello, world");
  CHECK(error_of<FormatError>([&] { File file(path); }) ==
        "File: " + path.path() +
            ": expected a .teff, PyTorch, safetensors, NumPy or ONNX file, got a text file that begins with \"hello, "
            "world\"");
  CHECK_THROWS_AS(File(path.path() + "x"), IoError);
  CHECK(error_of<ValueError>([] { File(std::span<const std::byte>(), {.mmap = true}); }) ==
        "File: expected a file where mmap is set, got memory");
}

// SPDX-License-Identifier: MIT

// Files of PyTorch 1.13 (tests/golden/torch, with the script that wrote them), and what Teff writes. What PyTorch makes
// of that is tested in tests/torch.

#include <bit>
#include <cmath>
#include <limits>
#include <sstream>

#include "serialize/torch/golden_fixture.h"
#include "serialize/torch/zip_fixture.h"
#include "support/temp_file.h"
#include "teff/serialize/io/byte_source.h"
#include "teff/serialize/io/zip_reader.h"
#include "teff/teff.h"

using namespace teff;
using namespace teff::testing;

namespace {

std::string golden_path(const std::string& name) { return torch_golden(name + ".pt"); }

/// Both containers.
std::vector<std::string> both(const std::string& name) { return {golden_path(name), golden_path(name + "_legacy")}; }

Dict expected_state_dict() {
  return {{"0.weight", counted(0, {3, 2})},
          {"0.bias", counted(6, {3})},
          {"1.weight", counted(9, {3})},
          {"1.bias", counted(12, {3})},
          {"1.running_mean", counted(15, {3})},
          {"1.running_var", counted(18, {3})},
          {"1.num_batches_tracked", scalar_tensor<std::int64_t>(21)}};
}

/// The bytes of a file that Teff writes.
std::string pt_bytes(const Dict& dict) {
  std::ostringstream stream;
  save(dict, stream, {.format = FileFormat::pytorch});
  return stream.str();
}

std::string entry_of(const std::string& file, const std::string& name) {
  const serialize::MemorySource source(std::as_bytes(std::span(file)));
  const serialize::ZipReader zip(source);
  REQUIRE(zip.find(name) != nullptr);
  const std::vector<std::byte> bytes = zip.read(*zip.find(name), 1 << 20, true);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

bool share(const Dict& dict, const char* a, const char* b) {
  return dict.at(a).as_tensor().shares_memory_with(dict.at(b).as_tensor());
}

}  // namespace

TEST_CASE("a state dict of PyTorch is read, from both containers") {
  for (const std::string& path : both("state_dict")) {
    CAPTURE(path);
    CHECK(same(load(path), expected_state_dict()));
    CHECK(same(load(path, {.mmap = true}), expected_state_dict()));
    CHECK(same(load(path, {.verify = false}), expected_state_dict()));
  }
}

TEST_CASE("every dtype comes back, and every kind of number") {
  for (const std::string& path : both("dtypes")) {
    CAPTURE(path);
    const Dict dict = load(path);
    for (const char* name : {"float32", "float64", "int64", "int32", "int16", "int8", "float16", "bfloat16"}) {
      const Tensor values = dict.at(name).as_tensor();
      CHECK(to_string(values.dtype()) == name);
      CHECK(Value(values.to(DType::float32)) == Value(counted(-3, {7})));
    }
    CHECK(dict.at("uint8") == Value(tensor<std::uint8_t>({253, 254, 255, 0, 1, 2, 3})));
    CHECK(dict.at("bool") == Value(tensor<bool>({true, false, true})));
    const auto special = dict.at("special").as_tensor().span<float>();
    CHECK(std::isnan(special[0]));
    CHECK(special[1] == std::numeric_limits<float>::infinity());
    CHECK(special[2] == -std::numeric_limits<float>::infinity());
    CHECK((special[3] == 0 && std::signbit(special[3])));
    CHECK(std::bit_cast<std::uint32_t>(special[4]) == 1);
  }
}

TEST_CASE("views of all kinds have their elements, and share them where they are contiguous or the same") {
  const Tensor base = counted(0, {2, 3, 4}), small = counted(0, {2, 3});
  const Dict expected{{"base", base},
                      {"same", base},
                      {"flat", base.view({24})},
                      {"row", base.select(0, 1)},
                      {"transposed", base.transpose(0, 2)},
                      {"transposed_again", base.transpose(0, 2)},
                      {"column", tensor<float>({6, 18})},
                      {"every_second", base.view({24}).slice(0, 1, 24, 2)},
                      {"expanded", tensor<float>({0, 0, 0, 0, 0, 3, 3, 3, 3, 3}, {2, 5})},
                      {"channels_last", small.view({1, 2, 3, 1})},
                      {"scalar", scalar_tensor(2.5F)},
                      {"empty", zeros({0})},
                      {"empty_rows", zeros({0, 3})}};
  for (const std::string& path : both("views")) {
    CAPTURE(path);
    for (const bool mmap : {false, true}) {
      const Dict dict = load(path, {.mmap = mmap});
      CHECK(same(dict, expected));
      for (const char* name : {"same", "flat", "row"}) CHECK(share(dict, "base", name));
      CHECK(share(dict, "transposed", "transposed_again"));
      CHECK_FALSE(share(dict, "base", "transposed"));
    }
  }
}

TEST_CASE("a checkpoint is read with all that Python has in it") {
  for (const std::string& path :
       {golden_path("checkpoint"), golden_path("checkpoint_legacy"), golden_path("protocol4")}) {
    CAPTURE(path);
    const Dict dict = load(path);
    CHECK(keys_of(dict) ==
          "epoch loss model_state_dict optimizer_state_dict done nothing big negative name list tuple set keys bytes "
          "parameter size dtype device long ");
    CHECK(dict.at("epoch") == Value(5));
    CHECK(dict.at("loss") == Value(0.4));
    CHECK(dict.at("done") == Value(false));
    CHECK(dict.at("nothing") == Value());
    CHECK(dict.at("big") == Value(std::int64_t{1} << 40));
    CHECK(dict.at("negative") == Value(-(std::int64_t{1} << 33)));
    CHECK(dict.at("name") == Value("caf\u00e9"));
    CHECK(dict.at("list") == Value(List{1, List{2.5, "x"}}));
    CHECK(dict.at("tuple") == Value(List{1, 2, 3, 4}));
    CHECK(dict.at("set") == Value(List{7}));
    CHECK(dict.at("keys") == Value(Dict{{"0", "a"}, {"-1", "b"}}));
    CHECK(dict.at("bytes") == Value(Bytes{std::byte{0}, std::byte{0xff}}));
    CHECK(dict.at("parameter") == Value(ones({2})));
    CHECK(dict.at("size") == Value(List{2, 3}));
    CHECK(dict.at("dtype") == Value("torch.float16"));
    CHECK(dict.at("device") == Value("cuda:0"));
    CHECK(dict.at("long").as_list().size() == 1001);
    CHECK(dict.at("long").as_list().back() == Value(1000));
    CHECK(dict.at("model_state_dict").as_dict().size() == 7);
    const Dict& optimizer = dict.at("optimizer_state_dict").as_dict();
    CHECK(optimizer.at("state").as_dict().at("2").as_dict().at("momentum_buffer") == Value(full({3}, 3)));
    CHECK(optimizer.at("param_groups").as_list()[0].as_dict().at("lr") == Value(0.1));
  }
}

TEST_CASE("a whole pickled model is its state dict, and its attributes on request") {
  for (const std::string& path : both("model")) {
    CAPTURE(path);
    CHECK(same(load(path), {{"conv.weight", counted(0, {2, 1, 2, 2})}, {"conv.bias", counted(8, {2})}}));
    const Dict model = load(path, {.inert_objects = true});
    const Dict& conv = model.at("conv").as_dict();
    CHECK(conv.at("weight") == Value(counted(0, {2, 1, 2, 2})));
    CHECK(conv.at("bias") == Value(counted(8, {2})));
    CHECK(conv.at("kernel_size") == Value(List{2, 2}));
    CHECK(model.at("training") == Value(true));
  }
}

TEST_CASE("what is not a dictionary stands under the empty name") {
  const Dict dict = load(golden_path("parameters"));
  CHECK(same(dict, {{"", List{counted(0, {1, 2}), counted(2, {1})}}}));
}

TEST_CASE("complex and quantised tensors are refused by name, and the others listed") {
  for (const std::string& path : both("complex")) {
    CHECK(error_of<FormatError>([&] { load(path); }) ==
          "load: " + path +
              ": expected tensors of dtypes that Teff loads, got \"z\" (ComplexFloatStorage); the others are "
              "\"a\" (float32 [2]), \"b\" (int64 [3]). LoadOptions{.skip_unsupported = true} leaves them out");
    CHECK(same(load(path, {.skip = {"z"}}), {{"a", ones({2})}, {"b", ones({3}).to(DType::int64)}}));
  }
  CHECK(contains(error_of<FormatError>([] { load(golden_path("quantized")); }),
                 "got \"q\" (quantised); the others are \"a\""));
}

TEST_CASE("the pickle of a state dict is the one that PyTorch writes, byte for byte") {
  const Dict dict = load(golden_path("state_dict"));
  const std::string expected = entry_of(read_file(golden_path("state_dict")), "data.pkl");
  CHECK(entry_of(pt_bytes(dict), "data.pkl") == expected);
}

TEST_CASE("types that came with PyTorch 2 are written as it writes them: storages of bytes, and the dtype by name") {
  const Tensor x = tensor<std::uint16_t>({1, 2});
  const std::string pickle = entry_of(pt_bytes({{"x", x}}), "data.pkl");
  CHECK(contains(pickle, "ctorch._utils\n_rebuild_tensor_v3\n"));
  CHECK(contains(pickle, "ctorch.storage\nUntypedStorage\n"));
  CHECK(contains(pickle, "K\x04tq"));  // bytes
  CHECK(contains(pickle, "ctorch\nuint16\n"));
  Dict dict;
  for (const DType dtype : {DType::uint16, DType::uint32, DType::uint64}) {
    dict.insert(std::string(to_string(dtype)), arange(6).to(dtype).view({2, 3}));
  }
  CHECK(same(load_bytes(pt_bytes(dict)), dict));
}

TEST_CASE("floats of 8 bits are not written, and named") {
  CHECK(error_of<ValueError>([] {
          pt_bytes({{"w", ones({2}).to(DType::float8_e4m3fn)}});
        }) == "save: stream: entry \"w\": expected a dtype that .pt files have here, got float8_e4m3fn; convert with "
              "to(DType::float16), or "
              "save as .teff");
}

TEST_CASE("what is written is read again: ties, order, dtypes, kinds") {
  const Tensor weight = counted(0, {2, 2});
  const Dict dict{
      {"z", weight},
      {"a", weight},
      {"view", weight.view({4})},
      {"row", weight.select(0, 1)},
      {"half", tensor<float>({1.5, -2}).to(DType::float16)},
      {"bool", tensor<bool>({true, false})},
      {"scalar", scalar_tensor(1.0)},
      {"empty", zeros({2, 0, 3})},
      {"more", Dict{{"epoch", 5},
                    {"list", List{1, -1, 255, 256, 65535, 65536, -(std::int64_t{1} << 40), "x", nullptr, List{}}},
                    {"extremes", List{std::numeric_limits<std::int64_t>::min(),
                                      std::numeric_limits<std::int64_t>::max(), 1e300, -0.0, true}},
                    {"bytes", Bytes{std::byte{0}, std::byte{0x7f}, std::byte{0xff}}},
                    {"none", Dict{}}}}};
  const Dict loaded = load_bytes(pt_bytes(dict));
  CHECK(same(loaded, dict));
  CHECK(share(loaded, "z", "a"));
  CHECK(share(loaded, "z", "view"));
  const TempFile file("x.pt");
  save(dict, file);
  CHECK(read_file(file) == pt_bytes(dict));
  CHECK(same(load(file, {.mmap = true}), dict));
}

TEST_CASE("long dictionaries and lists go in parts, as Python writes them") {
  Dict dict;
  List list;
  for (int i = 0; i < 2001; ++i) {
    dict.insert(std::to_string(i), i);
    list.emplace_back(i);
  }
  dict.insert("list", list);
  dict.insert("thousand", List(list.begin(), list.begin() + 1000));
  CHECK(same(load_bytes(pt_bytes(dict)), dict));
}

TEST_CASE("a state dict becomes an OrderedDict that says which modules it is of") {
  const Dict dict{
      {"conv.weight", ones({1})}, {"block.0.bn.weight", ones({1})}, {"block.0.bn.num_batches_tracked", ones({1})}};
  const std::string pickle = entry_of(pt_bytes(dict), "data.pkl");
  const auto has = [&](const std::string& module, char version) {
    return contains(pickle, text(module) + "q") &&
           contains(pickle.substr(pickle.find(text(module) + "q")).substr(0, text(module).size() + 12),
                    std::string("K") + version + "s");
  };
  CHECK(contains(pickle, "_metadata"));
  CHECK(has("conv", 1));
  CHECK(has("block", 1));
  CHECK(has("block.0", 1));
  CHECK(has("block.0.bn", 2));
  CHECK_FALSE(contains(entry_of(pt_bytes({{"epoch", 5}}), "data.pkl"), "OrderedDict"));
}

TEST_CASE("an optimiser's state has whole numbers as keys") {
  nn::Linear layer(2, 1);
  optim::SGD optimizer(layer.parameters(), {.lr = 0.1, .momentum = 0.9});
  layer(ones({1, 2})).sum().backward();
  optimizer.step();
  const std::string file = pt_bytes(optimizer.state_dict()), pickle = entry_of(file, "data.pkl");
  CHECK(contains(pickle, std::string("(K\0}q", 5)));
  CHECK(same(load_bytes(file), optimizer.state_dict()));
}

TEST_CASE("what Python could not read is not written") {
  const auto refused = [](const Dict& dict) { return error_of<ValueError>([&] { pt_bytes(dict); }); };
  CHECK(refused({{"a", Dict{{"b", Tensor()}}}}) ==
        "save: stream: entry \"a/b\": expected a defined tensor, got an undefined one");
  CHECK(contains(refused({{"a", "\xff"}}), "entry \"a\": expected text in UTF-8"));
  CHECK(contains(refused({{"\xff", 1}}), "expected text in UTF-8"));
  Value deep = List{};
  for (int i = 0; i < 70; ++i) deep = List{deep};
  CHECK(contains(refused({{"a", deep}}), "deeper than 64 in each other"));
  const TempFile file("x.pt");
  CHECK(contains(error_of<ValueError>([&] {
                   save({}, file, {.metadata = {{"by", "test"}}});
                 }),
                 "expected no SaveOptions::metadata, for which PyTorch's files have no place"));
}

TEST_CASE("memory and streams are read like files") {
  std::istringstream stream(read_file(golden_path("state_dict")));
  CHECK(same(load(stream), expected_state_dict()));
  CHECK(same(load_bytes(read_file(golden_path("state_dict_legacy"))), expected_state_dict()));
}

// SPDX-License-Identifier: MIT
#include <sys/stat.h>

#include <filesystem>

#include "cli/command.h"
#include "serialize/file_fixture.h"
#include "serialize/sample_models.h"
#include "serialize/torch/zip_fixture.h"
#include "support/temp_file.h"
#include "teff/serialize/file.h"

using namespace teff;
using namespace teff::testing;

TEST_CASE("convert keeps values, ties and metadata") {
  const TempFolder folder;
  const Tensor weight = ones({2, 3});
  const Dict dict{{"w", weight}, {"tied", weight}, {"view", weight.view({6})}, {"list", List{1, 2.5, zeros({2})}}};
  save(dict, folder / "a.teff", {.metadata = {{"licence", "MIT"}}});
  const Output output = run_teff({"convert", "a.teff", "b.teff"}, folder.path());
  CHECK(output.code == 0);
  CHECK(output.out == "");
  CHECK(output.err == "");
  CHECK(read_file(folder / "b.teff") == read_file(folder / "a.teff"));
}

TEST_CASE("convert takes the state dict of a model") {
  const TempFolder folder;
  Regularised net;
  save_model(net, ones({1, 1, 8, 8}), folder / "m.teff");
  CHECK(run_teff({"convert", "m.teff", "w.teff"}, folder.path()).code == 0);
  CHECK(same(load(folder / "w.teff"), net.state_dict()));
}

TEST_CASE("convert --dtype converts floating-point tensors, and those that are tied stay tied") {
  const TempFolder folder;
  const Tensor weight = tensor({0.1f, 0.2f});
  save({{"w", weight}, {"view", weight.view({2, 1})}, {"list", List{tensor<double>({0.5})}}, {"n", arange(3)}},
       folder / "a.teff");
  CHECK(run_teff({"convert", "--dtype", "float16", "a.teff", "b.teff"}, folder.path()).code == 0);
  const Dict half = load(folder / "b.teff");
  const Tensor expected = weight.to(DType::float16);
  CHECK(same(half, {{"w", expected},
                    {"view", expected.view({2, 1})},
                    {"list", List{tensor({0.5f}).to(DType::float16)}},
                    {"n", arange(3)}}));
  CHECK(half.at("view").as_tensor().shares_memory_with(half.at("w").as_tensor()));
  const Output wrong = run_teff({"convert", "--dtype", "int8", "a.teff", "b.teff"}, folder.path());
  CHECK(wrong.code == 2);
  CHECK(wrong.err ==
        "teff: --dtype: int8 not in {float32,float64,float16,bfloat16,float8_e4m3fn,float8_e5m2} (see teff --help)\n");
}

TEST_CASE("convert leaves the old file when it fails") {
  const TempFolder folder;
  save({{"x", 1}}, folder / "b.teff");
  write_file(folder / "a.teff", "no file of tensors");
  const Output output = run_teff({"convert", "a.teff", "b.teff"}, folder.path());
  CHECK(output.code == 3);
  CHECK(output.err ==
        "teff: a.teff: expected a .teff, PyTorch, safetensors, NumPy or ONNX file, got a text file that begins "
        "with \"no file of tensors\"\n");
  CHECK(same(load(folder / "b.teff"), {{"x", 1}}));
}

TEST_CASE("convert goes to the other formats and back") {
  const TempFolder folder;
  const Dict dict{{"w", tensor({1.f, 2.f})}, {"n", arange(3)}};
  save(dict, folder / "a.teff", {.metadata = {{"licence", "MIT"}}});
  const auto convert = [&](const std::string& from, const std::string& to,
                           const std::string& option = "--dtype=float32") {
    return run_teff({"convert", from, to, option}, folder.path());
  };
  CHECK(convert("a.teff", "b.safetensors").code == 0);
  CHECK(convert("b.safetensors", "c.teff").code == 0);
  CHECK(load(folder / "c.teff") == dict);  // the format has an order of its own
  CHECK(File(folder / "c.teff").metadata() == Dict{{"licence", "MIT"}});
  const Output refused = convert("a.teff", "d.pt");
  CHECK(refused.code == 2);
  CHECK(
      refused.err ==
      "teff: d.pt: expected a format that has a place for the metadata \"licence\" (.teff, .safetensors), got another: "
      "--without-metadata leaves it out\n");
  CHECK(convert("a.teff", "d.pt", "--without-metadata").code == 0);
  CHECK(run_teff({"diff", "d.pt", "b.safetensors"}, folder.path()).out ==
        "metadata licence: only in the second: 'MIT'\n");
  CHECK(run_teff({"verify", "d.pt", "b.safetensors"}, folder.path()).code == 0);
  const Output shown = run_teff({"show", "d.pt"}, folder.path());
  CHECK(contains(shown.out, "d.pt: dictionary, PyTorch, "));
  const std::string offset = std::to_string(File(folder / "d.pt").entries().at(0).offset.value_or(0));
  CHECK(contains(shown.out, "  w     float32 [2]  8      " + offset + '\n'));
}

TEST_CASE("convert --entry takes one entry, by the path that show prints") {
  const TempFolder folder;
  const Dict weights{{"fc.weight", ones({2, 2})}, {"fc.bias", zeros({2})}};
  save({{"epoch", 3}, {"model", weights}, {"a/b", Dict{{"ema", weights}}}, {"steps", List{ones({1}), 2}}},
       folder / "c.pt");
  const auto convert = [&](const std::vector<std::string>& more) {
    std::vector<std::string> arguments{"convert", "c.pt"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_teff(arguments, folder.path());
  };
  CHECK(convert({"w.safetensors", "--entry", "model"}).err == "");
  CHECK(load(folder / "w.safetensors") == weights);
  CHECK(convert({"e.teff", "--entry", "a\\/b/ema"}).err == "");
  CHECK(same(load(folder / "e.teff"), weights));
  CHECK(convert({"b.teff", "--entry", "model/fc.bias"}).err == "");
  CHECK(same(load(folder / "b.teff"), {{"fc.bias", zeros({2})}}));
  CHECK(convert({"b.npy", "--entry", "steps[0]"}).err == "");
  CHECK(same(load(folder / "b.npy"), {{"", ones({1})}}));
  const Output all = convert({"x.safetensors"});
  CHECK(all.code == 2);
  CHECK(
      all.err ==
      "teff: x.safetensors: entry \"epoch\": expected a tensor, got an integer: .safetensors holds tensors by name and "
      "nothing else; save the dictionary as .teff or .pt; --entry takes one entry: model, a\\/b/ema\n");
  CHECK(convert({"x.teff", "--entry", "epoch"}).err ==
        "teff: --entry epoch: expected a dictionary or a tensor, got an integer\n");
  CHECK(
      convert({"x.teff", "--entry", "nope"}).err ==
      "teff: path \"nope\": expected one of the keys \"epoch\", \"model\", \"a/b\", \"steps\" behind \"nope\", got one "
      "that is not there\n");
}

TEST_CASE("convert drops the metadata \"format\", which says only which library wrote the file") {
  const TempFolder folder;
  save({{"w", ones({2})}}, folder / "a.safetensors", {.metadata = {{"format", "pt"}}});
  for (const char* to : {"a.pt", "a.npz", "a.npy"}) {
    CAPTURE(to);
    const Output output = run_teff({"convert", "a.safetensors", to}, folder.path());
    CHECK(output.err == "");
    CHECK(output.code == 0);
    CHECK(load(folder / to).begin()->value == Value(ones({2})));
  }
}

TEST_CASE("convert refuses to write out what overlaps in the file") {
  const TempFolder folder;
  // Views of one storage, each a little shorter than the one before.
  std::string items;
  for (int i = 0; i < 3000; ++i) {
    const std::string numel = "M" + number(static_cast<std::uint64_t>(10000 - i), 2);
    items += text("w" + std::to_string(i)) + tensor_pickle({.numel = "M" + number(10000, 2), .sizes = numel + "\x85"});
  }
  const std::string pickle = kProto + dict(items) + '.';
  write_file(folder / "a.pt",
             zip_of({{"x/data.pkl", pickle}, {"x/data/0", std::string(40000, '\0')}, {"x/version", "3"}}));
  const Output output = run_teff({"convert", "a.pt", "b.teff"}, folder.path());
  CHECK(output.code == 2);
  CHECK(contains(output.err,
                 "expected tensors that take at most 16 times the file and 64 MiB, got 97.3 MiB: they overlap "
                 "in the file, and are written one by one; --entry takes one of them"));
  CHECK_FALSE(std::filesystem::exists(folder / "b.teff"));
}

TEST_CASE("a pipe is a file called -") {
  const TempFolder folder;
  const Dict dict{{"w", tensor({1.f, 2.f})}};
  save(dict, folder / "a.teff");
  TinyNet net;
  save_model(net, ones({1, 2}), folder / "m.teff");
  CHECK(pipe_to_teff("a.teff", {"convert", "-", "b.pt"}, folder.path()).err == "");
  CHECK(load(folder / "b.pt") == dict);
  CHECK(pipe_to_teff("a.teff", {"show", "-"}, folder.path()).out.starts_with("-: dictionary, .teff version 1, "));
  CHECK(pipe_to_teff("m.teff", {"verify", "-"}, folder.path()).out.ends_with(", self-test passed\n"));
  CHECK(pipe_to_teff("a.teff", {"diff", "-", "b.pt"}, folder.path()).code == 0);
  write_file(folder / "page", "<html>");
  CHECK(pipe_to_teff("page", {"verify", "-"}, folder.path()).out.starts_with("-: not supported: expected a .teff, "));
  REQUIRE(::mkfifo((folder / "fifo").c_str(), 0600) == 0);
  CHECK(run_teff({"show", "fifo"}, folder.path()).err ==
        "teff: fifo: expected a regular file, got a device, pipe or socket (the standard input is -)\n");
}

TEST_CASE("no error of the command names functions or options of the library") {
  const TempFolder folder;
  write_file(folder / "page.pt", "<html>");
  write_file(folder / "cut.teff", saved({{"a", 1}}).substr(0, 80));
  save({{"a", 1}}, folder / "good.teff", {.metadata = {{"x", "y"}}});
  write_file(folder / "model.pt", read_file(TEFF_GOLDEN_DIR "/torch/model.pt"));
  for (const std::vector<std::string>& arguments : {std::vector<std::string>{"show", "page.pt"},
                                                    {"show", "cut.teff"},
                                                    {"verify", "page.pt", "cut.teff", "none"},
                                                    {"convert", "page.pt", "x.teff"},
                                                    {"convert", "good.teff", "x.pt"},
                                                    {"convert", "good.teff", "x.npz"},
                                                    {"convert", "good.teff", "none/x.teff"},
                                                    {"diff", "page.pt", "good.teff"},
                                                    {"graph", "good.teff"},
                                                    {"salvage", "page.pt", "x.teff"},
                                                    {"show", "model.pt"},
                                                    {"verify", "model.pt"}}) {
    const Output output = run_teff(arguments, folder.path());
    for (const char* word :
         {"File:", "File::", "load:", "load_model", "save:", "LoadOptions", "SaveOptions", "salvage:"}) {
      CAPTURE(output.err);
      CAPTURE(word);
      CHECK_FALSE(contains(output.err + output.out, word));
    }
  }
}

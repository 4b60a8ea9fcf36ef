// SPDX-License-Identifier: MIT
#include "cli/command.h"
#include "serialize/file_fixture.h"
#include "serialize/sample_models.h"
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
  CHECK(wrong.err == "teff: --dtype: int8 not in {float32,float64,float16,bfloat16} (see teff --help)\n");
}

TEST_CASE("convert leaves the old file when it fails") {
  const TempFolder folder;
  save({{"x", 1}}, folder / "b.teff");
  write_file(folder / "a.teff", "no file of tensors");
  const Output output = run_teff({"convert", "a.teff", "b.teff"}, folder.path());
  CHECK(output.code == 1);
  CHECK(output.err == "teff: File: a.teff: not a .teff file: the first bytes are 6e 6f 20 66 69 6c 65 20\n");
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
  CHECK(refused.err == "teff: save: d.pt: expected no metadata, for which PyTorch's files have no place\n");
  CHECK(convert("a.teff", "d.pt", "--without-metadata").code == 0);
  CHECK(run_teff({"diff", "d.pt", "b.safetensors"}, folder.path()).out ==
        "metadata licence: only in the second: 'MIT'\n");
  CHECK(run_teff({"verify", "d.pt", "b.safetensors"}, folder.path()).code == 0);
  const Output shown = run_teff({"show", "d.pt"}, folder.path());
  CHECK(contains(shown.out, "d.pt: dictionary, PyTorch, "));
  const std::string offset = std::to_string(File(folder / "d.pt").entries().at(0).offset.value_or(0));
  CHECK(contains(shown.out, "  w     float32 [2]  8      " + offset + '\n'));
}

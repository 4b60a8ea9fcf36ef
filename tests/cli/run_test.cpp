// SPDX-License-Identifier: MIT
#include <algorithm>

#include "cli/command.h"
#include "serialize/file_fixture.h"
#include "serialize/sample_models.h"
#include "support/same.h"
#include "support/temp_file.h"

using namespace teff;
using namespace teff::testing;

namespace {

/// A folder with a model of two inputs and two outputs, and files for the inputs.
struct RunFolder {
  TempFolder folder;
  Gated net;
  Tensor x = tensor<float>({{1, -2, 3}, {0.5, 4, -1}});

  RunFolder() {
    net.eval();
    save_model(net, x, folder / "m.teff");
    save({{"", x}}, folder / "x.npy");
  }
  Output run(std::vector<std::string> arguments) const { return run_teff(arguments, folder.path()); }
};

}  // namespace

TEST_CASE("run gives a model's outputs for the tensors of files, by name in a file or as text") {
  const RunFolder here;
  Gated net = here.net;
  const std::vector<Tensor> expected = net({here.x});
  REQUIRE(expected.size() == 2);
  CHECK(here.run({"run", "m.teff", "-i", "x.npy", "-o", "y.safetensors"}).code == 0);
  const Dict outputs = load(here.folder / "y.safetensors");
  REQUIRE(outputs.size() == 2);
  const nn::GraphModule model = load_model(here.folder / "m.teff");
  for (std::size_t i = 0; i < 2; ++i) CHECK(same(outputs.at(model.outputs()[i].name).as_tensor(), expected[i]));

  save({{model.inputs()[0].name, here.x.to(DType::float64)}, {"other", ones({1})}}, here.folder / "named.npz");
  const Output text = here.run({"run", "m.teff", "-i", "named.npz"});
  CHECK(text.err == "");
  CHECK(text.out.starts_with(model.outputs()[0].name + ": float32 [2]\n"));
  CHECK(contains(text.out, model.outputs()[1].name + ": int64 [2]\n"));
}

TEST_CASE("run says what inputs and outputs do not fit") {
  const RunFolder here;
  save({{"a", ones({2})}, {"b", ones({2})}}, here.folder / "two.npz");
  CHECK(contains(here.run({"run", "m.teff", "-i", "two.npz"}).err,
                 "two.npz: expected one tensor, or a tensor for each input by its name, got 2 tensors"));
  CHECK(contains(here.run({"run", "m.teff", "-i", "x.npy", "x.npy"}).err,
                 "expected a file for each input of the model ("));
  save({{"", ones({2, 4})}}, here.folder / "wide.npy");
  CHECK(here.run({"run", "m.teff", "-i", "wide.npy"}).code == 2);
  CHECK(contains(here.run({"run", "x.npy", "-i", "x.npy"}).err, "x.npy"));
  CHECK(here.run({"run", "m.teff", "-i", "x.npy", "-o", "y.npy"}).code == 2);  // a place for one array
  CHECK(contains(here.run({"run", "m.teff"}).err, "--input"));
}

TEST_CASE("bench times a model by batch and threads, and by operation") {
  const RunFolder here;
  const Output text = here.run({"bench", "m.teff", "--batch", "1,3", "--threads", "1,2", "--seconds", "0.01"});
  CHECK(text.err == "");
  CHECK(text.out.starts_with("  batch  threads  best ms  median ms  a second"));
  CHECK(std::count(text.out.begin(), text.out.end(), '\n') == 5);  // the heads, and a row for each

  const Output output = here.run({"bench", "m.teff", "--shape", "4x3", "--seconds", "0.01", "--operations", "--json"});
  CHECK(output.err == "");
  CHECK(contains(output.out, "\"batch\": 4,"));
  CHECK(contains(output.out, "\"peak_gflops\": "));
  CHECK(contains(output.out, "\"operation\": \"linear\""));
  CHECK(contains(here.run({"bench", "m.teff", "--seconds", "0.01", "--operations"}).out, "  operation  "));
}

TEST_CASE("summary tables modules with outputs, parameters and work") {
  const TempFolder folder;
  nn::Sequential net(nn::Linear(3, 4), nn::ReLU(), nn::Sequential(nn::Linear(4, 2, {.bias = false})));
  save_model(net, ones({2, 3}), folder / "m.teff");
  const auto summary = [&](std::vector<std::string> more) {
    more.insert(more.begin(), {"summary", "m.teff"});
    return run_teff(more, folder.path());
  };
  CHECK(summary({}).out == "  layer             output  parameters  FLOP\n"
                           "  Sequential        [2, 2]  -           -\n"
                           "    0 (Linear)      [2, 4]  16          48\n"
                           "    1 (ReLU)        [2, 4]  -           8\n"
                           "    2 (Sequential)  [2, 2]  -           -\n"
                           "      0 (Linear)    [2, 2]  8           32\n"
                           "parameters: 24, trainable 24, 96 B\n"
                           "FLOP of a run: 88\n");
  CHECK(contains(summary({"--batch", "5"}).out, "    0 (Linear)      [5, 4]  16          120\n"));
  CHECK(contains(summary({"--shape", "1x3"}).out, "[1, 2]"));
  CHECK(contains(summary({"--json"}).out, "\"parameters\": 24"));
  CHECK(summary({"--batch", "1,2"}).code == 2);
  save({{"a", ones({2})}}, folder / "d.teff");
  CHECK(run_teff({"summary", "d.teff"}, folder.path()).code == 1);
}

TEST_CASE("summary names modules of other systems by their classes, or by their operations") {
  const auto summary = [](const std::string& path) { return run_teff({"summary", TEFF_GOLDEN_DIR + path}).out; };
  CHECK(contains(summary("/script/residual_scripted.pt"), " (Conv2d) "));
  CHECK(contains(summary("/onnx/residual.onnx"), " (conv2d) "));
  CHECK(contains(summary("/script/residual_frozen.pt"), " (relu) "));
}

TEST_CASE("bench says what sizes and numbers do not fit") {
  const RunFolder here;
  const auto error = [&](std::vector<std::string> more) {
    more.insert(more.begin(), {"bench", "m.teff"});
    const Output output = here.run(more);
    CHECK(output.code == 2);
    return output.err;
  };
  CHECK(contains(error({"--shape", "4by3"}), "--shape: expected sizes like 1x3x224x224, got 4by3"));
  CHECK(contains(error({"--shape", "4x"}), "--shape: expected sizes like 1x3x224x224, got 4x"));
  CHECK(contains(error({"--shape", "1x3", "1x3"}), "--shape: expected one for each input of the model ("));
  CHECK(contains(error({"--shape", "1x4"}), "expected"));
  CHECK(contains(error({"--batch", "0"}), "--batch"));
  CHECK(contains(error({"--seconds", "-1"}), "--seconds"));
}

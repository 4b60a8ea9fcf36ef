// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

#include "cli/command.h"
#include "support/error_of.h"
#include "support/onnx_samples.h"
#include "support/temp_file.h"
#include "teff/serialize/save_load.h"

using namespace teff;
using namespace teff::testing;

namespace {

void write_network(const TempFolder& folder, const onnx::Parts& parts) {
  std::ofstream(folder / "net.onnx", std::ios::binary) << onnx::model(parts);
}

}  // namespace

TEST_CASE("show prints a network in the words of its ONNX file and in those of Teff") {
  const TempFolder folder;
  write_network(folder, onnx::small_network());
  const Output output = run_teff({"show", "net.onnx"}, folder.path());
  CHECK(output.code == 0);
  CHECK(contains(output.out, "net.onnx: network, ONNX, "));
  CHECK(contains(output.out, "  conv.weight      float32 [3, 2, 3, 3]  216 "));
  CHECK(contains(output.out, "  Gemm                Gemm_node                flat, fc.weight, fc.bias "));
  CHECK(contains(output.out, "\nin Teff:\ninput: image, float32 [N, 2, 4, 4]\noutput: scores, float32 [N, 3]\n"));
  CHECK(contains(output.out, " linear "));
  CHECK(contains(run_teff({"show", "--json", "net.onnx"}, folder.path()).out, "\"operators\""));
  CHECK(contains(run_teff({"graph", "net.onnx"}, folder.path()).out, "label=\"linear"));
}

TEST_CASE("show says why Teff has no graph for a network") {
  const TempFolder folder;
  write_network(folder, onnx::one_node(onnx::node("Loop", {"x"}, {"y"})));
  const Output output = run_teff({"show", "net.onnx"}, folder.path());
  CHECK(output.code == 0);
  CHECK(contains(output.out, "no graph in Teff: expected operators that Teff has in version 17, got Loop"));
}

TEST_CASE("convert makes a model of an ONNX file, runs both, and takes its tensors for other formats") {
  const TempFolder folder;
  write_network(folder, onnx::small_network());
  const Output output = run_teff({"convert", "--check", "net.onnx", "net.teff"}, folder.path());
  CHECK(output.code == 0);
  CHECK(output.out == "largest difference: 0\n");
  CHECK(load_model(folder / "net.teff", {.self_test = true}).inputs()[0].name == "image");
  CHECK(run_teff({"convert", "net.onnx", "net.safetensors"}, folder.path()).code == 0);
  CHECK(load(folder / "net.safetensors").size() == 8);
  const Output other = run_teff({"convert", "--check", "net.teff", "other.teff"}, folder.path());
  CHECK(other.code != 0);
  CHECK(contains(other.err, "--check: expected a network that becomes a .teff, ONNX or TorchScript file, got another"));
}

TEST_CASE("convert makes an ONNX file of a model, with its tensors bit for bit, and an example on request") {
  const TempFolder folder;
  write_network(folder, onnx::small_network());
  CHECK(run_teff({"convert", "net.onnx", "net.teff"}, folder.path()).code == 0);
  const Output output = run_teff({"convert", "--check", "--test-data", "net.teff", "back.onnx"}, folder.path());
  CHECK(output.code == 0);
  CHECK(output.err.empty());
  CHECK(contains(output.out, "largest difference: "));
  CHECK(load(folder / "back.onnx") == load(folder / "net.onnx"));
  CHECK(std::filesystem::exists(folder / "test_data_set_0/input_0.pb"));
  CHECK(std::filesystem::exists(folder / "test_data_set_0/output_0.pb"));
  const Output other = run_teff({"convert", "--test-data", "net.teff", "weights.safetensors"}, folder.path());
  CHECK(other.code != 0);
  CHECK(contains(other.err, "--test-data: expected a network that becomes an ONNX file, got another"));
}

TEST_CASE("convert makes a TorchScript archive of a network, and its state dict on request") {
  const TempFolder folder;
  write_network(folder, onnx::small_network());
  for (const std::vector<std::string>& step : {std::vector<std::string>{"net.onnx", "net.teff"},
                                               {"net.teff", "net.pt"},
                                               {"net.onnx", "other.pth"},
                                               {"net.pt", "again.pt"}}) {
    const Output output = run_teff({"convert", "--check", step[0], step[1]}, folder.path());
    CHECK(output.err.empty());
    CHECK(output.code == 0);
    CHECK(output.out.starts_with("largest difference: "));
  }
  const Dict state = load_model(folder / "net.teff").state_dict();
  for (const char* name : {"net.pt", "other.pth", "again.pt"}) {
    CHECK(load(folder / name) == state);
    CHECK(contains(run_teff({"show", name}, folder.path()).out, "network, "));
  }
  CHECK(run_teff({"convert", "--state-dict", "net.teff", "weights.pt"}, folder.path()).code == 0);
  CHECK(load(folder / "weights.pt") == state);
  CHECK_FALSE(contains(run_teff({"show", "weights.pt"}, folder.path()).out, "network, "));
}

// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <cstring>
#include <fstream>
#include <iterator>

#include "cli/command.h"
#include "support/error_of.h"
#include "support/temp_file.h"
#include "teff/serialize/file.h"
#include "teff/serialize/save_load.h"

using namespace teff;
using namespace teff::testing;

namespace {

std::string exported_file(const std::string& name) { return TEFF_GOLDEN_DIR "/exported/" + name; }

}  // namespace

TEST_CASE("show prints an exported program in the words of its file and in those of Teff") {
  const TempFolder folder;
  const Output output = run_teff({"show", exported_file("residual.pt2")}, folder.path());
  CHECK(output.code == 0);
  CHECK(contains(output.out, "residual.pt2: network, PyTorch, "));
  CHECK(contains(output.out, "  aten.batch_norm.default "));
  CHECK(contains(output.out, "\nin Teff:\ninput: x, float32 [N, 3, 4, 4]\noutput: linear, float32 [N, 5]\n"));
  CHECK(contains(run_teff({"show", exported_file("cond.pt2")}, folder.path()).out,
                 "no graph in Teff: expected operators of PyTorch that Teff has, got node"));
  CHECK(run_teff({"verify", exported_file("residual.pt2")}, folder.path()).code == 0);
}

TEST_CASE("convert makes a model of an exported program, runs both, and takes its tensors for other formats") {
  const TempFolder folder;
  const Output output = run_teff({"convert", "--check", exported_file("residual.pt2"), "net.teff"}, folder.path());
  CHECK(output.code == 0);
  CHECK(output.out == "largest difference: 0\n");
  CHECK(load_model(folder / "net.teff", {.self_test = true}).inputs()[0].name == "x");
  CHECK(run_teff({"convert", exported_file("newer.pt2"), "net.safetensors"}, folder.path()).code == 0);
  CHECK(load(folder / "net.safetensors").size() == 8);
  CHECK(run_teff({"convert", "--state-dict", exported_file("residual.pt2"), "state.teff"}, folder.path()).code == 0);
  CHECK(load(folder / "state.teff") == load(exported_file("residual.pt2")));
}

TEST_CASE("the offsets of an exported program's tensors are those in the file") {
  for (const std::string name : {"residual.pt2", "newer.pt2"}) {
    const std::string path = exported_file(name);
    std::ifstream stream(path, std::ios::binary);
    const std::string bytes(std::istreambuf_iterator<char>(stream), {});
    const Tensor weight = load(path).at("conv.weight").as_tensor();
    for (const FileEntry& entry : File(path).entries()) {
      if (entry.path != "conv.weight") continue;
      REQUIRE(entry.offset);
      CHECK(std::memcmp(bytes.data() + *entry.offset, weight.raw_data(), weight.nbytes()) == 0);
    }
  }
}

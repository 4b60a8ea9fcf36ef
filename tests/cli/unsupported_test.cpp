// SPDX-License-Identifier: MIT

// What the command says of entries that Teff has no place for, and of whole modules. The files are PyTorch's:
// tests/golden/torch/make_stranger_files.py.

#include "cli/command.h"
#include "serialize/file_fixture.h"
#include "support/temp_file.h"
#include "teff/teff.h"

using namespace teff;
using namespace teff::testing;

namespace {

std::string torch_file(const std::string& name) { return TEFF_GOLDEN_DIR "/torch/" + name; }

}  // namespace

TEST_CASE("show lists what is not supported as what it is, verify says so, and convert refuses it") {
  const TempFolder folder;
  const std::string file = torch_file("unsupported.pt");
  const Output shown = run_teff({"show", file}, folder.path());
  CHECK(shown.code == 0);
  CHECK(contains(shown.out, "  phase      not supported: ComplexFloatStorage\n"));
  CHECK(contains(shown.out, "  list[1]    not supported: a complex number\n"));
  CHECK(contains(run_teff({"show", "--json", file}, folder.path()).out, "\"what\": \"ComplexFloatStorage\""));
  const Output verified = run_teff({"verify", file}, folder.path());
  CHECK(verified.code == 3);
  CHECK(contains(verified.out, ": not supported: \"phase\": ComplexFloatStorage\n"));
  CHECK(run_teff({"verify", "--skip-unsupported", file}, folder.path()).out == file + ": ok: 2 tensors, 3.5 KiB\n");
  const Output refused = run_teff({"convert", file, "w.teff"}, folder.path());
  CHECK(refused.code == 3);
  CHECK(contains(refused.err, "--skip-unsupported leaves them out, --inert-objects reads the attributes of objects"));
}

TEST_CASE("convert leaves out what it is told to") {
  const TempFolder folder;
  const std::string file = torch_file("unsupported.pt");
  const Output skipped = run_teff({"convert", "--skip-unsupported", "--skip", "list", file, "w.teff"}, folder.path());
  CHECK(skipped.code == 0);
  CHECK(
      skipped.err ==
      "teff: left out: \"phase\" (ComplexFloatStorage), \"coo\" (sparse), \"csr\" (sparse), \"quantised\" (quantised), "
      "\"meta\" (a meta tensor, which has no elements), \"deep\" (of 9 dimensions, which may be 8 at most), "
      "\"text\" (an array of numpy's type U1)\n");
  const Dict expected{{"weight", arange(3).to(DType::float32)}, {"bias", arange(3).to(DType::float32)}};
  CHECK(same(load(folder / "w.teff"), expected));
  const Output unknown = run_teff({"convert", "--skip", "phases", file, "w.teff"}, folder.path());
  CHECK(unknown.code == 1);
  CHECK(contains(unknown.err, "expected the entries to skip among those of the file, got \"phases\""));
}

TEST_CASE("show prints the tree of a whole module, and convert writes its state dict") {
  const TempFolder folder;
  const Output shown = run_teff({"show", torch_file("tree.pt")}, folder.path());
  CHECK(contains(shown.out, "module model:\n" + read_file(torch_file("tree.txt"))));
  CHECK(contains(shown.out, "module list[0]:\nDataParallel(\n"));
  CHECK(contains(run_teff({"show", torch_file("script.pt")}, folder.path()).out,
                 "module:\n" + read_file(torch_file("script.txt"))));
  const Output converted =
      run_teff({"convert", "--entry", "model", torch_file("tree.pt"), "m.safetensors"}, folder.path());
  CHECK(converted.code == 0);
  CHECK(load(folder / "m.safetensors").size() == 12);
}

TEST_CASE("convert makes a network of a pickled module of PyTorch's layers, and of others takes the state dict") {
  const TempFolder folder;
  const auto entire = [](const std::string& name) { return TEFF_GOLDEN_DIR "/entire/" + name; };
  const Output network = run_teff({"convert", "--check", entire("words.pt"), "m.teff"}, folder.path());
  CHECK(network.code == 0);
  CHECK(contains(network.out, "largest difference: 0"));
  CHECK(load_model(folder / "m.teff").inputs()[0].type.dtype == DType::int64);
  const Output refused = run_teff({"convert", entire("hooks.pt"), "h.teff"}, folder.path());
  CHECK(refused.code == 0);
  CHECK(contains(refused.err, "teff: the state dict alone: "));
  CHECK(load(folder / "h.teff").contains("0.weight_g"));
  CHECK(run_teff({"convert", entire("hooks.pt"), "h.onnx"}, folder.path()).code != 0);
}

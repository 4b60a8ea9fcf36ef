// SPDX-License-Identifier: MIT
#include "cli/command.h"
#include "serialize/file_fixture.h"
#include "serialize/sample_models.h"
#include "support/temp_file.h"
#include "teff/serialize/file.h"

using namespace teff;
using namespace teff::testing;

namespace {

/// The file with the last byte of an entry changed.
void damage(const std::string& path, const std::string& entry) {
  std::string bytes = read_file(path);
  for (const FileEntry& one : File(path).entries()) {
    if (one.path == entry) bytes[*one.offset + one.bytes - 1] ^= 1;
  }
  write_file(path, bytes);
}

Dict sample() { return {{"good", ones({2})}, {"bad\x1b", zeros({3})}, {"x", 1}}; }

}  // namespace

TEST_CASE("verify tells for each file whether it is whole") {
  const TempFolder folder;
  TinyNet net;
  save(sample(), folder / "good.teff");
  save_model(net, ones({1, 2}), folder / "model.teff");
  const Output good = run_teff({"verify", "good.teff", "model.teff"}, folder.path());
  CHECK(good.code == 0);
  CHECK(good.err == "");
  CHECK(good.out.starts_with("good.teff: ok: 2 tensors, "));
  CHECK(contains(good.out, "model.teff: ok: 4 tensors, "));
  CHECK(good.out.ends_with(", self-test passed\n"));

  save(sample(), folder / "bad.teff");
  damage(folder / "bad.teff", "bad\x1b");
  const Output bad = run_teff({"verify", "bad.teff", "good.teff"}, folder.path());
  CHECK(bad.code == 1);
  CHECK(bad.out.starts_with("bad.teff: damaged: \"bad\\x1b\": at offset "));
  CHECK(contains(bad.out, ": damaged: expected checksum "));
  CHECK(contains(bad.out, "good.teff: ok: "));

  const Output none = run_teff({"verify", "none.teff", "bad.teff"}, folder.path());
  CHECK(none.code == 2);
  CHECK(none.out.starts_with("none.teff: not read: open none.teff: No such file or directory\nbad.teff: damaged: "));

  const Output json = run_teff({"verify", "--json", "bad.teff"}, folder.path());
  CHECK(json.code == 1);
  CHECK(contains(json.out, "\"status\": \"damaged\""));
  CHECK(contains(json.out, "\"entry\": \"bad\\u001b\""));
}

TEST_CASE("verify refuses what is no file of tensors, or cut off") {
  const TempFolder folder;
  save(sample(), folder / "a.teff");
  const std::string bytes = read_file(folder / "a.teff");
  write_file(folder / "a.teff", bytes.substr(0, bytes.size() - 1));
  const Output cut = run_teff({"verify", "a.teff"}, folder.path());
  CHECK(cut.code == 1);
  CHECK(contains(cut.out, "a.teff: damaged: preamble: expected a file of "));
  write_file(folder / "a.teff", "");
  CHECK(run_teff({"verify", "a.teff"}, folder.path()).out == "a.teff: damaged: the file is empty\n");
}

TEST_CASE("verify says where elements have no checksums") {
  const TempFolder folder;
  const Dict dict{{"", ones({2})}};
  for (const auto& file :
       {std::pair("a.teff", true), {"a.pt", true}, {"a.npz", true}, {"a.npy", false}, {"a.safetensors", false}}) {
    const char* const name = file.first;
    const bool has_checksums = file.second;
    CAPTURE(name);
    save(dict, folder / name);
    CHECK(File(folder / name).has_checksums() == has_checksums);
    const Output output = run_teff({"verify", name}, folder.path());
    CHECK(output.code == 0);
    CHECK(contains(output.out, ", which have no checksums\n") == !has_checksums);
  }
}

TEST_CASE("verify says not supported of files that are whole but of another kind") {
  const TempFolder folder;
  save(sample(), folder / "good.teff");
  save(sample(), folder / "bad.teff");
  damage(folder / "bad.teff", "good");
  write_file(folder / "page.pt", "<html>404</html>");
  const Output alone = run_teff({"verify", "page.pt", "good.teff"}, folder.path());
  CHECK(alone.code == 3);
  CHECK(alone.out.starts_with(
      "page.pt: not supported: expected a .teff, PyTorch, safetensors, NumPy or ONNX file, got an "
      "HTML page, as servers send instead of a file: download the file itself\n"
      "good.teff: ok: "));
  CHECK(contains(run_teff({"verify", "--json", "page.pt"}, folder.path()).out, "\"status\": \"not supported\""));
  CHECK(run_teff({"verify", "page.pt", "bad.teff"}, folder.path()).code == 1);
  CHECK(run_teff({"verify", "none.pt", "page.pt", "bad.teff"}, folder.path()).code == 2);
  for (const char* verb : {"show", "graph"}) {
    CAPTURE(verb);
    const Output output = run_teff({verb, "page.pt"}, folder.path());
    CHECK(output.code == 3);
    CHECK(output.err.starts_with("teff: page.pt: expected a .teff, "));
  }
}

TEST_CASE("verify replays the model's example") {
  const TempFolder folder;
  TinyNet net;
  net.load_state_dict({{"fc.weight", ones({1, 2})}, {"fc.bias", zeros({1})}});
  save_model(net, ones({1, 2}), folder / "m.teff");
  std::string bytes = read_file(folder / "m.teff");
  for (const FileEntry& entry : File(folder / "m.teff").entries()) {
    if (entry.path != "self_test/outputs[0]") continue;
    const float wrong = 5;
    const std::string elements(reinterpret_cast<const char*>(&wrong), sizeof wrong);
    bytes.replace(*entry.offset, 4, elements);
    bytes.replace(bytes.find(word(*entry.checksum)), 8, word(xxh3(elements)));
  }
  write_file(folder / "m.teff", repaired(bytes));
  const Output output = run_teff({"verify", "m.teff"}, folder.path());
  CHECK(output.code == 1);
  CHECK(output.out == "m.teff: damaged: self-test: output 0 (\"relu\") at [0, 0]: expected 5, got 2\n");
}

TEST_CASE("verify runs a model as far as the limits allow") {
  const TempFolder folder;
  TinyNet net;
  save_model(net, ones({1, 2}), folder / "model.teff");
  for (const char* option : {"--max-work", "--max-bytes"}) {
    const Output refused = run_teff({"verify", option, "2", "model.teff"}, folder.path());
    CHECK(refused.code == 2);
    CHECK(contains(refused.out, "model.teff: not read: "));
    CHECK(contains(refused.out, "expected a model of which a run takes at most 2 "));
    CHECK(run_teff({"verify", option, "1e6", "model.teff"}, folder.path()).code == 0);
    CHECK(run_teff({"verify", option, "-1", "model.teff"}, folder.path()).code == 2);
  }
}

TEST_CASE("salvage writes what is intact and names the rest") {
  const TempFolder folder;
  save(sample(), folder / "a.teff");
  CHECK(run_teff({"salvage", "a.teff", "b.teff"}, folder.path()).code == 0);
  CHECK(same(load(folder / "b.teff"), sample()));
  damage(folder / "a.teff", "bad\x1b");
  const Output output = run_teff({"salvage", "a.teff", "b.teff"}, folder.path());
  CHECK(output.code == 1);
  CHECK(output.out.starts_with("lost \"bad\\x1b\": at offset "));
  CHECK(same(load(folder / "b.teff"), {{"good", ones({2})}, {"x", 1}}));
  write_file(folder / "a.teff", read_file(folder / "a.teff").substr(0, 80));
  const Output nothing = run_teff({"salvage", "a.teff", "c.teff"}, folder.path());
  CHECK(nothing.code == 1);
  CHECK(nothing.err.starts_with("teff: a.teff: preamble: expected a header of at most "));
}

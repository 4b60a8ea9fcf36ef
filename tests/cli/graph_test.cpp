// SPDX-License-Identifier: MIT
#include <sys/stat.h>

#include <filesystem>

#include "cli/command.h"
#include "serialize/file_fixture.h"
#include "serialize/sample_models.h"
#include "support/temp_file.h"

using namespace teff;
using namespace teff::testing;

TEST_CASE("graph prints what Graphviz reads") {
  const TempFolder folder;
  TinyNet net;
  save_model(net, ones({1, 2}), folder / "m.teff", {.input_names = {"an \"image\"\\n"}});
  const Output output = run_teff({"graph", "m.teff"}, folder.path());
  CHECK(output.code == 0);
  CHECK(output.err == "");
  CHECK(output.out == "digraph {\n"
                      "  node [fontname=\"sans-serif\"];\n"
                      "  n0 [label=\"an \\\"image\\\"\\\\n\\nfloat32 [1, 2]\", shape=ellipse];\n"
                      "  n3 [label=\"linear\\nfc\\nfloat32 [1, 1]\", shape=box];\n"
                      "  n0 -> n3;\n"
                      "  n4 [label=\"relu\\nfloat32 [1, 1]\", shape=box];\n"
                      "  n3 -> n4;\n"
                      "  out0 [label=\"output 0\", shape=ellipse];\n"
                      "  n4 -> out0;\n"
                      "}\n");
  const Output all = run_teff({"graph", "--parameters", "m.teff"}, folder.path());
  CHECK(contains(all.out, "  n1 [label=\"fc.weight\\nfloat32 [1, 2]\", shape=note, fontsize=10];\n"));
  CHECK(contains(all.out, "  n1 -> n3;\n"));
}

TEST_CASE("graph shows each result of a call") {
  const TempFolder folder;
  Gated net;
  save_model(net, ones({1, 3}), folder / "m.teff");
  const Output output = run_teff({"graph", "m.teff"}, folder.path());
  CHECK(contains(output.out, "  n8 [label=\"max_with_indices\\nfloat32 [1]\", shape=box];\n"
                             "  n7 -> n8;\n"
                             "  n9 [label=\"result 1\\nint64 [1]\", shape=box, style=rounded];\n"
                             "  n8 -> n9;\n"));
  CHECK(contains(output.out, "  n9 -> out1;\n"));
}

TEST_CASE("graph opens networks of other systems") {
  for (const char* path : {"/script/residual_traced.pt", "/onnx/residual.onnx", "/entire/legacy1.pt"}) {
    CHECK(contains(run_teff({"graph", std::string(TEFF_GOLDEN_DIR) + path}).out, "[label=\"conv2d"));
  }
}

TEST_CASE("a dictionary has no graph") {
  const TempFolder folder;
  save({}, folder / "a.teff");
  const Output output = run_teff({"graph", "a.teff"}, folder.path());
  CHECK(output.code == 2);
  CHECK(output.err == "teff: graph: a.teff: expected an entire model, got a dictionary, which has no graph\n");
}

TEST_CASE("embed writes a source and a header that name the function as asked") {
  const TempFolder folder;
  save({{"a", 1}}, folder / "my weights.teff");
  CHECK(run_teff({"embed", "my weights.teff", "-o", "my-weights.cpp"}, folder.path()).code == 0);
  CHECK(read_file(folder / "my-weights.h") ==
        "// Written by `teff embed`.\n#pragma once\n\n#include <cstddef>\n#include <span>\n\n"
        "/// The file my weights.teff: give it to teff::load.\nstd::span<const std::byte> my_weights();\n");
  const std::string source = read_file(folder / "my-weights.cpp");
  CHECK(contains(source, "#include \"my-weights.h\"\n"));
  CHECK(contains(source, "\n    \"\\211TEFF\\015\\012\\032\\012\\000\\001\\000"));
  CHECK(run_teff({"embed", "my weights.teff", "-o", "x.cpp", "--name", "net"}, folder.path()).code == 0);
  CHECK(contains(read_file(folder / "x.h"), "std::span<const std::byte> net();\n"));
}

TEST_CASE("embed refuses names and files that give no program") {
  const TempFolder folder;
  save({{"a", ones({2})}}, folder / "a.teff");
  const auto error = [&](const std::vector<std::string>& arguments, int code) {
    const Output output = run_teff(arguments, folder.path());
    CHECK(output.code == code);
    return output.err;
  };
  CHECK(error({"embed", "a.teff", "-o", "x.cpp", "--name", "1x"}, 2) ==
        "teff: --name: expected letters, digits and _, got 1x (see teff --help)\n");
  CHECK(error({"embed", "a.teff", "-o", "x.h"}, 2) == "teff: expected an output like model.cpp, got x.h\n");
  CHECK(error({"embed", "a.teff", "-o", "none/x.cpp"}, 2) == "teff: none/x.cpp: it cannot be written\n");
  CHECK(error({"embed", "b.teff", "-o", "x.cpp"}, 2) == "teff: b.teff: open b.teff: No such file or directory\n");
  CHECK(error({"embed", "a.teff", "-o", "x.cpp", "--name", "while"}, 2) ==
        "teff: --name: expected a name that C++ leaves free, got while (see teff --help)\n");
  CHECK(error({"embed", "a.teff", "-o", "class.cpp"}, 0) == "");
  CHECK(contains(read_file(folder / "class.h"), "std::span<const std::byte> class_();\n"));
  REQUIRE(::mkfifo((folder / "pipe").c_str(), 0600) == 0);
  for (const char* name : {"pipe", "/dev/zero"}) {
    CHECK(contains(error({"embed", name, "-o", "x.cpp"}, 2), "expected a regular file, got a device, pipe or socket"));
  }
  std::string bytes = read_file(folder / "a.teff");
  bytes.back() ^= 1;
  write_file(folder / "a.teff", bytes);
  CHECK(error({"embed", "a.teff", "-o", "y.cpp"}, 1).starts_with("teff: a.teff: a: at offset "));
  CHECK_FALSE(std::filesystem::exists(folder / "y.cpp"));
}

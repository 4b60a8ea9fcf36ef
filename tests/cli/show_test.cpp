// SPDX-License-Identifier: MIT
#include <algorithm>

#include "cli/command.h"
#include "serialize/file_fixture.h"
#include "serialize/sample_models.h"
#include "support/temp_file.h"

using namespace teff;
using namespace teff::testing;

namespace {

struct Folder : TempFolder {
  Output run(const std::vector<std::string>& arguments) const { return run_teff(arguments, path()); }
};

}  // namespace

TEST_CASE("show prints names, types, places, values and totals") {
  const Folder folder;
  const Tensor weight = ones({2, 3});
  save({{"weight", weight}, {"tied", weight}, {"epoch", 5}, {"log", List{0.5, "x"}}, {"none", List{}}},
       folder / "a.teff", {.metadata = {{"classes", List{"cat", "dog"}}}});
  const Output output = folder.run({"show", "a.teff"});
  CHECK(output.code == 0);
  CHECK(output.err == "");
  CHECK(output.out == "a.teff: dictionary, .teff version 1, 472 B\n"
                      "metadata classes: ['cat', 'dog']\n"
                      "  name    value           bytes  offset\n"
                      "  weight  float32 [2, 3]  24     448\n"
                      "  tied    float32 [2, 3]  24     448     = weight\n"
                      "  epoch   5\n"
                      "  log     [0.5, 'x']\n"
                      "  none    []\n"
                      "2 tensors, 6 elements, 24 B\n");
}

TEST_CASE("show prints a model's mode, inputs, modules and graph") {
  const Folder folder;
  TinyNet net;
  net.fc.bias.requires_grad_(false);
  net.eval();
  save_model(net, ones({3, 2}), folder / "m.teff", {.input_names = {"image"}});
  const Output output = folder.run({"show", "m.teff"});
  CHECK(output.code == 0);
  CHECK(contains(output.out, "m.teff: entire model, .teff version 1, "));
  CHECK(contains(output.out, "  state_dict/fc.bias    float32 [1]     4      "));
  CHECK(contains(output.out, "frozen\n"));
  CHECK(contains(output.out, "mode: evaluation\n"
                             "input: image, float32 [N, 2]\n"
                             "output: relu, float32 [N, 1]\n"
                             "TinyNet(\n"
                             "  (fc): Linear(in_features=2, out_features=1, bias=True)\n"
                             ")\n"
                             "  node  operation           inputs      result          module  attributes\n"
                             "  %0    placeholder image               float32 [3, 2]\n"
                             "  %1    get_attr fc.weight              float32 [1, 2]\n"
                             "  %2    get_attr fc.bias                float32 [1]\n"
                             "  %3    linear              %0, %1, %2  float32 [3, 1]  fc\n"
                             "  %4    relu                %3          float32 [3, 1]\n"));
}

TEST_CASE("show says which sizes are free, by a letter for each") {
  struct Masked : nn::Module {
    nn::Conv2d conv{1, 2, 3, {.padding = 1}};
    TEFF_MODULE(Masked, conv)
    std::vector<Tensor> forward_many(std::span<const Tensor> x) override { return {conv(x[0]) * x[1], x[2]}; }
  } net;
  const Folder folder;
  struct Crop : nn::Module {
    TEFF_MODULE(Crop)
    Tensor forward(const Tensor& x) override { return x.size(2) < 4 ? x * 2.0 : relu(x); }
  } crop;
  save_model(crop, ones({2, 1, 8, 6}), folder / "crop.teff");
  CHECK(contains(folder.run({"show", "crop.teff"}).out, "input: input, float32 [N, A, H, W]\n"
                                                        "H: at least 4\n"
                                                        "output: relu, float32 [?, ?, ?, ?]\n"));
  save_model(net, {ones({2, 1, 8, 6}), ones({2, 1, 8, 6}), ones({4, 5})}, folder / "m.teff");
  const Output output = folder.run({"show", "m.teff"});
  CHECK(contains(output.out, "input: input, float32 [N, 1, H, W]\n"
                             "input: input_1, float32 [N, 1, H, W]\n"
                             "input: input_2, float32 [A, B]\n"
                             "output: mul, float32 [?, 2, ?, ?]\n"
                             "output: input_2, float32 [?, ?]\n"));
  CHECK(contains(folder.run({"show", "--json", "m.teff"}).out, "\"free_sizes\": [\n"));
}

TEST_CASE("show prints all results of a call on one line") {
  const Folder folder;
  Gated net;
  save_model(net, ones({2, 3}), folder / "m.teff");
  const Output output = folder.run({"show", "m.teff"});
  CHECK(contains(output.out, "output: max_with_indices, float32 [N]\noutput: max_with_indices_1, int64 [N]\n"));
  CHECK(contains(output.out, "  %4, %5  split               %3          float32 [2, 4], float32 [2, 4]          "
                             "{'split_size': 4, 'dim': 1}\n"
                             "  %6      sigmoid             %5          float32 [2, 4]\n"));
  CHECK(contains(output.out, "  %8, %9  max_with_indices    %7          float32 [2], int64 [2]                  "
                             "{'dim': 1, 'keepdim': False}\n"));
  const Output json = folder.run({"show", "--json", "m.teff"});
  CHECK(contains(json.out, "\"kind\": \"result\",\n          \"target\": \"\",\n          \"version\": 1,\n"
                           "          \"inputs\": [\n            8\n          ]"));
}

TEST_CASE("show --json is for programs") {
  const Folder folder;
  save({{"w", ones({2})}, {"e", 3}, {"s", "\x1b[31m\xff"}, {"b", Bytes(3)}}, folder / "a.teff");
  const Output output = folder.run({"show", "--json", "a.teff"});
  CHECK(output.code == 0);
  CHECK(contains(output.out,
                 "[\n  {\n    \"file\": \"a.teff\",\n    \"kind\": \"dict\",\n    \"format\": \".teff version 1\",\n"));
  CHECK(
      contains(output.out, "\"e\": 3,\n      \"s\": \"\\u001b[31m\\ufffd\",\n      \"b\": {\n        \"bytes\": 3\n"));
  CHECK(contains(output.out, "\"path\": \"w\",\n        \"dtype\": \"float32\",\n        \"shape\": [\n          2\n"));
  TinyNet net;
  save_model(net, ones({3, 2}), folder / "m.teff");
  const Output model = folder.run({"show", "m.teff", "--json"});
  CHECK(contains(model.out, "\"kind\": \"model\""));
  CHECK(contains(model.out, "\"target\": \"linear\""));
  CHECK(contains(model.out, "\"key\": \"fc.weight\",\n          \"is_parameter\": true"));
}

TEST_CASE("names from files are escaped before they reach a terminal") {
  const Folder folder;
  const std::string evil = "\x1b]0;x\x07 \xc2\x9b"
                           "2J \xe2\x80\xae \xff gr\xc3\xbcn";
  save({{evil, ones({1})}, {"text", evil}}, folder / "a.teff", {.metadata = {{evil, evil}}});
  save({{"other", 1}}, folder / "b.teff");
  std::string model = saved_model(*std::make_unique<TinyNet>(), ones({1, 2}));
  for (std::size_t i = 0; (i = model.find("relu", i)) != std::string::npos; i += 4) model.replace(i, 4, "\x1b[1m");
  write_file(folder / "m.teff", repaired(model));
  for (const std::vector<std::string>& arguments : {std::vector<std::string>{"show", "a.teff"},
                                                    {"show", "--json", "a.teff"},
                                                    {"diff", "a.teff", "b.teff"},
                                                    {"diff", "--json", "a.teff", "b.teff"},
                                                    {"show", "m.teff"},
                                                    {"graph", "m.teff"},
                                                    {"verify", "m.teff"},
                                                    {"verify", evil},
                                                    {evil}}) {
    const Output output = folder.run(arguments);
    for (const std::string& text : {output.out, output.err}) {
      CHECK(text.find('\x1b') == std::string::npos);
      CHECK(text.find('\x07') == std::string::npos);
      CHECK(text.find("\xc2\x9b") == std::string::npos);
      CHECK(text.find("\xe2\x80\xae") == std::string::npos);
      CHECK(text.find('\xff') == std::string::npos);
    }
  }
  CHECK(contains(folder.run({"show", "a.teff"}).out, R"(\x1b]0;x\x07 \xc2\x9b2J \xe2\x80\xae \xff grün)"));
}

TEST_CASE("wrong usage is one line and exit code 2") {
  const Folder folder;
  const auto error = [&](const std::vector<std::string>& arguments) {
    const Output output = folder.run(arguments);
    CHECK(output.code == 2);
    CHECK(output.out == "");
    return output.err;
  };
  CHECK(error({}) == "teff: A subcommand is required (see teff --help)\n");
  CHECK(error({"show"}) == "teff: FILE is required (see teff --help)\n");
  CHECK(error({"show", "none.teff"}) == "teff: none.teff: open none.teff: No such file or directory\n");
  CHECK(error({"show", "."}) == "teff: .: expected a file, got a folder\n");
  CHECK(error({"frobnicate"}) != "");
}

TEST_CASE("help tells what to do, with examples and exit codes") {
  const Output output = run_teff({"--help"});
  CHECK(output.code == 0);
  CHECK(contains(output.out, "Exit codes: 0 all is well; 1 files differ, or one is damaged; 2 wrong usage"));
  for (const char* command : {"show", "verify", "convert", "diff", "graph", "embed", "salvage"}) {
    CHECK(contains(output.out, std::string("\n  ") + command + ' '));
    const Output help = run_teff({command, "--help"});
    CHECK(help.code == 0);
    CHECK(contains(help.out, std::string("Examples:\n  teff ") + command + ' '));
  }
  CHECK(run_teff({"--version"}).out == "teff " TEFF_VERSION "\n");
}

TEST_CASE("show abridges long lists; --all prints an element a line") {
  const Folder folder;
  List numbers, mixed;
  for (int i = 0; i < 1000; ++i) {
    numbers.push_back(i);
    mixed.push_back(Dict{{"n", i}, {"w", full({i + 1}, 1)}});
  }
  save({{"split", numbers}, {"log", mixed}, {"last", ones({2})}}, folder / "a.teff");
  const std::string text = folder.run({"show", "a.teff"}).out;
  CHECK(contains(text, "  split       [0, 1, 2, ..., 997, 998, 999] (1000 elements)\n"
                       "  log[0]/n    0\n"));
  CHECK(contains(text, "  log[2]/w    float32 [3]                                    12     "));
  CHECK(contains(text, "  log[3]      ... 994 more, which --all shows\n"
                       "  log[997]/n  997\n"
                       "  log[997]/w  float32 [998]                                  3992   "));
  CHECK(contains(text, "  last        float32 [2]                                    8      "));
  CHECK(contains(text, "1001 tensors, "));
  CHECK(std::count(text.begin(), text.end(), '\n') == 18);
  const std::string all = folder.run({"show", "--all", "a.teff"}).out;
  CHECK(contains(all, "  split[3]    3\n"));
  CHECK(std::count(all.begin(), all.end(), '\n') == 3004);
}

TEST_CASE("one long name does not widen all rows of show") {
  const Folder folder;
  Dict dict{{std::string(60000, 'k'), 1}};
  for (int i = 0; i < 100; ++i) dict.insert(std::to_string(i), i);
  save(dict, folder / "a.teff");
  const std::string text = folder.run({"show", "a.teff"}).out;
  CHECK(text.size() < 70000);
  CHECK(contains(text, "\n  5     5\n"));
}

TEST_CASE("names of modules cannot pass for lines of show") {
  const Folder folder;
  TinyNet net;
  net.eval();
  std::string model = saved_model(net, ones({1, 2}));
  // In the printed form of the modules, where the last Linear is.
  const std::size_t place = model.rfind("Linear");
  REQUIRE(place != std::string::npos);
  model.replace(place, 6, "A\nmo: ");
  write_file(folder / "m.teff", repaired(model));
  const Output output = folder.run({"show", "m.teff"});
  CHECK(output.code == 0);
  CHECK(contains(output.out, "(fc): A\\x0amo: (in_features=2"));
}

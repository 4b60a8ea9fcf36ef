// SPDX-License-Identifier: MIT

// Whole pickled modules and TorchScript archives. The files are PyTorch 1.13's:
// tests/golden/torch/make_stranger_files.py.

#include <sstream>

#include "serialize/torch/golden_fixture.h"
#include "serialize/torch/zip_fixture.h"
#include "teff/teff.h"

using namespace teff;
using namespace teff::testing;

namespace {

std::vector<std::string> trees() {
  return {torch_golden("tree.pt"), torch_golden("tree5.pt"), torch_golden("tree_legacy1.pt"),
          torch_golden("tree_legacy4.pt")};
}

std::string printed(const nn::ModuleSummary& summary) {
  std::ostringstream text;
  text << summary << '\n';
  return text.str();
}

// Pickles of modules, put together by hand.

std::string object_of(const std::string& name, const std::string& state) {
  const std::size_t dot = name.rfind('.');
  return global(name.substr(0, dot), name.substr(dot + 1)) + ")\x81" + state + "b";
}

std::string module_of(const std::string& name, const std::string& parameters, const std::string& children,
                      const std::string& more = "", const std::string& buffers = "}") {
  return object_of(
      name, dict(text("_parameters") + parameters + text("_buffers") + buffers + text("_modules") + children + more));
}

/// {"m": the module}
std::string file_of_module(const std::string& module) { return pt_of(kProto + dict(text("m") + module) + '.'); }

std::string print_of(const std::string& module) {
  const std::string bytes = file_of_module(module);
  const File file(std::as_bytes(std::span(bytes)));
  REQUIRE(file.modules().size() == 1);
  CHECK(file.modules()[0].path == "m");
  std::string text = printed(file.modules()[0].summary);
  text.pop_back();
  return text;
}

}  // namespace

TEST_CASE("a whole module is its state dict, also within a checkpoint") {
  for (const std::string& path : trees()) {
    CAPTURE(path);
    const Dict loaded = load(path);
    const Dict& model = loaded.at("model").as_dict();
    CHECK(keys_of(model) ==
          "block.scale block.offset block.conv.weight block.norm.weight block.norm.bias block.norm.running_mean "
          "block.norm.running_var block.norm.num_batches_tracked head.0.weight head.0.bias head.3.weight head.3.bias ");
    CHECK(model.at("block.scale") == Value(counted(0, {2})));
    CHECK(model.at("block.conv.weight") == Value(counted(3, {2, 1, 3, 3})));
    CHECK(model.at("block.norm.num_batches_tracked") == Value(scalar_tensor<std::int64_t>(29)));
    CHECK(model.at("head.0.weight").as_tensor().shares_memory_with(model.at("head.3.weight").as_tensor()));
    CHECK(keys_of(loaded.at("list").as_list()[0].as_dict()) == "module.weight ");
  }
}

TEST_CASE("the tree of a module's classes is printed as Python prints it") {
  for (const std::string& path : trees()) {
    CAPTURE(path);
    const File file(path);
    REQUIRE(file.modules().size() == 2);
    CHECK(file.modules()[0].path == "model");
    CHECK(printed(file.modules()[0].summary) == read_file(torch_golden("tree.txt")));
    CHECK(file.modules()[1].path == "list[0]");
    CHECK(printed(file.modules()[1].summary) ==
          "DataParallel(\n  (module): Linear(in_features=1, out_features=1, bias=False)\n)\n");
  }
}

TEST_CASE("layers print their hyper-parameters, and unknown classes their names") {
  const auto layer = [](const std::string& name, const std::string& attributes) {
    return print_of(module_of("torch.nn.modules.x." + name, "}", "}", attributes));
  };
  const auto pair = [](char a, char b) { return std::string("K") + a + "K" + b + "\x86"; };
  const std::string half("G\x3f\xe0\0\0\0\0\0\0", 9);
  CHECK(layer("Linear", "") == "Linear()");  // what it always prints is not there
  CHECK(layer("Dropout", text("p") + half + text("inplace") + "\x89") == "Dropout(p=0.5, inplace=False)");
  CHECK(layer("Softmax", text("dim") + "N") == "Softmax(dim=None)");
  CHECK(layer("GELU", text("approximate") + text("none")) == "GELU(approximate='none')");
  CHECK(layer("ReLU", text("inplace") + "\x89") == "ReLU()");
  CHECK(layer("Upsample", text("size") + pair('\2', '\3') + text("scale_factor") + "N" + text("mode") +
                              text("nearest")) == "Upsample(size=(2, 3), mode=nearest)");
  const std::string conv = text("in_channels") + "K\x03" + text("out_channels") + "K\x06" + text("kernel_size") +
                           pair('\5', '\5') + text("stride") + pair('\1', '\1') + text("padding") + pair('\0', '\0') +
                           text("dilation") + pair('\2', '\1') + text("groups") + "K\x03" + text("padding_mode") +
                           text("zeros");
  CHECK(layer("Conv2d", conv) ==
        "Conv2d(3, 6, kernel_size=(5, 5), stride=(1, 1), dilation=(2, 1), groups=3, bias=False)");
  CHECK(print_of(module_of("my.Conv2d", "}", "}", conv)) == "Conv2d()");
  CHECK(print_of(module_of("my.Net", "}", dict(text("a") + module_of("my.Part", "}", "}")))) ==
        "Net(\n  (a): Part()\n)");
}

TEST_CASE("what of a module has no state is listed by its place, and a module within itself, too") {
  const auto unsupported = [](const std::string& module) {
    const std::string bytes = file_of_module(module);
    const File file(std::as_bytes(std::span(bytes)));
    std::string all;
    for (const UnsupportedEntry& entry : file.unsupported()) all += entry.path + ": " + entry.what + "; ";
    return all;
  };
  CHECK(unsupported(module_of("my.Net", "}", dict(text("a") + object_of("my.Part", "}")))) == "m/a: my.Part; ");
  CHECK(unsupported(module_of("my.Net", "}",
                              dict(text("q") + module_of("torch.nn.quantized.modules.linear.Linear", "}", "}")))) ==
        "m/q: quantised: torch.nn.quantized.modules.linear.Linear; ");
  CHECK(unsupported(module_of("my.Net", dict(text("w") + object_of("my.Weight", "}")), "}")) == "m/w: my.Weight; ");
  const std::string ring =
      global("my", "Net") + ")\x81q\x05" +
      dict(text("_parameters") + "}" + text("_buffers") + "}" + text("_modules") + dict(text("self") + "h\x05")) + "b";
  CHECK(unsupported(ring) == "m/self: a module that contains itself; ");
  std::string deep = module_of("my.Net", "}", "}");
  for (int i = 0; i < 200; ++i) deep = module_of("my.Net", "}", dict(text("a") + deep));
  CHECK(contains(refusal(file_of_module(deep)), "objects deeper than 128 in each other"));
  const std::string buffers =
      dict(text("kept") + tensor_pickle() + text("lost") + tensor_pickle() + text("none") + "N");
  const std::string net =
      module_of("my.Net", "}", "}", text("_non_persistent_buffers_set") + "\x8f(" + text("lost") + "\x90", buffers);
  CHECK(keys_of(load_bytes(file_of_module(net)).at("m").as_dict()) == "kept ");
}

TEST_CASE("a TorchScript archive is the state dict that torch.jit.load gives, and prints as it does") {
  const std::string path = torch_golden("script.pt");
  const Dict state = load(path);
  CHECK(same(state, {{"scale", tensor<float>({0})},
                     {"mean", counted(1, {2})},
                     {"fc.weight", counted(3, {2, 2})},
                     {"fc.bias", counted(7, {2})}}));
  CHECK(same(load(path, {.mmap = true}), state));
  const File file(path);
  REQUIRE(file.modules().size() == 1);
  CHECK(file.modules()[0].path.empty());
  CHECK(printed(file.modules()[0].summary) == read_file(torch_golden("script.txt")));
}

TEST_CASE("a frozen TorchScript archive gives its constants, a quantised one says what is missing") {
  const Dict constants = load(torch_golden("script_frozen.pt"));
  CHECK(keys_of(constants) == "CONSTANTS.c0 CONSTANTS.c1 CONSTANTS.c2 CONSTANTS.c3 CONSTANTS.c4 ");
  const std::string path = torch_golden("script_quantised.pt");
  const std::string what =
      "\"0._packed_params._packed_params\" (quantised: __torch__.torch.classes.quantized.LinearPackedParamsBase)";
  CHECK(contains(error_of<UnsupportedError>([&] { load(path); }), "got " + what + "; the others are \"1.weight\""));
  CHECK(keys_of(load(path, {.skip_unsupported = true})) ==
        "1.weight 1.bias 1.running_mean 1.running_var 1.num_batches_tracked ");
}

TEST_CASE("TorchScript archives that are put together by hand") {
  const std::string script = "__torch__.Net";
  const auto archive = [&](const std::string& state, const std::string& code) {
    return zip_of({{"x/data.pkl", kProto + object_of(script, state) + '.'},
                   {"x/constants.pkl", kProto + ")."},
                   {"x/data/0", number(0x3f800000, 4) + number(0x40000000, 4)},
                   {"x/code/__torch__.py", code},
                   {"x/version", "3"}});
  };
  const std::string tensors = dict(text("b") + tensor_pickle() + text("p") + tensor_pickle() + text("plain") +
                                   tensor_pickle() + text("n") + "K\x01");
  const std::string code = "class Net(Module):\n  __parameters__ = [\"p\", ]\n  __buffers__ = [\"b\", ]\n";
  CHECK(keys_of(load_bytes(archive(tensors, code))) == "p b ");
  CHECK(keys_of(load_bytes(archive(tensors, "class Other(Module):\n  __parameters__ = [\"p\", ]\n"))) == "b p plain ");
  CHECK(keys_of(load_bytes(archive(tensors, "class Net(Module"))) == "");
  const std::string ring = global("__torch__", "Net") + ")\x81q\x05" + dict(text("a") + "h\x05") + "b";
  CHECK(contains(
      refusal(zip_of({{"x/data.pkl", kProto + ring + '.'}, {"x/constants.pkl", kProto + ")."}, {"x/version", "3"}})),
      "\"a\" (a module that contains itself)"));
  CHECK(contains(refusal(archive("N", code)), "loaded"));
  CHECK(
      contains(refusal(zip_of({{"x/data.pkl", kProto + "}."}, {"x/constants.pkl", kProto + ")."}, {"x/version", "3"}})),
               "expected a module of TorchScript, got something else"));
  CHECK(contains(refusal(archive(tensors, std::string(200'000, 'x'))), "loaded"));
  CHECK(contains(refusal(zip_of({{"x/model.json", "{}"}, {"x/version", "1"}})),
                 "it is a TorchScript archive of PyTorch before 1.4"));
}

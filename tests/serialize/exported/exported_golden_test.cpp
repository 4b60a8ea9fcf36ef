// SPDX-License-Identifier: MIT

// Networks as PyTorch writes them with torch.export.save: tests/golden/make_exported_golden.py.

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "support/golden_losses.h"
#include "teff/engine/autograd.h"
#include "teff/engine/error.h"
#include "teff/engine/ops.h"
#include "teff/engine/testing.h"
#include "teff/serialize/file.h"
#include "teff/serialize/save_load.h"

using namespace teff;

namespace {

std::string exported_path(const std::string& name) { return TEFF_GOLDEN_DIR "/exported/" + name; }

nn::GraphModule load_exported(const std::string& name) { return load_model(exported_path(name + ".pt2")); }

Dict exported_golden() { return load(exported_path("expected.safetensors")); }

/// "residual.x0_0", "residual.x0_1", ...
std::vector<Tensor> golden_tensors(const Dict& golden, const std::string& prefix) {
  std::vector<Tensor> tensors;
  for (std::size_t i = 0; golden.contains(prefix + std::to_string(i)); ++i) {
    tensors.push_back(golden.at(prefix + std::to_string(i)).as_tensor());
  }
  return tensors;
}

/// The inputs of the example, and others of another batch, give PyTorch's outputs.
void check_exported(const std::string& file, const std::string& name, int examples = 2) {
  CAPTURE(file);
  nn::GraphModule net = load_exported(file);
  const Dict golden = exported_golden();
  const NoGradGuard no_grad;
  for (int i = 0; i < examples; ++i) {
    const std::string number = std::to_string(i) + '_';
    const std::vector<Tensor> expected = golden_tensors(golden, name + ".y" + number);
    const std::vector<Tensor> outputs = net(golden_tensors(golden, name + ".x" + number));
    REQUIRE(!expected.empty());
    REQUIRE(outputs.size() == expected.size());
    for (std::size_t j = 0; j < outputs.size(); ++j) assert_close(outputs[j], expected[j], {1e-5, 1e-6});
  }
}

void check_state_dict(const std::string& file, const Dict& state, const std::vector<std::string>& keys) {
  const Dict golden = exported_golden();
  CAPTURE(file);
  REQUIRE(state.size() == keys.size());
  for (std::size_t i = 0; const auto& [key, value] : state) {
    CHECK(key == keys[i++]);
    assert_close(value.as_tensor(), golden.at("residual.state." + key).as_tensor(), {0, 0});
  }
}

/// As torch.export orders them: parameters first.
const std::vector<std::string> kKeys = {"conv.weight", "bn.weight",       "bn.bias",        "fc.weight",
                                        "fc.bias",     "bn.running_mean", "bn.running_var", "bn.num_batches_tracked"};

std::string refusal_of_exported(const std::string& name) {
  try {
    static_cast<void>(load_exported(name));
  } catch (const UnsupportedError& error) {
    return error.what();
  }
  return "";
}

bool holds(const std::string& text, const std::string& part) { return text.find(part) != text.npos; }

}  // namespace

TEST_CASE("exported programs give PyTorch's outputs, at another batch too") {
  check_exported("residual", "residual");
  check_exported("fixed", "fixed");
  check_exported("words", "words");
  check_exported("attention", "attention");
  check_exported("recurrent", "recurrent");
  check_exported("in_place", "in_place");
  check_exported("pieces", "pieces");
}

TEST_CASE("the archives of later versions of PyTorch give the same") {
  check_exported("newer", "residual");
  check_exported("newer_pickled", "residual");
}

TEST_CASE("load gives an exported program's state dict, under Python's keys and in its order") {
  for (const std::string file : {"residual", "newer", "newer_pickled"}) {
    check_state_dict(file, load(exported_path(file + ".pt2")), kKeys);
    check_state_dict(file, load_exported(file).state_dict(), kKeys);
  }
}

TEST_CASE(
    "the sizes that an exported program leaves open are free, and a batch with a number where the outputs follow") {
  CHECK(load_exported("residual").inputs()[0] == nn::GraphPort{"x", {{-1, 3, 4, 4}, DType::float32}});
  CHECK(load_exported("fixed").inputs()[0] == nn::GraphPort{"input", {{-1, 2, 4}, DType::float32}});
  CHECK(load_exported("attention").inputs()[1] == nn::GraphPort{"key", {{-1, -1, 4}, DType::float32}});
}

TEST_CASE("an exported program's dictionary names its outputs; a shared weight is shared; what is no state is none") {
  const nn::GraphModule net = load_exported("words");
  CHECK(net.outputs()[0].name == "logits");
  const Dict state = net.state_dict();
  CHECK(state.contains("embedding.weight"));
  CHECK(state.at("head.weight").as_tensor().id() == state.at("embedding.weight").as_tensor().id());
  CHECK(state.contains("scale"));
  CHECK_FALSE(state.contains("mask"));
  CHECK(net.parameters().size() == 1);
}

TEST_CASE("parameters of an exported program train, its buffers do not") {
  const nn::GraphModule net = load_exported("residual");
  CHECK(net.parameters().size() == 5);
  for (const Tensor& parameter : net.parameters()) CHECK(parameter.requires_grad());
  CHECK_FALSE(net.state_dict().at("bn.running_mean").as_tensor().requires_grad());
}

TEST_CASE("a program exported in evaluation trains as in PyTorch: without dropout, with the statistics that it has") {
  const Dict golden = exported_golden();
  testing::check_losses(load_exported("residual"), golden.at("residual.x1_0").as_tensor(),
                        golden.at("residual.losses").as_tensor());
}

TEST_CASE("a program exported in training is in training, and trains as in PyTorch") {
  check_exported("normed", "normed", 1);
  check_exported("normed_decomposed", "normed_decomposed", 1);
  nn::GraphModule net = load_exported("normed_decomposed");
  CHECK(net.is_training());
  const Tensor before = net.state_dict().at("bn.running_mean").as_tensor().clone();
  static_cast<void>(net(exported_golden().at("normed.x0_0").as_tensor()));
  CHECK(max(abs(net.state_dict().at("bn.running_mean").as_tensor() - before)).item<double>() > 0);
  testing::check_losses(load_exported("normed"), exported_golden().at("normed.x0_0").as_tensor(),
                        exported_golden().at("normed.losses").as_tensor());
}

TEST_CASE("what an exported program does that Teff has no place for is refused by node and operator") {
  CHECK(holds(refusal_of_exported("cond"),
              "expected operators of PyTorch that Teff has, got node \"getitem\" (torch.ops.higher_order.cond"));
  CHECK(holds(refusal_of_exported("counts"), "got one that changes \"total\""));
}

TEST_CASE("File lists an exported program's tensors and operators") {
  const File file(exported_path("residual.pt2"));
  CHECK(file.format() == FileFormat::pytorch);
  CHECK(file.entries().size() == kKeys.size());
  REQUIRE(!file.operators().empty());
  CHECK(file.operators()[0].type == "aten.conv2d.default");
  CHECK(file.operators()[0].inputs == std::vector<std::string>{"x", "p_conv_weight"});
  CHECK(file.verify().empty());
}

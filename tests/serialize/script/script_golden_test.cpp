// SPDX-License-Identifier: MIT

// Networks as PyTorch writes them with torch.jit.save: tests/golden/make_script_golden.py.

#include <doctest/doctest.h>

#include <cstdio>
#include <string>

#include "support/golden_losses.h"
#include "teff/engine/autograd.h"
#include "teff/engine/error.h"
#include "teff/engine/ops.h"
#include "teff/engine/testing.h"
#include "teff/serialize/file.h"
#include "teff/serialize/save_load.h"

using namespace teff;

namespace {

std::string script_path(const std::string& name) { return TEFF_GOLDEN_DIR "/script/" + name; }

nn::GraphModule load_script(const std::string& name) { return load_model(script_path(name + ".pt")); }

/// Both inputs, of which the second has other sizes, give PyTorch's outputs.
void check_script(const std::string& name, const std::string& kind) {
  const std::string file = name + "_" + kind;
  CAPTURE(file);
  nn::GraphModule net = load_script(file);
  net.eval();
  const Dict golden = load(script_path(name + ".npz"));
  const NoGradGuard no_grad;
  for (const std::string i : {"0", "1"}) {
    assert_close(net(golden.at("x" + i).as_tensor()), golden.at("y" + i).as_tensor(), {1e-5, 1e-6});
  }
}

}  // namespace

TEST_CASE("traced, scripted and frozen networks give PyTorch's outputs, at other sizes too") {
  check_script("residual", "traced");
  check_script("residual", "scripted");
  check_script("residual", "frozen");
  check_script("attention", "scripted");
  check_script("images", "scripted");
  check_script("images", "traced");
  check_script("in_place", "scripted");
  check_script("in_place", "traced");
  check_script("recurrent", "scripted");
  check_script("recurrent", "traced");
}

TEST_CASE("the sizes that PyTorch's code leaves open are free") {
  CHECK(load_script("residual_scripted").inputs()[0] == nn::GraphPort{"x", {{-1, 3, -1, -1}, DType::float32}});
  CHECK(load_script("attention_scripted").inputs()[0] == nn::GraphPort{"words", {{-1, -1}, DType::int64}});
  CHECK(load_script("in_place_scripted").inputs()[0] == nn::GraphPort{"x", {{-1, 6}, DType::float32}});
}

TEST_CASE("a scripted network trains as in PyTorch: batch norm and dropout follow the mode") {
  testing::check_golden_losses(load_script("residual_scripted"), load(script_path("residual.npz")));
}

TEST_CASE("a network traced in evaluation mode keeps its statistics in training, as in PyTorch") {
  nn::GraphModule net = load_script("residual_traced");
  net.train();
  const Tensor before = net.state_dict().at("bn1.running_mean").as_tensor().clone();
  static_cast<void>(net(load(script_path("residual.npz")).at("x1").as_tensor()));
  assert_close(net.state_dict().at("bn1.running_mean").as_tensor(), before, {0, 0});
}

TEST_CASE("a network that was saved in training mode is in it") {
  nn::GraphModule net = load_script("in_training");
  CHECK(net.is_training());
  const Tensor before = net.state_dict().at("1.running_mean").as_tensor().clone();
  static_cast<void>(net(tensor({{1.0F, 2.0F, 3.0F}, {3.0F, 1.0F, 2.0F}})));
  CHECK_FALSE(Value(net.state_dict().at("1.running_mean").as_tensor()) == Value(before));
}

TEST_CASE("the state dict is that of load, bit by bit, and tied weights are one") {
  for (const std::string name : {"residual_scripted", "residual_traced", "attention_scripted", "control_scripted"}) {
    CAPTURE(name);
    CHECK(load_script(name).state_dict() == load(script_path(name + ".pt")));
  }
  const Dict state = load_script("attention_scripted").state_dict();
  CHECK(state.at("head.weight").as_tensor().is(state.at("embedding.weight").as_tensor()));
}

TEST_CASE("the tree of modules is printed as Python prints it") {
  const nn::GraphModule net = load_script("residual_scripted");
  CHECK(net.summary() == File(script_path("residual_scripted.pt")).modules()[0].summary);
  CHECK(net.type_name() == "RecursiveScriptModule");
}

TEST_CASE("a dictionary of outputs, loops and an optional input") {
  for (const std::string kind : {"scripted", "frozen"}) {
    CAPTURE(kind);
    nn::GraphModule net = load_script("control_" + kind);
    CHECK(net.inputs().size() == 1);
    REQUIRE(net.outputs().size() == 2);
    CHECK(net.outputs()[0].name == "a");
    CHECK(net.outputs()[1].name == "b");
    const Dict golden = load(script_path("control.npz"));
    for (const std::string i : {"0", "1"}) {
      const std::vector<Tensor> y = net(std::vector<Tensor>{golden.at("x" + i).as_tensor()});
      assert_close(y[0], golden.at("y" + i + "a").as_tensor(), {1e-5, 1e-6});
      assert_close(y[1], golden.at("y" + i + "b").as_tensor(), {1e-5, 1e-6});
    }
  }
}

TEST_CASE("types that the caller says are taken") {
  const LoadOptions options{.input_types = {{{1, 3, 6, 6}, DType::float32}}};
  CHECK(load_model(script_path("residual_traced.pt"), options).graph().nodes[0].type.shape == Shape{1, 3, 6, 6});
}

TEST_CASE("types that do not fit are refused with file and line") {
  const auto error_for = [](std::vector<TensorType> types) -> std::string {
    try {
      load_model(script_path("residual_traced.pt"), {.input_types = std::move(types)});
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  };
  const std::string wrong = error_for({{{1, 4, 6, 6}, DType::float32}});
  CHECK(wrong.find("code/__torch__/torch/nn/modules/conv") != std::string::npos);
  CHECK(wrong.find(".py, line ") != std::string::npos);
  CHECK(error_for({{{1, 3, 6, 6}}, {{1}}}).find("input_types for each of the 1 inputs, got 2") != std::string::npos);
}

TEST_CASE("a .teff file of the network gives the same") {
  nn::GraphModule net = load_script("residual_scripted");
  const Tensor x = load(script_path("residual.npz")).at("x0").as_tensor();
  const std::string path = "script_golden_test.teff";
  save_model(net, x, path);
  nn::GraphModule back = load_model(path, {.self_test = true});
  std::remove(path.c_str());
  CHECK(back.state_dict() == net.state_dict());
  net.eval();
  back.eval();
  assert_close(back(x), net(x), {0, 0});
}

TEST_CASE("a state dict of PyTorch is no network") {
  std::string text;
  try {
    load_model(TEFF_GOLDEN_DIR "/torch/checkpoint.pt");
  } catch (const FormatError& error) {
    text = error.what();
  }
  CHECK(text.find("got a file of torch.save: use load") != std::string::npos);
}

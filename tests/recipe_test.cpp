// SPDX-License-Identifier: MIT

// The recipe "Saving and loading models for inference", sentence by sentence.

#include <doctest/doctest.h>

#include <teff/engine/testing.h>
#include <teff/teff.h>
#include <cmath>
#include <concepts>
#include <filesystem>
#include <sstream>
#include <type_traits>

#include "examples/models/net.h"
#include "support/golden.h"
#include "support/temp_file.h"

using namespace teff;
using namespace teff::testing;

namespace {

/// A net that differs in training: the recipe's warning about eval().
struct NormNet : nn::Module {
  nn::Conv2d conv{3, 4, 3};
  nn::BatchNorm2d norm{4};
  nn::Dropout dropout{0.5};
  nn::Linear fc{4 * 6 * 6, 5};
  TEFF_MODULE(NormNet, conv, norm, dropout, fc)

  Tensor forward(const Tensor& x) override { return fc(dropout(relu(norm(conv(x)))).flatten(1)); }
};

bool same(const Tensor& a, const Tensor& b) { return Value(a.detach()) == Value(b.detach()); }

Tensor labels_for(std::int64_t batch) {
  const std::int64_t digits[] = {3, 1, 4, 1, 5, 9, 2, 6};
  std::vector<std::int64_t> labels;
  for (std::int64_t i = 0; i < batch; ++i) labels.push_back(digits[i % 8]);
  return tensor(labels);
}

/// scale * sin(step * i + offset), in double: make_net_golden.py has the same.
Tensor pattern(const Shape& shape, double scale, double step, double offset) {
  Tensor values = empty(shape, {.dtype = DType::float64});
  std::int64_t i = 0;
  for (double& value : values.span<double>()) value = scale * std::sin(step * static_cast<double>(i++) + offset);
  return values.to(DType::float32);
}

void set_pattern(Net& net) {
  const NoGradGuard no_grad;
  int k = 0;
  for (const Tensor& parameter : net.parameters()) {
    const std::int64_t fan_in = parameter.dim() > 1 ? parameter.numel() / parameter.size(0) : 100;
    parameter.copy_(pattern(parameter.shape(), 1 / std::sqrt(static_cast<double>(fan_in)), 0.7 + 0.13 * k, 0.1 * k));
    ++k;
  }
}

/// Sum, sum of magnitudes, first and last.
Tensor summary(const Tensor& tensor) {
  const Tensor values = tensor.detach().to(DType::float64).flatten();
  return stack({values.sum(), values.abs().sum(), values[0], values[-1]});
}

void check_state(const Net& net, const Dict& expected) {
  for (const auto& [key, value] : net.state_dict()) {
    std::string name = key;
    name.replace(name.find('.'), 1, "/");
    INFO(name);
    CHECK_NOTHROW(assert_close(summary(value.as_tensor()), expected.at(name).as_tensor(), {1e-6, 1e-5}));
  }
}

double step(nn::Module& net, optim::Optimizer& optimizer, const Tensor& images, const Tensor& labels) {
  optimizer.zero_grad();
  const Tensor loss = cross_entropy(net(images), labels);
  loss.backward();
  optimizer.step();
  return loss.item<double>();
}

}  // namespace

// "load_state_dict takes a dictionary, not the path to a saved object": the wrong call does not compile.
template <class Argument>
concept LoadableFrom = requires(Net& net, Argument argument) {
  net.load_state_dict(argument);
};
static_assert(LoadableFrom<Dict>);
static_assert(!LoadableFrom<const char*>);
static_assert(!LoadableFrom<std::string>);
static_assert(!std::is_convertible_v<std::string, Dict>);
static_assert(!std::is_convertible_v<const char*, Dict>);

TEST_SUITE("recipe") {
  TEST_CASE("the net is printed as Python prints it") {
    std::ostringstream out;
    out << Net();
    CHECK(out.str() == golden_case(read_golden("net.golden"), "printed").at("net").as_text());
  }

  TEST_CASE("the state dict has PyTorch's keys in PyTorch's order") {
    std::string keys;
    for (const DictItem& item : Net().state_dict()) keys += (keys.empty() ? "" : " ") + item.key;
    CHECK(keys == golden_case(read_golden("net.golden"), "printed").at("keys").as_text());
  }

  TEST_CASE("weights, outputs and losses are PyTorch's, for the same seed and for the same weights") {
    for (const GoldenCase& one : read_golden("net.golden")) {
      if (one.name == "printed" || one.name == "curve") continue;
      INFO(one.name);
      const Dict& expected = one.entries;
      const std::int64_t batch = expected.at("batch").as_int();
      manual_seed(0);
      Net net;
      const bool formula = one.name.starts_with("formula");
      if (formula) set_pattern(net);
      const DType dtype = dtype_from_string(expected.at("dtype").as_text());
      const double tolerance = dtype == DType::float32 ? 1e-5 : 1e-9;
      const Tensor drawn = formula ? pattern({batch, 3, 32, 32}, 1.5, 2.37, 0.2) : randn({batch, 3, 32, 32});
      const Tensor images = drawn.to(dtype);
      net.to(dtype);
      CHECK_NOTHROW(assert_close(summary(images), expected.at("images").as_tensor(), {1e-6, 1e-6}));
      check_state(net, expected.at("before").as_dict());
      CHECK_NOTHROW(assert_close(net(images).slice(0, 0, 4).to(DType::float64), expected.at("outputs").as_tensor(),
                                 {tolerance, tolerance}));
      optim::SGD optimizer(net.parameters(),
                           {.lr = expected.at("lr").as_float(), .momentum = expected.at("momentum").as_float()});
      std::vector<double> losses;
      for (int i = 0; i < 20; ++i) losses.push_back(step(net, optimizer, images, labels_for(batch)));
      CHECK_NOTHROW(assert_close(tensor(losses), expected.at("losses").as_tensor(), {tolerance, tolerance}));
      check_state(net, expected.at("after").as_dict());
    }
  }

  TEST_CASE("training from the same seed follows PyTorch's losses over 100 steps") {
    const Tensor expected = golden_case(read_golden("net.golden"), "curve").at("losses").as_tensor();
    manual_seed(0);
    Net net;
    optim::SGD optimizer(net.parameters(), {.lr = 0.001, .momentum = 0.9});
    std::vector<double> losses;
    for (int i = 0; i < 100; ++i) {
      const Tensor images = randn({8, 3, 32, 32}), labels = randint(0, 10, {8});
      losses.push_back(step(net, optimizer, images, labels));
    }
    CHECK_NOTHROW(assert_close(tensor(losses), expected, {1e-4, 0}));
  }

  TEST_CASE("both ways to save and load give a net with the same outputs") {
    manual_seed(0);
    Net net;
    const Tensor images = randn({4, 3, 32, 32});
    const TempFolder folder;
    save(net.state_dict(), folder / "state_dict_model.teff");
    save_model(net, images, folder / "entire_model.teff");

    Net model;
    CHECK_FALSE(same(model(images), net(images)));
    model.load_state_dict(load(folder / "state_dict_model.teff"));
    model.eval();
    nn::GraphModule entire = load_model(folder / "entire_model.teff");
    entire.eval();

    for (const std::int64_t batch : {1, 4, 7}) {
      const Tensor others = randn({batch, 3, 32, 32});
      const NoGradGuard no_grad;
      CHECK((model(others) - net(others)).abs().max().item<float>() == 0);
      CHECK((entire(others) - net(others)).abs().max().item<float>() == 0);
    }
    CHECK(entire.state_dict() == net.state_dict());
  }

  TEST_CASE("PyTorch's usual extensions name PyTorch's format, which holds no entire models of ours") {
    manual_seed(0);
    Net net;
    const TempFolder folder;
    for (const char* name : {"state_dict_model.pt", "state_dict_model.pth"}) {
      save(net.state_dict(), folder / name);
      CHECK(File(folder / name).format() == FileFormat::pytorch);
      Net model;
      model.load_state_dict(load(folder / name));
      CHECK(model.state_dict() == net.state_dict());
    }
    CHECK_THROWS_WITH_AS(save_model(net, randn({1, 3, 32, 32}), folder / "entire_model.safetensors"),
                         doctest::Contains("which holds no graph: save the state dict"), ValueError);
    save_model(net, randn({1, 3, 32, 32}), folder / "entire_model.pt");
    CHECK(load_model(folder / "entire_model.pt").state_dict() == net.state_dict());
  }

  TEST_CASE("a loaded state dict is a dictionary of its own: the model keeps its values only") {
    Net net, model;
    const TempFile file;
    save(net.state_dict(), file);
    Dict loaded = load(file);
    model.load_state_dict(loaded);
    loaded.at("fc3.bias").as_tensor().fill_(7);
    CHECK(same(model.fc3.bias, net.fc3.bias));
  }

  TEST_CASE("an entire model prints and trains as the net that it was") {
    manual_seed(0);
    Net net;
    const Tensor images = randn({4, 3, 32, 32});
    const TempFile file;
    save_model(net, images, file);
    nn::GraphModule entire = load_model(file);
    std::ostringstream printed, expected;
    printed << entire;
    expected << net;
    CHECK(printed.str() == expected.str());
    optim::SGD first(net.parameters(), {.lr = 0.01, .momentum = 0.9});
    optim::SGD second(entire.parameters(), {.lr = 0.01, .momentum = 0.9});
    for (int i = 0; i < 5; ++i) {
      CHECK(step(entire, second, images, labels_for(4)) == step(net, first, images, labels_for(4)));
    }
    CHECK(entire.state_dict() == net.state_dict());
  }

  TEST_CASE("without eval() dropout and batch norm make results inconsistent") {
    manual_seed(0);
    NormNet net;
    const Tensor images = randn({8, 3, 8, 8});
    const TempFolder folder;
    net(images);  // one batch moves the running statistics
    save(net.state_dict(), folder / "state.teff");
    save_model(net, images, folder / "model.teff");
    NormNet model;
    model.load_state_dict(load(folder / "state.teff"));
    nn::GraphModule entire = load_model(folder / "model.teff");

    REQUIRE(model.is_training());
    REQUIRE(entire.is_training());
    CHECK_FALSE(same(model(images), model(images)));
    CHECK_FALSE(same(entire(images), entire(images)));

    net.eval();
    model.load_state_dict(net.state_dict());  // what the calls in training have changed
    entire.load_state_dict(net.state_dict());
    model.eval();
    entire.eval();
    CHECK(same(model(images), net(images)));
    CHECK(same(entire(images), net(images)));
    CHECK(same(model(images), model(images)));
    CHECK(model.state_dict() == net.state_dict());
  }

  TEST_CASE("a general checkpoint resumes training bit by bit") {
    manual_seed(0);
    NormNet net;
    optim::SGD optimizer(net.parameters(), {.lr = 0.05, .momentum = 0.9, .weight_decay = 1e-4});
    const Tensor images = randn({8, 3, 8, 8}), labels = randint(0, 5, {8});
    for (int i = 0; i < 3; ++i) step(net, optimizer, images, labels);

    const TempFile file;
    save({{"epoch", 3},
          {"model_state_dict", net.state_dict()},
          {"optimizer_state_dict", optimizer.state_dict()},
          {"generator", tensor(default_generator().get_state())},
          {"loss", 0.4}},
         file);
    std::vector<double> expected;
    for (int i = 0; i < 5; ++i) expected.push_back(step(net, optimizer, images, labels));

    const Dict checkpoint = load(file);
    CHECK(checkpoint.at("epoch").as_int() == 3);
    CHECK(checkpoint.at("loss").as_float() == 0.4);
    NormNet resumed;
    optim::SGD resumed_optimizer(resumed.parameters(), {.lr = 1});
    resumed.load_state_dict(checkpoint.at("model_state_dict").as_dict());
    resumed_optimizer.load_state_dict(checkpoint.at("optimizer_state_dict").as_dict());
    default_generator().set_state(checkpoint.at("generator").as_tensor().span<std::uint8_t>());
    resumed.train();
    CHECK(resumed_optimizer.options().lr == 0.05);
    for (const double loss : expected) CHECK(step(resumed, resumed_optimizer, images, labels) == loss);
    CHECK(resumed.state_dict() == net.state_dict());
    CHECK(resumed_optimizer.state_dict() == optimizer.state_dict());
  }

  TEST_CASE("several models go into one file") {
    Net a;
    NormNet b;
    const TempFile file;
    save({{"modelA_state_dict", a.state_dict()}, {"modelB_state_dict", b.state_dict()}}, file);
    const Dict both = load(file);
    Net c;
    NormNet d;
    c.load_state_dict(both.at("modelA_state_dict").as_dict());
    d.load_state_dict(both.at("modelB_state_dict").as_dict());
    CHECK(c.state_dict() == a.state_dict());
    CHECK(d.state_dict() == b.state_dict());
  }

  TEST_CASE("a model starts warm from part of another") {
    Net trained, model;
    Dict part = trained.state_dict();
    part.erase("fc3.weight");
    part.erase("fc3.bias");
    part.insert("head.weight", ones({2, 2}));
    const Dict before = model.clone().state_dict();
    CHECK_THROWS_AS(model.load_state_dict(part), StateDictError);
    CHECK(model.state_dict() == before);
    const LoadReport report = model.load_state_dict(part, {.strict = false});
    CHECK(report.missing_keys == std::vector<std::string>{"fc3.weight", "fc3.bias"});
    CHECK(report.unexpected_keys == std::vector<std::string>{"head.weight"});
    CHECK(same(model.conv1.weight, trained.conv1.weight));
    CHECK(Value(model.fc3.weight.detach()) == before.at("fc3.weight"));
  }
}

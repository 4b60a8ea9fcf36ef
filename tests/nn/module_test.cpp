// SPDX-License-Identifier: MIT
#include "nn/nets.h"

#include "golden/nn_golden.h"

using namespace teff;
using namespace teff::nn_testing;

namespace {

struct TwoLines : nn::Module {
  TEFF_MODULE(TwoLines)
  std::string extra_repr() const override { return "a=1\nb=2"; }
};

struct Mixed : nn::Module {
  TwoLines inner;
  nn::ModuleList blocks{nn::Sequential{nn::ReLU(), nn::Sequential{nn::Tanh()}}, nn::ModuleList()};
  TEFF_MODULE(Mixed, inner, blocks)
  std::string extra_repr() const override { return "scale=2"; }
};

/// One layer in two places, a parameter under two names, a child by pointer, one that may be absent.
struct Tied : nn::Module {
  std::shared_ptr<nn::Linear> first = std::make_shared<nn::Linear>(2, 2);
  std::shared_ptr<nn::Module> again = first;
  nn::Linear other{2, 2};
  nn::Parameter weight{first->weight};
  std::optional<nn::Linear> absent, present = nn::Linear(2, 3);
  TEFF_MODULE(Tied, first, again, other, weight, absent, present)
  Tensor forward(const Tensor& x) override { return (*first)(x) + (*again)(x) + linear(x, weight); }
};

std::vector<std::string> print_all() {
  std::vector<std::string> all;
  const auto add = [&](const nn::Module& module) { all.push_back(printed(module)); };
  add(nn::Conv2d(3, 6, 5));
  add(nn::Conv2d(4, 8, {3, 5}, {.stride = {2, 1}, .padding = {1, 2}, .dilation = {2, 3}, .groups = 4, .bias = false}));
  add(nn::Conv2d(3, 6, 1, {.padding = 1}));
  add(nn::MaxPool2d(2, 2));
  add(nn::MaxPool2d{{3, 2}});
  add(nn::MaxPool2d(3, {2, 1}, {.padding = 1, .dilation = 2, .ceil_mode = true}));
  add(nn::AvgPool2d(2));
  add(nn::AvgPool2d({3, 2}, 2,
                    {.padding = {1, 0}, .ceil_mode = true, .count_include_pad = false, .divisor_override = 3}));
  add(nn::Linear(3, 4));
  add(nn::Linear(3, 4, {.bias = false}));
  add(nn::ReLU());
  add(nn::LeakyReLU());
  add(nn::LeakyReLU(0.2));
  add(nn::LeakyReLU(1));
  add(nn::LeakyReLU(1e-5));
  add(nn::LeakyReLU(123456789));
  add(nn::Sigmoid());
  add(nn::Tanh());
  add(nn::Softmax(1));
  add(nn::Softmax(-1));
  add(nn::BatchNorm2d(8));
  add(nn::BatchNorm2d(8, {.eps = 1e-3, .momentum = {}, .affine = false, .track_running_stats = false}));
  add(nn::BatchNorm2d(8, {.momentum = 0.01}));
  add(nn::Dropout());
  add(nn::Dropout(0.25));
  add(nn::Dropout(0));
  add(nn::Flatten());
  add(nn::Flatten(0, 2));
  add(nn::Identity());
  add(nn::CrossEntropyLoss());
  add(nn::NLLLoss());
  add(nn::MSELoss(Reduction::sum));
  add(nn::Sequential());
  add(nn::ModuleList());
  add(nn::Sequential{nn::Linear(1, 2), nn::Sequential{nn::ReLU()}});
  add(TwoLines());
  add(nn::Sequential{TwoLines()});
  add(Mixed());
  add(Net());
  return all;
}

}  // namespace

TEST_CASE("modules print as PyTorch prints them") {
  const std::vector<std::string> all = print_all();
  REQUIRE(all.size() == golden::kPrinted.size());
  for (std::size_t i = 0; i < all.size(); ++i) CHECK(all[i] == golden::kPrinted[i]);
}

TEST_CASE("a state dict has PyTorch's keys in PyTorch's order") {
  CHECK(keys_of(Net().state_dict()) == golden::kNetKeys);
  CHECK(keys_of(Small().state_dict()) == golden::kSmallKeys);
  std::vector<std::string> names;
  for (const auto& [name, tensor] : Small().named_parameters()) names.push_back(name);
  CHECK(names == golden::kSmallParameters);
  CHECK(Net().num_parameters() == 62006);
}

TEST_CASE("a state dict holds handles") {
  Small net;
  CHECK(net.state_dict().at("bn.weight").as_tensor().is(net.bn.weight));
}

TEST_CASE("a buffer that is not persistent follows its module in all but the state dict") {
  struct Masked : nn::Module {
    nn::Linear fc{2, 2};
    nn::Buffer mask{tensor<float>({1, 0}), {.persistent = false}};
    nn::Buffer offset{tensor<float>({0, 3})};
    TEFF_MODULE(Masked, fc, mask, offset)
    Tensor forward(const Tensor& x) override { return fc(x) * mask + offset; }
  };
  Masked net;
  CHECK(keys_of(net.state_dict()) == std::vector<std::string>{"offset", "fc.weight", "fc.bias"});
  CHECK(net.named_buffers().size() == 2);
  net.load_state_dict(Masked().state_dict());
  Dict whole = net.state_dict();
  whole.insert("mask", ones({2}));
  CHECK(contains(error_of<StateDictError>([&] { net.load_state_dict(whole); }),
                 "Unexpected key(s) in state_dict: \"mask\""));

  net.mask = tensor<float>({0, 1});  // another tensor, of the same kind
  CHECK_FALSE(net.mask.is_persistent());
  Masked copy = net.clone();
  CHECK_FALSE(copy.mask.is_persistent());
  CHECK_FALSE(copy.mask.is(net.mask));
  net.to(DType::float64);
  CHECK(net.mask.dtype() == DType::float64);
  net.to(DType::float32);

  const Tensor x = ones({3, 2});
  nn::GraphModule graph = nn::capture(net, x);
  CHECK(keys_of(graph.state_dict()) == keys_of(net.state_dict()));
  CHECK(same(graph(x), net(x)));
}

TEST_CASE("shared parameters and modules are listed once, and under each name in the state dict") {
  Tied tied;
  std::vector<std::string> names;
  for (const auto& [name, tensor] : tied.named_parameters()) names.push_back(name);
  CHECK(names == std::vector<std::string>{"weight", "first.bias", "other.weight", "other.bias", "present.weight",
                                          "present.bias"});
  CHECK(tied.named_children().size() == 3);
  CHECK(tied.named_modules().size() == 4);
  CHECK(keys_of(tied.state_dict()) == std::vector<std::string>{"weight", "first.weight", "first.bias", "again.weight",
                                                               "again.bias", "other.weight", "other.bias",
                                                               "present.weight", "present.bias"});
}

TEST_CASE("a copy shares parameters, a clone has its own and keeps ties") {
  Tied tied;
  tied.other.bias.requires_grad_(false);
  const Tied copy = tied;
  CHECK(copy.weight.is(tied.weight));
  const Tied clone = tied.clone();
  CHECK_FALSE(clone.weight.shares_memory_with(tied.weight));
  CHECK(clone.weight.is(clone.first->weight));
  CHECK(clone.first == std::dynamic_pointer_cast<nn::Linear>(clone.again));
  CHECK(clone.first != tied.first);
  CHECK_FALSE(clone.other.weight.is(tied.other.weight));
  CHECK(clone.weight.requires_grad());
  CHECK_FALSE(clone.other.bias.requires_grad());
  CHECK(clone.state_dict() == tied.state_dict());
}

TEST_CASE("a clone through the base class has the class and mode of the original") {
  nn::Sequential net{nn::Linear(2, 3), nn::Dropout()};
  net.eval();
  const std::shared_ptr<nn::Module> copy = nn::clone(net);
  CHECK(copy->type_name() == "Sequential");
  CHECK_FALSE(copy->is_training());
  CHECK_FALSE(dynamic_cast<nn::Sequential&>(*copy)[1].is_training());
  CHECK_FALSE(dynamic_cast<nn::Sequential&>(*copy).get<nn::Linear>(0).weight.is(net.get<nn::Linear>(0).weight));
}

TEST_CASE("a class without TEFF_MODULE cannot be cloned") {
  struct Bare : nn::Module {};
  CHECK(error_of<Error>([] { nn::clone(Bare()); }) ==
        "Module: expected a class that can be copied and has TEFF_MODULE, got one that does not");
}

TEST_CASE("a derived class that adds no members has those of its base") {
  struct Block : nn::Sequential {
    Block() : Sequential{nn::Linear(2, 3), nn::ReLU()} {}
    TEFF_MODULE(Block)
  };
  const Block block;
  CHECK(printed(block) == "Block(\n  (0): Linear(in_features=2, out_features=3, bias=True)\n  (1): ReLU()\n)");
  CHECK(keys_of(block.state_dict()) == std::vector<std::string>{"0.weight", "0.bias"});
  const nn::Sequential outer{block};  // holds it, and does not copy its elements
  CHECK(keys_of(outer.state_dict()) == std::vector<std::string>{"0.0.weight", "0.0.bias"});
  CHECK(block.clone().get<nn::Linear>(0).weight.shares_memory_with(outer.state_dict().at("0.0.weight").as_tensor()) ==
        false);
}

TEST_CASE("train and eval reach every module below") {
  Mixed net;
  net.eval();
  for (const auto& [name, module] : net.named_modules()) CHECK_FALSE(module->is_training());
  net.train();
  for (const auto& [name, module] : net.named_modules()) CHECK(module->is_training());
  CHECK(net.named_modules()[4].first == "blocks.0.0");
}

TEST_CASE("apply calls children before parents") {
  Mixed net;
  std::string order;
  net.apply([&](nn::Module& module) { order += module.type_name() + ' '; });
  CHECK(order == "TwoLines ReLU Tanh Sequential Sequential ModuleList ModuleList Mixed ");
}

TEST_CASE("to converts floating-point state in place and leaves the rest") {
  Small net;
  const Tensor weight = net.conv.weight;
  net.to(DType::float64);
  CHECK(weight.is(net.conv.weight));
  CHECK(weight.dtype() == DType::float64);
  CHECK(weight.requires_grad());
  CHECK(net.bn.running_var.dtype() == DType::float64);
  CHECK(net.bn.num_batches_tracked.dtype() == DType::int64);
  CHECK(net(randn({2, 1, 5, 5}, {.dtype = DType::float64})).dtype() == DType::float64);
  CHECK(error_of<TypeError>([&] { net.to(DType::int64); }) ==
        "Small::to: expected float32, float64, float16 or bfloat16, got int64");
}

TEST_CASE("in half precision a module runs and does not train") {
  Small net;
  net.eval();
  const Tensor image = randn({2, 1, 5, 5}), exact = net(image);
  net.to(DType::bfloat16);
  CHECK(net.conv.weight.dtype() == DType::bfloat16);
  CHECK_FALSE(net.conv.weight.requires_grad());
  const Tensor rounded = net(image.to(DType::bfloat16));
  CHECK(rounded.dtype() == DType::bfloat16);
  CHECK(allclose(rounded.to(DType::float32), exact, {.rtol = 0.05, .atol = 0.05}));
}

TEST_CASE("zero_grad removes gradients and requires_grad_ freezes") {
  nn::Linear layer(2, 1);
  layer(ones({1, 2})).sum().backward();
  CHECK(layer.weight.grad().defined());
  layer.zero_grad();
  CHECK_FALSE(layer.weight.grad().defined());
  layer.requires_grad_(false);
  CHECK_FALSE(layer(ones({1, 2})).requires_grad());
}

TEST_CASE("a module without forward says so") {
  nn::ModuleList list;
  CHECK(error_of<Error>([&] { list(ones({1})); }) ==
        "ModuleList: expected a class that overrides forward(input), got one that does not");
  nn::ReLU layer;
  CHECK(error_of<Error>([&] {
          layer({ones({1}), ones({1})});
        }) == "ReLU: expected 1 input (override forward_many to take several), got 2");
}

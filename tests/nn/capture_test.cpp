// SPDX-License-Identifier: MIT
#include "nets.h"

using namespace teff;
using namespace teff::nn_testing;

namespace {

struct WithNorm : nn::Module {
  nn::Conv2d conv{1, 2, 3};
  nn::BatchNorm2d bn{2};
  nn::Dropout dropout{0.5};
  nn::Linear fc{2 * 4 * 4, 3};
  TEFF_MODULE(WithNorm, conv, bn, dropout, fc)
  Tensor forward(const Tensor& x) override {
    const Tensor y = relu(bn(conv(x)));
    return fc(dropout(y.view({y.size(0), -1})));
  }
};

/// A module whose forward is a function.
class Function : public nn::Module {
 public:
  explicit Function(std::function<Tensor(const Tensor&)> function) : function_(std::move(function)) {}
  nn::Linear linear{2, 2};
  nn::Buffer count{zeros({1})};
  TEFF_MODULE(Function, linear, count)
  Tensor forward(const Tensor& x) override { return function_(linear(x)); }

 private:
  std::function<Tensor(const Tensor&)> function_;
};

std::string refused(std::function<Tensor(const Tensor&)> function) {
  Function module(std::move(function));
  const Dict before = snapshot(module.state_dict());
  const Tensor example = randn({3, 2});
  const auto generator = default_generator().get_state();
  const std::string text = error_of<Error>([&] { nn::capture(module, example); });
  CHECK(default_generator().get_state() == generator);
  CHECK(module.is_training());
  CHECK(module.linear.is_training());
  CHECK(module.state_dict() == before);
  return text;
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("a captured network computes the same bits at any batch size") {
  manual_seed(0);
  Net net;
  nn::GraphModule graph = nn::capture(net, randn({2, 3, 32, 32}));
  for (const std::int64_t batch : {1, 2, 5}) {
    const Tensor x = randn({batch, 3, 32, 32});
    CHECK(same_bits(net(x).detach(), graph(x).detach()));
  }
  CHECK(printed(graph) == printed(net));
  CHECK(graph.type_name() == "Net");
  CHECK(graph.state_dict() == net.state_dict());
  CHECK(keys_of(graph.state_dict()) == keys_of(net.state_dict()));
  CHECK(graph.state_dict().at("fc1.weight").as_tensor().is(net.fc1.weight));
}

TEST_CASE("the graph names the module of each call") {
  Net net;
  const nn::GraphModule graph = nn::capture(net, randn({1, 3, 32, 32}));
  std::vector<std::string> calls;
  for (const GraphNode& node : graph.graph().nodes) {
    if (node.kind == GraphNode::Kind::call) calls.push_back(node.target + '@' + node.scope);
  }
  CHECK(calls == std::vector<std::string>{"conv2d@conv1", "relu@", "max_pool2d@pool", "conv2d@conv2", "relu@",
                                          "max_pool2d@pool", "view@", "linear@fc1", "relu@", "linear@fc2", "relu@",
                                          "linear@fc3"});
}

TEST_CASE("a captured network trains as the original") {
  manual_seed(0);
  WithNorm net;
  const Tensor example = randn({4, 1, 6, 6}), labels = tensor<std::int64_t>({0, 1, 2, 0});
  nn::GraphModule graph = nn::capture(net, example).clone();
  CHECK(graph.is_training());
  CHECK_FALSE(graph.state_dict().at("fc.weight").as_tensor().shares_memory_with(net.fc.weight));
  const auto train = [&](nn::Module& module) {
    manual_seed(5);
    optim::SGD optimizer(module.parameters(), {.lr = 0.1, .momentum = 0.9});
    for (int step = 0; step < 3; ++step) {
      optimizer.zero_grad();
      cross_entropy(module(example), labels).backward();
      optimizer.step();
    }
  };
  train(net);
  train(graph);
  CHECK(graph.state_dict() == net.state_dict());  // running statistics and their count included
  net.eval();
  graph.eval();
  CHECK(same_bits(net(example).detach(), graph(example).detach()));
  CHECK(same_bits(graph(example).detach(), graph(example).detach()));
}

TEST_CASE("capture leaves mode, buffers and the generator as they were") {
  WithNorm net;
  net.bn.eval();
  const Dict before = snapshot(net.state_dict());
  const Tensor example = randn({2, 1, 6, 6});
  const auto generator = default_generator().get_state();
  const nn::GraphModule graph = nn::capture(net, example);
  CHECK(default_generator().get_state() == generator);
  CHECK(net.is_training());
  CHECK(net.dropout.is_training());
  CHECK_FALSE(net.bn.is_training());
  CHECK(net.state_dict() == before);
  CHECK(graph.is_training());
  net.eval();
  CHECK_FALSE(nn::capture(net, example).is_training());
}

TEST_CASE("a batch size that is frozen in is an error that names the module") {
  struct Frozen : nn::Module {
    TEFF_MODULE(Frozen)
    Tensor forward(const Tensor& x) override { return x.view({3, 2, 1}); }
  };
  nn::Sequential net{nn::Linear(2, 2), Frozen()};
  const std::string text = error_of<Error>([&] { nn::capture(net, randn({3, 2})); });
  CHECK(contains(text, "batch size"));
}

TEST_CASE("what cannot be written down is refused, and everything is put back") {
  CHECK(contains(refused([](const Tensor& x) { return x.sum().item<float>() > 0 ? x : -x; }), "item"));
  CHECK_FALSE(refused([](const Tensor& x) { return x + randn({1, 2}); }).empty());
  CHECK(contains(refused([](const Tensor& x) { return x.data<float>()[0] > 0 ? x * 2 : x * 3; }),
                 "expected Function to do with other inputs what was recorded"));
  int calls = 0;
  CHECK_FALSE(refused([&](const Tensor& x) { return x * ++calls; }).empty());
  CHECK(refused([](const Tensor&) -> Tensor { throw ValueError("mine"); }).ends_with("mine"));
}

TEST_CASE("a forward that changes its buffers in evaluation mode is refused") {
  struct Counting : nn::Module {
    nn::Buffer count{zeros({1})};
    TEFF_MODULE(Counting, count)
    Tensor forward(const Tensor& x) override {
      ++*count.data<float>();
      return x * 2;
    }
  } counting;
  CHECK(error_of<Error>([&] { nn::capture(counting, randn({2, 2})); }) ==
        "capture: expected the forward of Counting to leave its buffers alone in evaluation mode, but it changes "
        "\"count\"");
  CHECK(counting.count.item<float>() == 0);
  struct Replacing : nn::Module {
    nn::Buffer count{zeros({1})};
    TEFF_MODULE(Replacing, count)
    Tensor forward(const Tensor& x) override {
      count = (count + 1).detach();
      return x * 2;
    }
  } replacing;
  const Tensor handle = replacing.count;
  CHECK_THROWS_AS(nn::capture(replacing, randn({2, 2})), Error);
  CHECK(replacing.count.is(handle));
}

TEST_CASE("several inputs and outputs") {
  struct Two : nn::Module {
    nn::Linear a{2, 3}, b{4, 3};
    TEFF_MODULE(Two, a, b)
    std::vector<Tensor> forward_many(std::span<const Tensor> x) override {
      const Tensor sum = a(x[0]) + b(x[1]);
      return {sum, x[0], relu(sum)};
    }
  } two;
  nn::GraphModule graph = nn::capture(two, {randn({3, 2}), randn({3, 4})});
  const Tensor x = randn({5, 2}), y = randn({5, 4});
  const std::vector<Tensor> expected = two({x, y}), actual = graph({x, y});
  REQUIRE(actual.size() == 3);
  for (std::size_t i = 0; i < 3; ++i) CHECK(same_bits(expected[i].detach(), actual[i].detach()));
  CHECK(error_of<ShapeError>([&] { graph({x}); }) == "graph: expected 2 inputs, got 1");
  nn::GraphModule one = nn::capture(two.a, x);
  CHECK(same_bits(one(x).detach(), two.a(x).detach()));
}

TEST_CASE("a GraphModule nests in other modules") {
  manual_seed(4);
  nn::Sequential features{nn::Conv2d(1, 2, 3), nn::BatchNorm2d(2), nn::ReLU(), nn::Flatten()};
  struct Classifier : nn::Module {
    nn::GraphModule backbone;
    nn::Linear head{32, 3};
    explicit Classifier(nn::GraphModule graph) : backbone(std::move(graph)) {}
    TEFF_MODULE(Classifier, backbone, head)
    Tensor forward(const Tensor& x) override { return head(backbone(x)); }
  };
  const Tensor x = randn({2, 1, 6, 6});
  Classifier net(nn::capture(features, x));
  CHECK(printed(net) == "Classifier(\n  (backbone): " +
                            [&] {
                              std::string text = printed(features);
                              for (std::size_t i = 0; (i = text.find('\n', i)) != std::string::npos; i += 3) {
                                text.insert(i + 1, "  ");
                              }
                              return text;
                            }() +
                            "\n  (head): Linear(in_features=32, out_features=3, bias=True)\n)");
  CHECK(net.state_dict().contains("backbone.1.num_batches_tracked"));
  net.eval();
  CHECK_FALSE(net.backbone.is_training());
  nn::GraphModule graph = nn::capture(net, x);
  CHECK(same_bits(graph(x).detach(), net(x).detach()));
  CHECK(keys_of(graph.state_dict()) == keys_of(net.state_dict()));
  CHECK(contains(printed(graph.graph()), "# backbone.0\n"));
  const Classifier copy = net.clone();
  CHECK_FALSE(copy.state_dict().at("backbone.0.weight").as_tensor().is(features.get<nn::Conv2d>(0).weight));
}

TEST_CASE("capturing a GraphModule gives an equal graph") {
  WithNorm net;
  const Tensor x = randn({2, 1, 6, 6});
  nn::GraphModule once = nn::capture(net, x), twice = nn::capture(once, x);
  CHECK(twice.graph().nodes == once.graph().nodes);
  CHECK(twice.graph().outputs == once.graph().outputs);
  CHECK(twice.summary() == once.summary());
  CHECK(twice.state_dict() == once.state_dict());
}

TEST_CASE("batch norm without running statistics survives a change of mode") {
  nn::Sequential net{nn::Conv2d(1, 2, 3), nn::BatchNorm2d(2, {.affine = false, .track_running_stats = false})};
  const Tensor x = randn({2, 1, 6, 6});
  nn::GraphModule graph = nn::capture(net, x);
  for (const bool training : {true, false, true}) {
    net.train(training);
    graph.train(training);
    CHECK(same_bits(net(x).detach(), graph(x).detach()));
  }
}

TEST_CASE("a GraphModule clones, converts and keeps frozen parameters frozen") {
  WithNorm net;
  net.conv.weight.requires_grad_(false);
  const Tensor x = randn({2, 1, 6, 6});
  nn::GraphModule graph = nn::capture(net, x), clone = graph.clone();
  CHECK_FALSE(net.conv.weight.requires_grad());
  CHECK_FALSE(clone.state_dict().at("conv.weight").as_tensor().requires_grad());
  clone.eval();
  graph.eval();
  CHECK(same_bits(graph(x).detach(), clone(x).detach()));
  clone.to(DType::float64);
  CHECK(clone(x.to(DType::float64)).dtype() == DType::float64);
  CHECK(graph(x).dtype() == DType::float32);
  const Dict zeroed = [&] {
    Dict dict = snapshot(graph.state_dict());
    dict["fc.weight"] = zeros({3, 32});
    dict["fc.bias"] = ones({3});
    return dict;
  }();
  graph.load_state_dict(zeroed);
  CHECK(same_bits(graph(x).detach(), ones({2, 3})));
}

TEST_CASE("a GraphModule refuses parts that do not fit") {
  WithNorm net;
  nn::GraphModuleData data = nn::capture(net, randn({2, 1, 6, 6})).data();
  const auto changed = [&](auto&& change) {
    nn::GraphModuleData copy = data;
    change(copy);
    return copy;
  };
  CHECK_THROWS_AS(nn::GraphModule(changed([](auto& d) { d.state.erase(d.state.begin()); })), ValueError);
  CHECK_THROWS_AS(nn::GraphModule(changed([](auto& d) { d.state[0].tensor = ones({1}); })), ShapeError);
  CHECK_THROWS_AS(nn::GraphModule(changed([](auto& d) { d.state[0].tensor = Tensor(); })), TypeError);
  CHECK(error_of<ValueError>([&] { nn::GraphModule(changed([](auto& d) { d.state.push_back(d.state[0]); })); }) ==
        "GraphModule: expected keys of their own for all of the state, got \"conv.weight\" a second time");
}

// SPDX-License-Identifier: MIT
#include "nn/nets.h"

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
  manual_seed(5);  // the sign that a test asks for differs between the example and the altered example
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
  CHECK(contains(text, "capture: expected forward to take any batch size, but it takes 3 and not 4: module 1: view: "));
  CHECK(contains(text, "; write sizes as x.size(0), or -1 in view"));
}

TEST_CASE("what would be frozen wrongly is an error that names the module and says what to do") {
  struct Reads : nn::Module {
    TEFF_MODULE(Reads)
    Tensor forward(const Tensor& x) override { return x * x.sum().item<float>(); }
  };
  struct Inner : nn::Module {
    nn::Linear fc{2, 2};
    Reads gate;
    TEFF_MODULE(Inner, fc, gate)
    Tensor forward(const Tensor& x) override { return gate(fc(x)); }
  };
  nn::Sequential net{nn::Linear(2, 2), Inner()};
  CHECK(error_of<Error>([&] {
          nn::capture(net, randn({3, 2}));
        }) ==
        "module 1.gate: item: expected no value to be read while a graph is captured: what depends on it would be "
        "frozen; compute with tensors instead");
  struct Multiples : nn::Module {
    TEFF_MODULE(Multiples)
    Tensor forward(const Tensor& x) override { return x.view({x.size(0) * 2 - 3, -1}); }
  };
  nn::Sequential other{nn::Linear(2, 2), Multiples()};
  CHECK(contains(error_of<Error>([&] { nn::capture(other, randn({3, 2})); }), "module 1"));
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
  CHECK(error_of<Error>([&] {
          nn::capture(counting, randn({2, 2}));
        }) == "capture: expected the forward of Counting to leave its buffers alone in evaluation mode, but it changes "
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
  CHECK(printed(net) == "Classifier(\n  (backbone): " + [&] {
    std::string text = printed(features);
    for (std::size_t i = 0; (i = text.find('\n', i)) != std::string::npos; i += 3) {
      text.insert(i + 1, "  ");
    }
    return text;
  }() + "\n  (head): Linear(in_features=32, out_features=3, bias=True)\n)");
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

TEST_CASE("a record tells its inputs and outputs, the batch free") {
  struct Two : nn::Module {
    nn::Linear fc{4, 3};
    TEFF_MODULE(Two, fc)
    std::vector<Tensor> forward_many(std::span<const Tensor> x) override {
      const Tensor scores = fc(x[0]);
      return {scores + x[1], scores.argmax(1), x[1] * 2, scores.view({-1})};
    }
  } two;
  nn::GraphModule graph = nn::capture(two, {randn({5, 4}), randn({3})});
  CHECK(graph.inputs() ==
        std::vector<nn::GraphPort>{{"input", {{-1, 4}, DType::float32}}, {"input_1", {{3}, DType::float32}}});
  const std::vector<nn::GraphPort> outputs = graph.outputs();
  REQUIRE(outputs.size() == 4);
  CHECK(outputs[0] == nn::GraphPort{"add", {{-1, 3}, DType::float32}});
  CHECK(outputs[1] == nn::GraphPort{"argmax", {{-1}, DType::int64}});
  CHECK(outputs[2].type == TensorType{{3}, DType::float32});
  CHECK(outputs[3].type == TensorType{{-1}, DType::float32});
}

TEST_CASE("inputs and outputs have the names that they are given") {
  Net net;
  nn::GraphModule graph = nn::capture(net, randn({2, 3, 32, 32}));
  const auto rename = [&](std::vector<std::string> inputs, std::vector<std::string> outputs) {
    graph.rename_ports(inputs, outputs);
  };
  rename({"image"}, {"scores"});
  rename({}, {});
  CHECK(graph.inputs()[0].name == "image");
  CHECK(graph.outputs()[0] == nn::GraphPort{"scores", {{-1, 10}, DType::float32}});
  CHECK(error_of<ValueError>([&] { rename({"a", "b"}, {}); }) == "rename_ports: expected 1 names of inputs, got 2");
  CHECK(error_of<ValueError>([&] { rename({"relu"}, {}); }) ==
        "rename_ports: expected names of their own for all nodes, got \"relu\" twice");
  CHECK(graph.inputs()[0].name == "image");
  struct Twice : nn::Module {
    nn::Linear fc{2, 2};
    TEFF_MODULE(Twice, fc)
    std::vector<Tensor> forward_many(std::span<const Tensor> x) override {
      const Tensor y = fc(x[0]);
      return {y, y};
    }
  } twice;
  graph = nn::capture(twice, randn({2, 2}));
  rename({}, {"y", "y"});
  CHECK(graph.outputs()[1].name == "y");
  CHECK(error_of<ValueError>([&] {
          rename({}, {"a", "b"});
        }) == "rename_ports: expected one name for outputs that are the same, got \"a\" and another");
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

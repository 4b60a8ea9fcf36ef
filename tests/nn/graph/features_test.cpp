// SPDX-License-Identifier: MIT

// GraphModule::features.

#include <doctest/doctest.h>

#include "support/error_of.h"
#include "support/same.h"
#include "support/temp_file.h"
#include "teff/teff.h"

using namespace teff;
using namespace teff::testing;

namespace {

struct FeatureBlock : nn::Module {
  nn::Conv2d conv{3, 3, 3, {.padding = 1}};
  nn::BatchNorm2d bn{3};
  TEFF_MODULE(FeatureBlock, conv, bn)
  Tensor forward(const Tensor& x) override { return relu(bn(conv(x)) + x); }
};

struct FeatureNet : nn::Module {
  FeatureBlock layer1, layer2;
  nn::Linear fc{3, 2};
  TEFF_MODULE(FeatureNet, layer1, layer2, fc)
  Tensor forward(const Tensor& x) override { return fc(mean(layer2(layer1(x)), {2, 3})); }
};

}  // namespace

TEST_SUITE("features") {
  TEST_CASE("features are what the modules gave, in the order asked for, of any batch") {
    FeatureNet net;
    net.eval();
    nn::GraphModule graph = nn::capture(net, randn({2, 3, 6, 5}));
    nn::GraphModule features = graph.features({"layer2", "layer1.conv", "layer1", "fc"});
    const Tensor x = randn({3, 3, 6, 5});
    const std::vector<Tensor> values = features({x});
    REQUIRE(values.size() == 4);
    CHECK(same(values[0], net.layer2(net.layer1(x))));
    CHECK(same(values[1], net.layer1.conv(x)));
    CHECK(same(values[2], net.layer1(x)));
    CHECK(same(values[3], net(x)));
    CHECK(features.outputs()[1].name == "layer1.conv");
    CHECK(features.outputs()[1].type.shape == Shape{-1, 3, -1, -1});
  }

  TEST_CASE("what comes behind is left out, and parameters are shared") {
    FeatureNet net;
    nn::GraphModule graph = nn::capture(net, randn({2, 3, 6, 5}));
    nn::GraphModule features = graph.features({"layer1"});
    const Dict state = features.state_dict();
    CHECK(state.contains("layer1.bn.num_batches_tracked"));
    CHECK_FALSE(state.contains("layer2.conv.weight"));
    CHECK_FALSE(state.contains("fc.weight"));
    CHECK(state.at("layer1.conv.weight").as_tensor().is(net.layer1.conv.weight));
    CHECK(features.graph().nodes.size() < graph.graph().nodes.size());
  }

  TEST_CASE("they train, are saved and loaded, and run in a session") {
    FeatureNet net;
    net.eval();
    const Tensor x = randn({2, 3, 6, 5});
    nn::GraphModule features = nn::capture(net, x).features({"layer1", "layer2"});
    const TempFile file("features.teff");
    save_model(features, x, file.path());
    nn::GraphModule loaded = load_model(file.path());
    loaded.eval();
    CHECK(same(loaded({x})[1], net.layer2(net.layer1(x))));
    loaded({x})[0].sum().backward();
    CHECK(loaded.state_dict().at("layer1.conv.weight").as_tensor().grad().defined());
    nn::InferenceSession session(loaded, {x.shape()});
    CHECK(session.run(std::vector<Tensor>{x}).size() == 2);
  }

  TEST_CASE("a place can be named by its node, an input too") {
    FeatureNet net;
    net.eval();
    nn::GraphModule graph = nn::capture(net, randn({2, 3, 6, 5}));
    const Tensor x = randn({2, 3, 6, 5});
    const std::string input = graph.graph().nodes[0].name, last = graph.graph().nodes.back().name;
    const std::vector<Tensor> values = graph.features({input, last})({x});
    CHECK(same(values[0], x));
    CHECK(same(values[1], net(x)));
  }

  TEST_CASE("an unknown name is refused with those that there are") {
    FeatureNet net;
    const nn::GraphModule graph = nn::capture(net, randn({2, 3, 6, 5}));
    CHECK(
        error_of<ValueError>([&] { graph.features({"layer3"}); }) ==
        "features: expected the path of a module that computes something (fc, layer1, layer1.bn, layer1.conv, layer2, "
        "layer2.bn, layer2.conv) or the name of a node, got \"layer3\"");
    CHECK(error_of<ValueError>([&] { graph.features(std::span<const std::string>()); }) ==
          "features: expected at least 1 name, got none");
  }
}

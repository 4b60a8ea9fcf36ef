// SPDX-License-Identifier: MIT

// Layers against PyTorch's: tests/golden/modules.golden, which has them under the same names.

#include <functional>
#include <map>
#include <set>

#include "nn/nets.h"
#include "support/golden.h"
#include "teff/engine/testing.h"

using namespace teff;
using namespace teff::testing;
using namespace teff::nn_testing;

namespace {

using Made = std::shared_ptr<nn::Module>;

template <class M>
std::function<Made()> maker(M (*make)()) {
  return [make] { return std::make_shared<M>(make()); };
}

/// A name, and a captureless lambda that makes the layer.
#define LAYER(name, ...)                     \
  {                                          \
    name, maker(+[] { return __VA_ARGS__; }) \
  }

const std::map<std::string, std::function<Made()>> kLayers = {
    LAYER("Conv1d", nn::Conv1d(2, 4, 3)),
    LAYER("Conv1d, all options",
          nn::Conv1d(4, 4, 3, {.stride = 2, .padding = 1, .dilation = 2, .groups = 2, .bias = false})),
    LAYER("Conv2d, same", nn::Conv2d(2, 3, {2, 3}, {.padding = "same", .dilation = {1, 2}})),
    LAYER("Conv2d, valid", nn::Conv2d(2, 3, 3, {.padding = "valid"})),
    LAYER("Conv2d, same, reflect", nn::Conv2d(2, 3, {4, 3}, {.padding = "same", .padding_mode = PadMode::reflect})),
    LAYER("Conv2d, reflect", nn::Conv2d(2, 3, 3, {.padding = {1, 2}, .bias = false, .padding_mode = PadMode::reflect})),
    LAYER("Conv2d, replicate", nn::Conv2d(2, 3, 3, {.stride = 2, .padding = 1, .padding_mode = PadMode::replicate})),
    LAYER("Conv2d, circular", nn::Conv2d(2, 3, 3, {.padding = {2, 1}, .padding_mode = PadMode::circular})),
    LAYER("ConvTranspose2d", nn::ConvTranspose2d(3, 2, 3, {.stride = 2, .padding = 1, .output_padding = 1})),
    LAYER("ConvTranspose2d, all options",
          nn::ConvTranspose2d(4, 6, {3, 2},
                              {.stride = {1, 2}, .output_padding = {1, 0}, .groups = 2, .bias = false, .dilation = 2})),
    LAYER("BatchNorm1d", nn::BatchNorm1d(4)),
    LAYER("BatchNorm1d, rows", nn::BatchNorm1d(2, {.eps = 1e-3, .momentum = {}, .affine = false})),
    LAYER("GroupNorm", nn::GroupNorm(2, 4)),
    LAYER("GroupNorm, plain", nn::GroupNorm(1, 4, {.eps = 1e-3, .affine = false})),
    LAYER("LayerNorm", nn::LayerNorm(4)),
    LAYER("LayerNorm, plain", nn::LayerNorm({2, 3}, {.eps = 1e-6, .elementwise_affine = false})),
    LAYER("AdaptiveAvgPool2d, square", nn::AdaptiveAvgPool2d(2)),
    LAYER("AdaptiveAvgPool2d", nn::AdaptiveAvgPool2d({1, 1})),
    LAYER("AdaptiveMaxPool2d, square", nn::AdaptiveMaxPool2d(2)),
    LAYER("AdaptiveMaxPool2d", nn::AdaptiveMaxPool2d({3, 2})),
    LAYER("Upsample", nn::Upsample({.scale_factor = 2})),
    LAYER("Upsample, bilinear",
          nn::Upsample({.scale_factor = ScaleFactor(2.5, 1.5), .mode = InterpolateMode::bilinear})),
    LAYER("Upsample, size",
          nn::Upsample({.size = Pair(4, 5), .mode = InterpolateMode::bilinear, .align_corners = true})),
    LAYER("Upsample, square", nn::Upsample({.size = 4})),
    LAYER("Dropout2d", nn::Dropout2d()),
    LAYER("Dropout, inplace", nn::Dropout(0.2, true)),
    LAYER("Embedding", nn::Embedding(5, 3)),
    LAYER("Embedding, padding_idx", nn::Embedding(5, 3, {.padding_idx = -2})),
    LAYER("ZeroPad2d", nn::ZeroPad2d(1)),
    LAYER("ZeroPad2d, sides", nn::ZeroPad2d({1, -1, 0, 3})),
    LAYER("ReflectionPad2d", nn::ReflectionPad2d({1, 2, 0, 2})),
    LAYER("ReplicationPad2d", nn::ReplicationPad2d(2)),
    LAYER("PReLU", nn::PReLU()),
    LAYER("PReLU, channels", nn::PReLU(3, 0.1)),
    LAYER("ReLU, inplace", nn::ReLU(true)),
    LAYER("ReLU6", nn::ReLU6()),
    LAYER("ReLU6, inplace", nn::ReLU6(true)),
    LAYER("LeakyReLU, inplace", nn::LeakyReLU(0.1, true)),
    LAYER("Hardtanh", nn::Hardtanh()),
    LAYER("Hardtanh, inplace", nn::Hardtanh(-0.5, 2, true)),
    LAYER("ELU", nn::ELU()),
    LAYER("ELU, inplace", nn::ELU(0.5, true)),
    LAYER("GELU", nn::GELU()),
    LAYER("GELU, tanh", nn::GELU(GeluApproximation::tanh)),
    LAYER("SiLU", nn::SiLU()),
    LAYER("SiLU, inplace", nn::SiLU(true)),
    LAYER("Hardswish", nn::Hardswish()),
    LAYER("Hardsigmoid", nn::Hardsigmoid()),
    LAYER("Softplus", nn::Softplus()),
    LAYER("Softplus, options", nn::Softplus(0.5, 10.5)),
    LAYER("LogSoftmax", nn::LogSoftmax(1)),
};

#undef LAYER

/// The entries of a golden dict, which is left out where it is empty.
std::vector<std::string> keys_of_state(const Dict& entries) {
  const Value* state = entries.find("state");
  return state == nullptr ? std::vector<std::string>() : keys_of(state->as_dict());
}

void check_layer(const GoldenCase& one) {
  const auto known = kLayers.find(one.name);
  REQUIRE(known != kLayers.end());
  manual_seed(5);
  const Made layer = known->second();
  CHECK(printed(*layer) == one.entries.at("printed").as_text());
  const Dict state = layer->state_dict();
  REQUIRE(keys_of(state) == keys_of_state(one.entries));
  for (const DictItem& item : state) {
    INFO(item.key);
    CHECK(same_bits(item.value.as_tensor(), one.entries.at("state").as_dict().at(item.key).as_tensor()));
  }
  manual_seed(6);
  const Tensor output = (*layer)(one.entries.at("input").as_tensor());
  CHECK_NOTHROW(assert_close(output.detach(), one.entries.at("output").as_tensor(), {1e-5, 1e-6}));
}

}  // namespace

TEST_CASE("layers print, begin and compute as PyTorch's do") {
  std::set<std::string> seen;
  for (const GoldenCase& one : read_golden("modules.golden")) {
    INFO(one.name);
    seen.insert(one.name);
    check_layer(one);
  }
  CHECK(seen.size() == kLayers.size());
}

TEST_CASE("layers are captured for any batch, saved with their words, and give the same bits") {
  for (const GoldenCase& one : read_golden("modules.golden")) {
    INFO(one.name);
    const Made layer = kLayers.at(one.name)();
    layer->eval();
    const Tensor input = one.entries.at("input").as_tensor();
    nn::GraphModule captured = nn::capture(*layer, input);
    captured.eval();
    const Tensor twice = cat({input, input});
    CHECK(same_bits(captured(twice).detach(), (*layer)(twice).detach()));
    CHECK(printed(captured) == printed(*layer));
  }
}

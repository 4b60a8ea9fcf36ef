// SPDX-License-Identifier: MIT

// Layers against PyTorch's: tests/golden/modules.golden, which has them under the same names.

#include <set>

#include "nn/layer_cases.h"

using namespace teff;
using namespace teff::testing;
using namespace teff::nn_testing;

namespace {

const LayerCases kLayers = {
    TEFF_LAYER("Conv1d", nn::Conv1d(2, 4, 3)),
    TEFF_LAYER("Conv1d, all options",
               nn::Conv1d(4, 4, 3, {.stride = 2, .padding = 1, .dilation = 2, .groups = 2, .bias = false})),
    TEFF_LAYER("Conv2d, same", nn::Conv2d(2, 3, {2, 3}, {.padding = "same", .dilation = {1, 2}})),
    TEFF_LAYER("Conv2d, valid", nn::Conv2d(2, 3, 3, {.padding = "valid"})),
    TEFF_LAYER("Conv2d, same, reflect",
               nn::Conv2d(2, 3, {4, 3}, {.padding = "same", .padding_mode = PadMode::reflect})),
    TEFF_LAYER("Conv2d, reflect",
               nn::Conv2d(2, 3, 3, {.padding = {1, 2}, .bias = false, .padding_mode = PadMode::reflect})),
    TEFF_LAYER("Conv2d, replicate",
               nn::Conv2d(2, 3, 3, {.stride = 2, .padding = 1, .padding_mode = PadMode::replicate})),
    TEFF_LAYER("Conv2d, circular", nn::Conv2d(2, 3, 3, {.padding = {2, 1}, .padding_mode = PadMode::circular})),
    TEFF_LAYER("ConvTranspose2d", nn::ConvTranspose2d(3, 2, 3, {.stride = 2, .padding = 1, .output_padding = 1})),
    TEFF_LAYER(
        "ConvTranspose2d, all options",
        nn::ConvTranspose2d(4, 6, {3, 2},
                            {.stride = {1, 2}, .output_padding = {1, 0}, .groups = 2, .bias = false, .dilation = 2})),
    TEFF_LAYER("BatchNorm1d", nn::BatchNorm1d(4)),
    TEFF_LAYER("BatchNorm1d, rows", nn::BatchNorm1d(2, {.eps = 1e-3, .momentum = {}, .affine = false})),
    TEFF_LAYER("GroupNorm", nn::GroupNorm(2, 4)),
    TEFF_LAYER("GroupNorm, plain", nn::GroupNorm(1, 4, {.eps = 1e-3, .affine = false})),
    TEFF_LAYER("LayerNorm", nn::LayerNorm(4)),
    TEFF_LAYER("LayerNorm, plain", nn::LayerNorm({2, 3}, {.eps = 1e-6, .elementwise_affine = false})),
    TEFF_LAYER("AdaptiveAvgPool2d, square", nn::AdaptiveAvgPool2d(2)),
    TEFF_LAYER("AdaptiveAvgPool2d", nn::AdaptiveAvgPool2d({1, 1})),
    TEFF_LAYER("AdaptiveMaxPool2d, square", nn::AdaptiveMaxPool2d(2)),
    TEFF_LAYER("AdaptiveMaxPool2d", nn::AdaptiveMaxPool2d({3, 2})),
    TEFF_LAYER("Upsample", nn::Upsample({.scale_factor = 2})),
    TEFF_LAYER("Upsample, bilinear",
               nn::Upsample({.scale_factor = ScaleFactor(2.5, 1.5), .mode = InterpolateMode::bilinear})),
    TEFF_LAYER("Upsample, size",
               nn::Upsample({.size = Pair(4, 5), .mode = InterpolateMode::bilinear, .align_corners = true})),
    TEFF_LAYER("Upsample, square", nn::Upsample({.size = 4})),
    TEFF_LAYER("Dropout2d", nn::Dropout2d()),
    TEFF_LAYER("Dropout, inplace", nn::Dropout(0.2, true)),
    TEFF_LAYER("Embedding", nn::Embedding(5, 3)),
    TEFF_LAYER("Embedding, padding_idx", nn::Embedding(5, 3, {.padding_idx = -2})),
    TEFF_LAYER("ZeroPad2d", nn::ZeroPad2d(1)),
    TEFF_LAYER("ZeroPad2d, sides", nn::ZeroPad2d({1, -1, 0, 3})),
    TEFF_LAYER("ReflectionPad2d", nn::ReflectionPad2d({1, 2, 0, 2})),
    TEFF_LAYER("ReplicationPad2d", nn::ReplicationPad2d(2)),
    TEFF_LAYER("PReLU", nn::PReLU()),
    TEFF_LAYER("PReLU, channels", nn::PReLU(3, 0.1)),
    TEFF_LAYER("ReLU, inplace", nn::ReLU(true)),
    TEFF_LAYER("ReLU6", nn::ReLU6()),
    TEFF_LAYER("ReLU6, inplace", nn::ReLU6(true)),
    TEFF_LAYER("LeakyReLU, inplace", nn::LeakyReLU(0.1, true)),
    TEFF_LAYER("Hardtanh", nn::Hardtanh()),
    TEFF_LAYER("Hardtanh, inplace", nn::Hardtanh(-0.5, 2, true)),
    TEFF_LAYER("ELU", nn::ELU()),
    TEFF_LAYER("ELU, inplace", nn::ELU(0.5, true)),
    TEFF_LAYER("GELU", nn::GELU()),
    TEFF_LAYER("GELU, tanh", nn::GELU(GeluApproximation::tanh)),
    TEFF_LAYER("SiLU", nn::SiLU()),
    TEFF_LAYER("SiLU, inplace", nn::SiLU(true)),
    TEFF_LAYER("Hardswish", nn::Hardswish()),
    TEFF_LAYER("Hardsigmoid", nn::Hardsigmoid()),
    TEFF_LAYER("Softplus", nn::Softplus()),
    TEFF_LAYER("Softplus, options", nn::Softplus(0.5, 10.5)),
    TEFF_LAYER("LogSoftmax", nn::LogSoftmax(1)),
};

void check_layer(const GoldenCase& one) {
  const auto known = kLayers.find(one.name);
  REQUIRE(known != kLayers.end());
  manual_seed(5);
  const MadeLayer layer = known->second();
  check_same_begin(*layer, one.entries);
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
    const MadeLayer layer = kLayers.at(one.name)();
    layer->eval();
    const Tensor input = one.entries.at("input").as_tensor();
    nn::GraphModule captured = nn::capture(*layer, input);
    captured.eval();
    const Tensor twice = cat({input, input});
    CHECK(same_bits(captured(twice).detach(), (*layer)(twice).detach()));
    CHECK(printed(captured) == printed(*layer));
  }
}

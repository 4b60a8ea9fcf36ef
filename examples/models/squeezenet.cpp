// SPDX-License-Identifier: MIT
#include "examples/models/squeezenet.h"

namespace models {

using namespace teff;

namespace {

nn::MaxPool2d make_pool() { return {3, 2, {.ceil_mode = true}}; }

}  // namespace

Fire::Fire(std::int64_t in_channels, std::int64_t squeeze_channels, std::int64_t expand_channels)
    : squeeze(in_channels, squeeze_channels, 1),
      expand1x1(squeeze_channels, expand_channels, 1),
      expand3x3(squeeze_channels, expand_channels, 3, {.padding = 1}) {}

Tensor Fire::forward(const Tensor& input) {
  const Tensor x = squeeze_activation(squeeze(input));
  return cat({expand1x1_activation(expand1x1(x)), expand3x3_activation(expand3x3(x))}, 1);
}

SqueezeNet::SqueezeNet(std::int64_t num_classes, double dropout)
    : features{nn::Conv2d(3, 64, 3, {.stride = 2}),
               nn::ReLU(true),
               make_pool(),
               Fire(64, 16, 64),
               Fire(128, 16, 64),
               make_pool(),
               Fire(128, 32, 128),
               Fire(256, 32, 128),
               make_pool(),
               Fire(256, 48, 192),
               Fire(384, 48, 192),
               Fire(384, 64, 256),
               Fire(512, 64, 256)},
      classifier{nn::Dropout(dropout), nn::Conv2d(512, num_classes, 1), nn::ReLU(true), nn::AdaptiveAvgPool2d({1, 1})} {
  const auto initialise = [this](nn::Module& layer) {
    auto* conv = dynamic_cast<nn::Conv2d*>(&layer);
    if (conv == nullptr) return;
    if (conv == &classifier[1]) {
      nn::init::normal_(conv->weight, 0, 0.01);
    } else {
      nn::init::kaiming_uniform_(conv->weight);
    }
    nn::init::zeros_(conv->bias);
  };
  apply(initialise);
}

Tensor SqueezeNet::forward(const Tensor& images) { return classifier(features(images)).flatten(1); }

}  // namespace models

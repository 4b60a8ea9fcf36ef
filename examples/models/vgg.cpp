// SPDX-License-Identifier: MIT
#include "examples/models/vgg.h"

#include <vector>

namespace models {

using namespace teff;

namespace {

constexpr std::int64_t kPool = 0;

/// Channels of the convolutions, with the pools between them.
std::vector<std::int64_t> plan_of(VGG::Depth depth) {
  if (depth == VGG::Depth::vgg11) return {64, kPool, 128, kPool, 256, 256, kPool, 512, 512, kPool, 512, 512, kPool};
  return {64, 64, kPool, 128, 128, kPool, 256, 256, 256, kPool, 512, 512, 512, kPool, 512, 512, 512, kPool};
}

nn::Sequential make_features(VGG::Depth depth, bool batch_norm) {
  nn::Sequential layers;
  std::int64_t in_channels = 3;
  for (const std::int64_t channels : plan_of(depth)) {
    if (channels == kPool) {
      layers.append(nn::MaxPool2d(2, 2));
      continue;
    }
    layers.append(nn::Conv2d(in_channels, channels, 3, {.padding = 1}));
    if (batch_norm) layers.append(nn::BatchNorm2d(channels));
    layers.append(nn::ReLU(true));
    in_channels = channels;
  }
  return layers;
}

void initialise(nn::Module& layer) {
  if (auto* conv = dynamic_cast<nn::Conv2d*>(&layer)) {
    nn::init::kaiming_normal_(conv->weight,
                              {.mode = nn::init::FanMode::fan_out, .nonlinearity = nn::init::Nonlinearity::relu});
    nn::init::zeros_(conv->bias);
  } else if (auto* linear = dynamic_cast<nn::Linear*>(&layer)) {
    nn::init::normal_(linear->weight, 0, 0.01);
    nn::init::zeros_(linear->bias);
  }
}

}  // namespace

VGG::VGG(Depth depth, bool batch_norm, std::int64_t num_classes, double dropout)
    : features(make_features(depth, batch_norm)),
      classifier{nn::Linear(512 * 7 * 7, 4096), nn::ReLU(true), nn::Dropout(dropout),
                 nn::Linear(4096, 4096),        nn::ReLU(true), nn::Dropout(dropout),
                 nn::Linear(4096, num_classes)} {
  apply(initialise);
}

Tensor VGG::forward(const Tensor& images) { return classifier(avgpool(features(images)).flatten(1)); }

}  // namespace models

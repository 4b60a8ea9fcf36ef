// SPDX-License-Identifier: MIT
#include "examples/models/mobilenet_v2.h"

namespace models {

using namespace teff;

namespace {

/// A row of the paper's table 2: blocks of the same width; the first has the stride.
struct Stage {
  std::int64_t expand_ratio, channels, blocks, stride;
};
constexpr Stage kStages[] = {{1, 16, 1, 1}, {6, 24, 2, 2},  {6, 32, 3, 2}, {6, 64, 4, 2},
                             {6, 96, 3, 1}, {6, 160, 3, 2}, {6, 320, 1, 1}};
constexpr std::int64_t kFirstChannels = 32, kLastChannels = 1280;

nn::Sequential make_features() {
  nn::Sequential layers;
  layers.append(Conv2dNormActivation(3, kFirstChannels, {.stride = 2}));
  std::int64_t in_channels = kFirstChannels;
  for (const Stage& stage : kStages) {
    for (std::int64_t i = 0; i < stage.blocks; ++i) {
      layers.append(InvertedResidual(in_channels, stage.channels, i == 0 ? stage.stride : 1, stage.expand_ratio));
      in_channels = stage.channels;
    }
  }
  layers.append(Conv2dNormActivation(in_channels, kLastChannels, {.kernel_size = 1}));
  return layers;
}

nn::Sequential make_block(std::int64_t in_channels, std::int64_t channels, std::int64_t stride,
                          std::int64_t expand_ratio) {
  const std::int64_t hidden = in_channels * expand_ratio;
  nn::Sequential layers;
  if (expand_ratio != 1) layers.append(Conv2dNormActivation(in_channels, hidden, {.kernel_size = 1}));
  layers.append(Conv2dNormActivation(hidden, hidden, {.stride = stride, .groups = hidden}));
  layers.append(nn::Conv2d(hidden, channels, 1, {.bias = false}));
  layers.append(nn::BatchNorm2d(channels));
  return layers;
}

void initialise(nn::Module& layer) {
  if (auto* conv = dynamic_cast<nn::Conv2d*>(&layer)) {
    nn::init::kaiming_normal_(conv->weight, {.mode = nn::init::FanMode::fan_out});
  } else if (auto* linear = dynamic_cast<nn::Linear*>(&layer)) {
    nn::init::normal_(linear->weight, 0, 0.01);
    nn::init::zeros_(linear->bias);
  }
}

}  // namespace

Conv2dNormActivation::Conv2dNormActivation(std::int64_t in_channels, std::int64_t channels, const Options& options)
    : Sequential{nn::Conv2d(in_channels, channels, options.kernel_size,
                            {.stride = options.stride,
                             .padding = (options.kernel_size - 1) / 2,
                             .groups = options.groups,
                             .bias = false}),
                 nn::BatchNorm2d(channels), nn::ReLU6(true)} {}

InvertedResidual::InvertedResidual(std::int64_t in_channels, std::int64_t channels, std::int64_t stride,
                                   std::int64_t expand_ratio)
    : conv(make_block(in_channels, channels, stride, expand_ratio)),
      way_around_(stride == 1 && in_channels == channels) {}

Tensor InvertedResidual::forward(const Tensor& input) { return way_around_ ? input + conv(input) : conv(input); }

MobileNetV2::MobileNetV2(std::int64_t num_classes, double dropout)
    : features(make_features()), classifier{nn::Dropout(dropout), nn::Linear(kLastChannels, num_classes)} {
  apply(initialise);
}

Tensor MobileNetV2::forward(const Tensor& images) {
  return classifier(adaptive_avg_pool2d(features(images), 1).flatten(1));
}

}  // namespace models

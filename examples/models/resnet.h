// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>

#include <teff/teff.h>

namespace models {

/// Two convolutions of 3 x 3 and a way around them: [N, in_channels, H, W] -> [N, channels, H / stride, W / stride],
/// rounded up. `downsample` makes the two ways fit where they differ.
struct BasicBlock : teff::nn::Module {
  static constexpr std::int64_t kExpansion = 1;

  BasicBlock(std::int64_t in_channels, std::int64_t channels, std::int64_t stride);

  teff::nn::Conv2d conv1;
  teff::nn::BatchNorm2d bn1;
  teff::nn::ReLU relu{true};
  teff::nn::Conv2d conv2;
  teff::nn::BatchNorm2d bn2;
  std::optional<teff::nn::Sequential> downsample;
  TEFF_MODULE(BasicBlock, conv1, bn1, relu, conv2, bn2, downsample)

  teff::Tensor forward(const teff::Tensor& input) override;
};

/// The same with a convolution of 3 x 3 between two of 1 x 1, the last with four times the channels:
/// [N, in_channels, H, W] -> [N, 4 * channels, H / stride, W / stride]. The stride is that of the middle one.
struct Bottleneck : teff::nn::Module {
  static constexpr std::int64_t kExpansion = 4;

  Bottleneck(std::int64_t in_channels, std::int64_t channels, std::int64_t stride);

  teff::nn::Conv2d conv1;
  teff::nn::BatchNorm2d bn1;
  teff::nn::Conv2d conv2;
  teff::nn::BatchNorm2d bn2;
  teff::nn::Conv2d conv3;
  teff::nn::BatchNorm2d bn3;
  teff::nn::ReLU relu{true};
  std::optional<teff::nn::Sequential> downsample;
  TEFF_MODULE(Bottleneck, conv1, bn1, conv2, bn2, conv3, bn3, relu, downsample)

  teff::Tensor forward(const teff::Tensor& input) override;
};

/// ResNet (He et al., 2015), as torchvision has it: images [N, 3, H, W], made for 224 x 224 -> scores
/// [N, num_classes].
struct ResNet : teff::nn::Module {
  enum class Depth { resnet18, resnet34, resnet50 };
  explicit ResNet(Depth depth, std::int64_t num_classes = 1000);

  teff::nn::Conv2d conv1{3, 64, 7, {.stride = 2, .padding = 3, .bias = false}};
  teff::nn::BatchNorm2d bn1{64};
  teff::nn::ReLU relu{true};
  teff::nn::MaxPool2d maxpool{3, 2, {.padding = 1}};
  teff::nn::Sequential layer1, layer2, layer3, layer4;
  teff::nn::AdaptiveAvgPool2d avgpool{{1, 1}};
  teff::nn::Linear fc;
  TEFF_MODULE(ResNet, conv1, bn1, relu, maxpool, layer1, layer2, layer3, layer4, avgpool, fc)

  teff::Tensor forward(const teff::Tensor& images) override;
};

}  // namespace models

// SPDX-License-Identifier: MIT
#include "examples/models/resnet.h"

namespace models {

using namespace teff;

namespace {

nn::Conv2d conv3x3(std::int64_t in_channels, std::int64_t channels, std::int64_t stride = 1) {
  return {in_channels, channels, 3, {.stride = stride, .padding = 1, .bias = false}};
}

nn::Conv2d conv1x1(std::int64_t in_channels, std::int64_t channels, std::int64_t stride = 1) {
  return {in_channels, channels, 1, {.stride = stride, .bias = false}};
}

std::optional<nn::Sequential> make_downsample(std::int64_t in_channels, std::int64_t channels, std::int64_t stride) {
  if (stride == 1 && in_channels == channels) return {};
  return nn::Sequential{conv1x1(in_channels, channels, stride), nn::BatchNorm2d(channels)};
}

/// Blocks with the same number of channels; the first has the stride.
template <class Block>
nn::Sequential make_blocks(std::int64_t in_channels, std::int64_t channels, std::int64_t count, std::int64_t stride) {
  nn::Sequential blocks{Block(in_channels, channels, stride)};
  for (std::int64_t i = 1; i < count; ++i) blocks.append(Block(channels * Block::kExpansion, channels, 1));
  return blocks;
}

/// Layer 1 ... 4.
template <class Block>
nn::Sequential make_layer(int number, std::int64_t blocks) {
  const std::int64_t channels = 32 << number;
  if (number == 1) return make_blocks<Block>(64, channels, blocks, 1);
  return make_blocks<Block>(channels / 2 * Block::kExpansion, channels, blocks, 2);
}

nn::Sequential make_layer(ResNet::Depth depth, int number) {
  constexpr std::int64_t kShallow[] = {2, 2, 2, 2}, kDeep[] = {3, 4, 6, 3};
  const std::int64_t blocks = (depth == ResNet::Depth::resnet18 ? kShallow : kDeep)[number - 1];
  return depth == ResNet::Depth::resnet50 ? make_layer<Bottleneck>(number, blocks)
                                          : make_layer<BasicBlock>(number, blocks);
}

std::int64_t expansion_of(ResNet::Depth depth) {
  return depth == ResNet::Depth::resnet50 ? Bottleneck::kExpansion : BasicBlock::kExpansion;
}

void initialise(nn::Module& layer) {
  if (auto* conv = dynamic_cast<nn::Conv2d*>(&layer)) {
    nn::init::kaiming_normal_(conv->weight,
                              {.mode = nn::init::FanMode::fan_out, .nonlinearity = nn::init::Nonlinearity::relu});
  }
}

}  // namespace

BasicBlock::BasicBlock(std::int64_t in_channels, std::int64_t channels, std::int64_t stride)
    : conv1(conv3x3(in_channels, channels, stride)),
      bn1(channels),
      conv2(conv3x3(channels, channels)),
      bn2(channels),
      downsample(make_downsample(in_channels, channels, stride)) {}

Tensor BasicBlock::forward(const Tensor& input) {
  const Tensor x = relu(bn1(conv1(input)));
  return relu(bn2(conv2(x)) + (downsample ? (*downsample)(input) : input));
}

Bottleneck::Bottleneck(std::int64_t in_channels, std::int64_t channels, std::int64_t stride)
    : conv1(conv1x1(in_channels, channels)),
      bn1(channels),
      conv2(conv3x3(channels, channels, stride)),
      bn2(channels),
      conv3(conv1x1(channels, channels * kExpansion)),
      bn3(channels * kExpansion),
      downsample(make_downsample(in_channels, channels * kExpansion, stride)) {}

Tensor Bottleneck::forward(const Tensor& input) {
  Tensor x = relu(bn1(conv1(input)));
  x = relu(bn2(conv2(x)));
  return relu(bn3(conv3(x)) + (downsample ? (*downsample)(input) : input));
}

ResNet::ResNet(Depth depth, std::int64_t num_classes)
    : layer1(make_layer(depth, 1)),
      layer2(make_layer(depth, 2)),
      layer3(make_layer(depth, 3)),
      layer4(make_layer(depth, 4)),
      fc(512 * expansion_of(depth), num_classes) {
  apply(initialise);
}

Tensor ResNet::forward(const Tensor& images) {
  Tensor x = maxpool(relu(bn1(conv1(images))));  // [N, 64, H / 4, W / 4]
  x = layer4(layer3(layer2(layer1(x))));         // [N, 512 or 2048, H / 32, W / 32]
  return fc(avgpool(x).flatten(1));
}

}  // namespace models

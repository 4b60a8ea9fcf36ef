// SPDX-License-Identifier: MIT

// What torchvision's networks for classification do. Their classes have kept these meanings through its versions; what
// was called differently is here by all of its names.

#include "teff/serialize/modules/layer_code.h"

namespace teff::serialize {
namespace {

// clang-format off
constexpr LayerFile kVisionFiles[] = {

{"torchvision.models.alexnet", R"(
class AlexNet(Module):
  avgpool = None
  def forward(self, x):
    return __torch__.layers.classified(self, x)
)"},

{"torchvision.models.convnext", R"(
class LayerNorm2d(Module):
  def forward(self, x):
    x = torch.layer_norm(torch.permute(x, [0, 2, 3, 1]), self.normalized_shape, self.weight, self.bias, self.eps, True)
    return torch.permute(x, [0, 3, 1, 2])
class CNBlock(Module):
  def forward(self, input):
    return torch.add(self.stochastic_depth.forward(torch.mul(self.layer_scale, self.block.forward(input))), input)
class ConvNeXt(Module):
  def forward(self, x):
    return self.classifier.forward(self.avgpool.forward(self.features.forward(x)))
)"},

{"torchvision.models.densenet", R"(
class _DenseLayer(Module):
  def forward(self, inputs):
    x = self.conv1.forward(self.relu1.forward(self.norm1.forward(torch.cat(inputs, 1))))
    x = self.conv2.forward(self.relu2.forward(self.norm2.forward(x)))
    return torch.dropout(x, float(self.drop_rate), self.training)
class _DenseBlock(Module):
  def forward(self, input):
    made = [input]
    for name in self._modules:
      torch.append(made, getattr(self, name).forward(made))
    return torch.cat(made, 1)
class _Transition(Module):
  def forward(self, input):
    return __torch__.layers.chained(self, input)
class DenseNet(Module):
  def forward(self, x):
    x = torch.adaptive_avg_pool2d(torch.relu(self.features.forward(x)), [1, 1])
    return self.classifier.forward(torch.flatten(x, 1, -1))
)"},

{"torchvision.models.efficientnet", R"(
class MBConv(Module):
  def forward(self, input):
    made = self.block.forward(input)
    if self.use_res_connect:
      made = torch.add(self.stochastic_depth.forward(made), input)
    return made
class FusedMBConv(Module):
  def forward(self, input):
    made = self.block.forward(input)
    if self.use_res_connect:
      made = torch.add(self.stochastic_depth.forward(made), input)
    return made
class EfficientNet(Module):
  def forward(self, x):
    return __torch__.layers.classified(self, x)
)"},

{"torchvision.models.mnasnet", R"(
class _InvertedResidual(Module):
  def forward(self, input):
    made = self.layers.forward(input)
    if self.apply_residual:
      made = torch.add(made, input)
    return made
class MNASNet(Module):
  def forward(self, x):
    return self.classifier.forward(torch.mean(self.layers.forward(x), [2, 3]))
)"},

{"torchvision.models.mobilenetv2", R"(
class ConvBNReLU(Module):
  def forward(self, input):
    return __torch__.layers.chained(self, input)
class ConvBNActivation(Module):
  def forward(self, input):
    return __torch__.layers.chained(self, input)
class InvertedResidual(Module):
  def forward(self, x):
    made = self.conv.forward(x)
    if self.use_res_connect:
      made = torch.add(made, x)
    return made
class MobileNetV2(Module):
  def forward(self, x):
    return self.classifier.forward(torch.mean(self.features.forward(x), [2, 3]))
)"},

{"torchvision.models.mobilenetv3", R"(
class SqueezeExcitation(Module):
  def forward(self, input):
    scale = self.fc2.forward(self.relu.forward(self.fc1.forward(torch.adaptive_avg_pool2d(input, [1, 1]))))
    return torch.mul(torch.hardsigmoid(scale), input)
class InvertedResidual(Module):
  def forward(self, input):
    made = self.block.forward(input)
    if self.use_res_connect:
      made = torch.add(made, input)
    return made
class MobileNetV3(Module):
  def forward(self, x):
    return __torch__.layers.classified(self, x)
)"},

{"torchvision.models.regnet", R"(
class SimpleStemIN(Module):
  def forward(self, input):
    return __torch__.layers.chained(self, input)
class BottleneckTransform(Module):
  def forward(self, input):
    return __torch__.layers.chained(self, input)
class AnyStage(Module):
  def forward(self, input):
    return __torch__.layers.chained(self, input)
class ResBottleneckBlock(Module):
  proj = None
  def forward(self, x):
    made = self.f.forward(x)
    if torch.__isnot__(self.proj, None):
      x = self.proj.forward(x)
    return self.activation.forward(torch.add(x, made))
class RegNet(Module):
  def forward(self, x):
    x = self.avgpool.forward(self.trunk_output.forward(self.stem.forward(x)))
    return self.fc.forward(torch.flatten(x, 1, -1))
)"},

{"torchvision.models.resnet", R"(
def added(block, x, made):
  if torch.__isnot__(block.downsample, None):
    x = block.downsample.forward(x)
  return block.relu.forward(torch.add(made, x))

class BasicBlock(Module):
  downsample = None
  def forward(self, x):
    made = self.relu.forward(self.bn1.forward(self.conv1.forward(x)))
    made = self.bn2.forward(self.conv2.forward(made))
    return __torch__.torchvision.models.resnet.added(self, x, made)
class Bottleneck(Module):
  downsample = None
  def forward(self, x):
    made = self.relu.forward(self.bn1.forward(self.conv1.forward(x)))
    made = self.relu.forward(self.bn2.forward(self.conv2.forward(made)))
    made = self.bn3.forward(self.conv3.forward(made))
    return __torch__.torchvision.models.resnet.added(self, x, made)
class ResNet(Module):
  def forward(self, x):
    x = self.maxpool.forward(self.relu.forward(self.bn1.forward(self.conv1.forward(x))))
    x = self.layer4.forward(self.layer3.forward(self.layer2.forward(self.layer1.forward(x))))
    return self.fc.forward(torch.flatten(self.avgpool.forward(x), 1, -1))
)"},

{"torchvision.models.shufflenetv2", R"(
def shuffled(x):
  x = torch.unflatten(x, 1, [2, torch.floordiv(torch.size(x, 1), 2)])
  return torch.flatten(torch.transpose(x, 1, 2), 1, 2)

class InvertedResidual(Module):
  def forward(self, x):
    if torch.eq(self.stride, 1):
      halves = torch.chunk(x, 2, 1)
      made = torch.cat([halves[0], self.branch2.forward(halves[1])], 1)
    else:
      made = torch.cat([self.branch1.forward(x), self.branch2.forward(x)], 1)
    return __torch__.torchvision.models.shufflenetv2.shuffled(made)
class ShuffleNetV2(Module):
  def forward(self, x):
    x = self.maxpool.forward(self.conv1.forward(x))
    x = self.conv5.forward(self.stage4.forward(self.stage3.forward(self.stage2.forward(x))))
    return self.fc.forward(torch.mean(x, [2, 3]))
)"},

{"torchvision.models.squeezenet", R"(
class Fire(Module):
  def forward(self, x):
    x = self.squeeze_activation.forward(self.squeeze.forward(x))
    first = self.expand1x1_activation.forward(self.expand1x1.forward(x))
    return torch.cat([first, self.expand3x3_activation.forward(self.expand3x3.forward(x))], 1)
class SqueezeNet(Module):
  def forward(self, x):
    return torch.flatten(self.classifier.forward(self.features.forward(x)), 1, -1)
)"},

{"torchvision.models.vgg", R"(
class VGG(Module):
  avgpool = None
  def forward(self, x):
    return __torch__.layers.classified(self, x)
)"},

{"torchvision.ops.misc", R"(
class Conv2dNormActivation(Module):
  def forward(self, input):
    return __torch__.layers.chained(self, input)
class ConvNormActivation(Module):
  def forward(self, input):
    return __torch__.layers.chained(self, input)
class FrozenBatchNorm2d(Module):
  eps = 0.0
  def forward(self, x):
    return torch.batch_norm(x, self.weight, self.bias, self.running_mean, self.running_var, False, 0.0, self.eps, True)
class Permute(Module):
  def forward(self, x):
    return torch.permute(x, self.dims)
class SqueezeExcitation(Module):
  def forward(self, input):
    scale = self.activation.forward(self.fc1.forward(self.avgpool.forward(input)))
    return torch.mul(self.scale_activation.forward(self.fc2.forward(scale)), input)
)"},

// It drops nothing in evaluation mode, which is how it is taken.
{"torchvision.ops.stochastic_depth", R"(
class StochasticDepth(Module):
  def forward(self, input):
    return input
)"},

};
// clang-format on

}  // namespace

const std::span<const LayerFile> vision_files = kVisionFiles;

}  // namespace teff::serialize

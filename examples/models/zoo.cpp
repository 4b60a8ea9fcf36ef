// SPDX-License-Identifier: MIT
#include "examples/models/zoo.h"

#include <algorithm>

#include "examples/models/alexnet.h"
#include "examples/models/lenet5.h"
#include "examples/models/mobilenet_v2.h"
#include "examples/models/net.h"
#include "examples/models/resnet.h"
#include "examples/models/squeezenet.h"
#include "examples/models/vgg.h"

namespace models {

using namespace teff;

namespace {

/// An entry for images of 224 x 224 and ImageNet's 1000 classes. `options` are what the constructor takes before the
/// number of classes.
template <class Model, class... Options>
ZooEntry imagenet(std::string_view name, Options... options) {
  return {name, {3, 224, 224}, 1000, [=](std::int64_t num_classes) {
            return std::make_shared<Model>(options..., num_classes);
          }};
}

std::shared_ptr<nn::Module> make_net(std::int64_t num_classes) {
  auto net = std::make_shared<Net>();
  if (num_classes != 10) net->fc3 = nn::Linear(84, num_classes);
  return net;
}

std::shared_ptr<nn::Module> make_lenet5(std::int64_t num_classes) { return std::make_shared<LeNet5>(num_classes); }

}  // namespace

std::span<const ZooEntry> zoo() {
  static const ZooEntry entries[] = {
      {"net", {3, 32, 32}, 10, make_net},
      {"lenet5", {1, 32, 32}, 10, make_lenet5},
      imagenet<AlexNet>("alexnet"),
      imagenet<VGG>("vgg11", VGG::Depth::vgg11, false),
      imagenet<VGG>("vgg11_bn", VGG::Depth::vgg11, true),
      imagenet<VGG>("vgg16", VGG::Depth::vgg16, false),
      imagenet<VGG>("vgg16_bn", VGG::Depth::vgg16, true),
      imagenet<ResNet>("resnet18", ResNet::Depth::resnet18),
      imagenet<ResNet>("resnet34", ResNet::Depth::resnet34),
      imagenet<ResNet>("resnet50", ResNet::Depth::resnet50),
      imagenet<MobileNetV2>("mobilenet_v2"),
      imagenet<SqueezeNet>("squeezenet1_1"),
  };
  return entries;
}

const ZooEntry& find_model(std::string_view name) {
  const auto found = std::ranges::find(zoo(), name, &ZooEntry::name);
  if (found != zoo().end()) return *found;
  std::string names;
  for (const ZooEntry& entry : zoo()) names += (names.empty() ? "" : ", ") + std::string(entry.name);
  throw ValueError("make_model: expected one of " + names + ", got " + std::string(name));
}

std::shared_ptr<nn::Module> make_model(std::string_view name, const ModelOptions& options) {
  const ZooEntry& entry = find_model(name);
  return entry.make(options.num_classes.value_or(entry.num_classes));
}

}  // namespace models

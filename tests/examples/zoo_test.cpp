// SPDX-License-Identifier: MIT
// tests/torch/test_torchvision.py compares the same networks with torchvision's.
#include "examples/models/zoo.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "examples/models/mobilenet_v2.h"
#include "examples/models/resnet.h"
#include "support/temp_file.h"

using namespace teff;
using namespace teff::testing;

namespace {

bool same_bits(const Tensor& a, const Tensor& b) { return Value(a) == Value(b); }

/// A network after a step of training, so that batch norm has seen images.
std::shared_ptr<nn::Module> make_trained(std::string_view name, const Tensor& images) {
  manual_seed(1);
  const auto model = models::make_model(name, {.num_classes = 10});
  (*model)(images);
  return model;
}

void train_one_step(nn::Module& model, const Tensor& images, const Tensor& labels) {
  manual_seed(2);  // of dropout
  model.train();
  optim::SGD optimizer(model.parameters(), {.lr = 0.01, .momentum = 0.9});
  cross_entropy(model(images), labels).backward();
  optimizer.step();
}

/// The largest difference over the largest score.
float distance(const Tensor& a, const Tensor& b) { return ((a - b).abs().max() / b.abs().max()).item<float>(); }

}  // namespace

TEST_CASE("a whole ResNet-18 or MobileNetV2 from a file runs and trains as the original, bit by bit") {
  manual_seed(0);
  const Tensor images = randn({3, 3, 64, 64}), labels = tensor<std::int64_t>({3, 1, 4});
  for (const char* name : {"resnet18", "mobilenet_v2"}) {
    CAPTURE(name);
    const auto model = make_trained(name, images);
    const TempFile file;
    save_model(*model, images, file, {.durable = false});
    nn::GraphModule loaded = load_model(file);
    model->eval();
    loaded.eval();
    CHECK(same_bits(loaded(images[0].unsqueeze(0)), (*model)(images[0].unsqueeze(0))));
    train_one_step(*model, images, labels);
    train_one_step(loaded, images, labels);
    for (const DictItem& item : model->state_dict()) {
      CAPTURE(item.key);
      CHECK(loaded.state_dict().at(item.key) == item.value);
    }
    model->eval();
    loaded.eval();
    CHECK(same_bits(loaded(images), (*model)(images)));
  }
}

TEST_CASE("a session of ResNet-18 or MobileNetV2 gives the network's scores but for rounding") {
  manual_seed(0);
  const Tensor images = randn({3, 3, 64, 64});
  for (const char* name : {"resnet18", "mobilenet_v2"}) {
    CAPTURE(name);
    const auto model = make_trained(name, images);
    model->eval();
    nn::InferenceSession session(nn::capture(*model, images), {{1, 3, 64, 64}});
    const NoGradGuard no_grad;
    const Tensor image = randn({1, 3, 64, 64}), expected = (*model)(image);
    CHECK(distance(session.run(image), expected) < 1e-5);
  }
}

TEST_CASE("a network is made by its name, with as many classes as wanted") {
  const auto net = models::make_model("net");
  CHECK(net->type_name() == "Net");
  CHECK(net->state_dict().at("fc3.bias").as_tensor().shape() == Shape{10});
  for (const models::ZooEntry& entry : models::zoo()) {
    if (entry.name.starts_with("vgg") || entry.name == "alexnet") continue;  // hundreds of megabytes
    CAPTURE(entry.name);
    const auto model = models::make_model(entry.name, {.num_classes = 3});
    model->eval();
    const std::int64_t side = std::min<std::int64_t>(entry.image[1], 64);
    CHECK((*model)(randn({2, entry.image[0], side, side})).shape() == Shape{2, 3});
  }
  CHECK_THROWS_WITH_AS(models::make_model("resnet19"),
                       "make_model: expected one of net, lenet5, alexnet, vgg11, vgg11_bn, vgg16, vgg16_bn, resnet18, "
                       "resnet34, resnet50, mobilenet_v2, squeezenet1_1, got resnet19",
                       ValueError);
}

TEST_CASE("a copied block shares its weights, a clone has its own") {
  const models::Conv2dNormActivation block(3, 4, {.stride = 2});
  const models::BasicBlock residual(4, 8, 2);
  const nn::Sequential all{block, residual};
  const nn::Sequential clone = all.clone();
  const auto weight = [](const nn::Module& module, const char* key) { return module.state_dict().at(key).as_tensor(); };
  CHECK(weight(all, "0.0.weight").shares_memory_with(weight(block, "0.weight")));
  CHECK(weight(all, "1.downsample.0.weight").shares_memory_with(weight(residual, "downsample.0.weight")));
  CHECK(!weight(clone, "0.0.weight").shares_memory_with(weight(block, "0.weight")));
  CHECK(!weight(clone, "1.downsample.0.weight").shares_memory_with(weight(residual, "downsample.0.weight")));
  CHECK(clone.state_dict() == all.state_dict());
}
